"""What a shop's books in Xero and its log must show after a history of events.

Written from the contract alone, events in, books out: it shares no code with the product. Where the contract
leaves room (neighbouring snapshots *may* be merged), the log is asked what was done, and that is held to the
rules.
"""

from tests.reliability.model.money import Money
from tests.reliability.model.papers import Paper
from tests.reliability.model.parties import Party
from tests.reliability.model.shop import COMPLETED, DONE, Model

__all__ = ["COMPLETED", "DONE", "Model", "Money", "Paper", "Party"]
