"""Documents on both sides, for tests of the comparison."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connections.settings import Settings
from sinks.drift.books import BookDocument, Linked
from sources.reconcile.shop import ShopDocument
from sources.reconcile.sides import Compared, Rules, compared

ENABLED = datetime(2026, 1, 1, tzinfo=UTC)
MADE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def shop(**changes: Any) -> ShopDocument:
    """An invoice of 108.00 as SalesBinder shows it."""
    given: dict[str, Any] = {
        "entity": "invoice",
        "id": "i1",
        "number": "5001",
        "party_id": "c1",
        "party": "Bolt & Co",
        "day": date(2026, 3, 2),
        "created": MADE,
        "status": "unpaid",
        "currency": "",
        "net": Decimal("100.00"),
        "tax": Decimal("8.00"),
        "balance": Decimal("0.00"),
        "paid": Decimal("0.00"),
        "refunded": Decimal("0.00"),
        "is_told": True,
    }
    return ShopDocument(**given | changes)


def paid(amount: str, refunded: str = "0.00", **changes: Any) -> ShopDocument:
    """The same, paid and refunded."""
    money = Decimal(amount), Decimal(refunded)
    return shop(balance=money[0] - money[1], paid=money[0], refunded=money[1], **changes)


def book(**changes: Any) -> BookDocument:
    """The same invoice as Xero shows it."""
    given: dict[str, Any] = {
        "kind": "invoice",
        "xero_id": "x1",
        "number": "5001",
        "contact_id": "k1",
        "party": "Bolt & Co",
        "day": date(2026, 3, 2),
        "status": "AUTHORISED",
        "net": Decimal("100.00"),
        "tax": Decimal("8.00"),
        "total": Decimal("108.00"),
        "paid": Decimal("0.00"),
        "currency": "NZD",
        "url": "https://acme.salesbinder.com/documents/view/i1",
        "read_at": MADE,
    }
    return BookDocument(**given | changes)


def note(amount: str, **changes: Any) -> BookDocument:
    """A credit note whose amount was paid out."""
    given: dict[str, Any] = {
        "kind": "credit_note",
        "xero_id": "n1",
        "number": "5001-abc",
        "status": "PAID",
        "url": "",
        "net": Decimal(amount),
        "tax": Decimal("0.00"),
        "total": Decimal(amount),
        "paid": Decimal(amount),
    }
    return book(**given | changes)


def link(shown: BookDocument | None, **changes: Any) -> Linked:
    """A link of the record to what Xero shows."""
    kind = shown.kind if shown is not None else "invoice"
    xero_id = shown.xero_id if shown is not None else "x1"
    given = {"kind": kind, "record_id": "i1", "transaction_id": "", "xero_id": xero_id, "removed": False}
    return Linked(**given | changes, shown=shown)  # type: ignore[arg-type]


def side_by_side(
    document: ShopDocument | None,
    *books: BookDocument,
    kind: Any = "invoice",
    pointing: Sequence[BookDocument] = (),
    contact: str = "k1",
    **settings: Any,
) -> Compared:
    """The comparison of a document with what it is linked to."""
    rules = Rules(settings=Settings(enabled_at=ENABLED, **settings), currency="NZD")
    return compared(kind, "i1", document, [link(each) for each in books], pointing, contact, rules)
