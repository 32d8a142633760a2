"""The planner: turns a command, the settings and the knowledge of Xero into the next step, or the end.
Pure.
"""

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
