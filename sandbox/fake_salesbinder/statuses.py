"""Statuses: which one a document is in, and its id and name under the switches (reference §6)."""

from .records import ESTIMATE, INVOICE, Document
from .switches import Switches
from .totals import amount_due, total_transactions

UNPAID, CANCELLED = 9, 15
"""The two ids that are proven."""
_NAMES = {
    "unpaid": "unpaid",
    "partially_paid": "partially paid",
    "paid": "paid in full",
    "cancelled": "cancelled",
    "not_sent": "Not Sent",
    "sent": "sent",
    "partially_received": "partially received",
    "received": "received",
    "open": "open",
    "closed": "closed",
    "expired": "expired",
    "declined": "declined",
}
_FIRST_ID = {"low": 10, "high": 30}
_OTHERS = [name for name in _NAMES if name not in ("unpaid", "cancelled")]


def state(document: Document, switches: Switches) -> str:
    """Return the status by its plain name, such as `partially_paid`."""
    if document.context_id != INVOICE:
        hidden = document.state in ("partially_received", "received") and switches.receipt == "lines_only"
        return "sent" if hidden else document.state
    if document.state == "cancelled":
        return "cancelled"
    paid = total_transactions(document, switches.marked_row_in_total == "added")
    if paid <= 0:
        return "unpaid"
    return "paid" if paid >= amount_due(document) else "partially_paid"


def status(document: Document, switches: Switches) -> tuple[int, str]:
    """Return id and name as the API shows them."""
    found = state(document, switches)
    shown = _NAMES[found]
    if found == "cancelled":
        shown = switches.cancelled_spelling
    elif found == "received" and switches.received_status_name == "received_in_full":
        shown = "received in full"
    if document.unproven_status and found in ("unpaid", "not_sent"):
        return _FIRST_ID[switches.status_ids] + 15, _cased(document.unproven_status, switches)
    return status_id(found, document.context_id, switches), _cased(shown, switches)


def status_id(found: str, context_id: int, switches: Switches) -> int:
    """Return the id of a status; 9 and 15 for the two that are proven."""
    if found == "unpaid":
        return UNPAID
    if found == "cancelled":
        return CANCELLED
    first = _FIRST_ID[switches.status_ids]
    index = _OTHERS.index(found) + (20 if context_id == ESTIMATE else 0)
    taken = first + index
    return taken if taken < CANCELLED else taken + 1


def _cased(name: str, switches: Switches) -> str:
    return name.title() if switches.status_case == "title" else name
