"""Names of document statuses. Ids are not used: only those of unpaid (9) and cancelled (15) are documented.

Names that are not listed here are reported and change nothing.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from mappers.receipts import RECEIVED

CANCELLED: Final = frozenset({"cancelled", "canceled"})
_INVOICE: Final = frozenset(
    {
        "unpaid",
        "partially paid",
        "partial",
        "paid in full",
        "paid",
        "overdue",
        "open",
        "sent",
        "viewed",
        "draft",
    }
)
PAYING: Final = frozenset({"partially paid", "partial", "paid in full", "paid"})
"""Of invoices of which something is paid."""
_PAID: Final = frozenset({"paid in full", "paid"})
_SETTLED: Final = _PAID | CANCELLED
_ORDER: Final = frozenset({"not sent", "sent", "open", "draft", "partially received", "partial"})


def is_known(entity: str, status: str) -> bool:
    """Return True if the status is one of which we know what it says; a blank one says nothing."""
    names = _INVOICE | CANCELLED if entity == "invoice" else _ORDER | RECEIVED
    return not status or status in names


def says_unpaid(status: str) -> bool:
    """Return True if the status of an invoice says that nothing of it is paid."""
    return bool(status) and is_known("invoice", status) and status not in PAYING


def is_settled(entity: str, status: str) -> bool:
    """Return True if a document of this status is not expected to change; one that is not known may."""
    return status in (_SETTLED if entity == "invoice" else RECEIVED)


def is_received(status: str, lines: Sequence[tuple[Decimal, Decimal]]) -> bool:
    """Return True if an order has come in in full: by its status, or because each line with a quantity above
    0 is full. ``lines`` are quantity and quantity received.
    """
    wanted = [(quantity, came) for quantity, came in lines if quantity > 0]
    return status in RECEIVED or (bool(wanted) and all(came >= quantity for quantity, came in wanted))
