"""The history of a record: a line for each change, with the name of the person or of the app that made it."""

from typing import Any

from .books.ledger import Books
from .books.model import Document, HistoryRecord, Payment
from .wire import ms_time

SYSTEM = "System Generated"
"""The name in place of the user if an app has made the change."""
BOOKKEEPER = "Pat Bookkeeper"
"""Who works by hand, unless the header ``X-Fake-User`` names somebody."""
_BY_STATUS = {"AUTHORISED": "Approved", "VOIDED": "Voided", "DELETED": "Deleted", "ARCHIVED": "Archived"}


def remember(
    books: Books, record: Any, record_id: str, element: dict[str, Any], created: bool, user: str, details: str
) -> None:
    """Note an accepted write. A payment is in its document's history, too."""
    changes = "Created" if created else _BY_STATUS.get(element.get("Status") or "", "Edited")
    books.remember(record_id, changes, user, details)
    if isinstance(record, Payment):
        taken_off = record.status == "DELETED"
        books.remember(
            record.document.document_id, "Payment Deleted" if taken_off else "Payment", user, details
        )


def remember_credit(books: Books, invoice: Document, user: str, details: str) -> None:
    """Note an allocation with the invoice that it is for."""
    books.remember(invoice.document_id, "Credit Applied", user, details)


def shown(books: Books, record_id: str) -> list[dict[str, Any]]:
    """Return the history as Xero lists it, newest first."""
    return [_shown(record) for record in reversed(books.history.get(record_id, []))]


def _shown(record: HistoryRecord) -> dict[str, Any]:
    return {
        "Changes": record.changes,
        "DateUTCString": record.at.strftime("%Y-%m-%dT%H:%M:%S"),
        "DateUTC": ms_time(record.at),
        "User": record.user,
        "Details": record.details,
    }
