"""Map invoices and purchase orders: SalesBinder's document to a document snapshot."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

from contracts.commands import ContactSnapshot, DocumentSnapshot, Side
from contracts.events.records import Document
from mappers.contacts import to_contact
from mappers.lines import to_line
from mappers.moments import plain_day, plain_moment
from mappers.texts import text

Kind = Literal["invoice", "purchase_order"]


def to_document(record: Document, kind: Kind, event_time: datetime) -> DocumentSnapshot:
    """Return the document as SalesBinder had it, with its customer, or the supplier of a purchase order."""
    return DocumentSnapshot(
        kind=kind,
        record_id=record.id,
        number=text(record.document_number),
        contact=_party(record, kind, event_time),
        issue_date=plain_day(record.issue_date),
        created=plain_moment(record.created),
        version=plain_moment(record.modified),
        event_time=event_time.astimezone(UTC),
        lines=tuple(to_line(item, kind) for item in record.document_items),
        reference=" ".join(text(record.name).split()),
        due_date=plain_day(record.due_date) if record.due_date else None,
        currency=record.currency.upper() if record.currency else None,
        currency_rate=_plain(record.currency_rate),
        subtotal=_plain(_check_total(record, kind)),
        tax=_plain(record.total_tax),
        tax2=_plain(record.total_tax2),
    )


def _party(record: Document, kind: Kind, event_time: datetime) -> ContactSnapshot:
    side: Side = "customer" if kind == "invoice" else "supplier"
    return to_contact(record.customer, side, event_time, of_document=True)


def _check_total(record: Document, kind: Kind) -> Decimal | None:
    """Return the record's own total before tax; for a purchase order ``total_cost``, or ``total_price`` if
    that is 0 or absent.
    """
    if kind == "invoice":
        return record.total_price
    return record.total_cost or (record.total_cost if record.total_price is None else record.total_price)


def _plain(number: Decimal | None) -> Decimal | None:
    return None if number is None else Decimal(number)
