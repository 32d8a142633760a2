"""The planner: a command, the settings and what is known of Xero in, the next step or the end out. Pure."""

from sinks.planner.details import half_way, known_details
from sinks.planner.plan import plan
from sinks.planner.situation import (
    AskFacts,
    Done,
    Fail,
    Learn,
    Plan,
    Refusal,
    Send,
    Sent,
    Situation,
    Wait,
    XeroReads,
)

__all__ = [
    "AskFacts",
    "Done",
    "Fail",
    "Learn",
    "Plan",
    "Refusal",
    "Send",
    "Sent",
    "Situation",
    "Wait",
    "XeroReads",
    "half_way",
    "known_details",
    "plan",
]
