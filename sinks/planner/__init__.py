"""The planner: a command, the settings and what is known of Xero in, the next step or the end out. Pure."""

from sinks.planner.details import known_details
from sinks.planner.plan import plan
from sinks.planner.situation import Done, Fail, Known, Plan, Refusal, Remember, Send, Situation, Wait

__all__ = [
    "Done",
    "Fail",
    "Known",
    "Plan",
    "Refusal",
    "Remember",
    "Send",
    "Situation",
    "Wait",
    "known_details",
    "plan",
]
