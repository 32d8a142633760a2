"""Customers and suppliers: SalesBinder's account record -> contact snapshot."""

from datetime import UTC, datetime

from contracts.commands import Address, ContactSnapshot, Side
from contracts.events.records import AccountRecord
from mappers.moments import plain_moment
from mappers.texts import text, told


def to_contact(
    record: AccountRecord, side: Side, event_time: datetime, *, of_document: bool = False
) -> ContactSnapshot:
    """Return the contact as SalesBinder had it. Without ``modified``, the event's time says how new it is.

    Args:
        of_document: the record is a document's ``customer``: nothing but ``modified`` tells how old it is.
    """
    event_time = event_time.astimezone(UTC)
    return ContactSnapshot(
        side=side,
        record_id=record.id,
        name=text(record.name),
        version=plain_moment(record.modified) if record.modified else event_time,
        event_time=event_time,
        dated=record.modified is not None or not of_document,
        email=told(record.office_email),
        phone=_phone(record),
        fax=told(record.office_fax),
        website=told(record.url),
        billing=Address(
            line_1=told(record.billing_address_1),
            line_2=told(record.billing_address_2),
            city=told(record.billing_city),
            region=told(record.billing_region),
            postal_code=told(record.billing_postal_code),
            country=told(record.billing_country),
        ),
        shipping=Address(
            line_1=told(record.shipping_address_1),
            line_2=told(record.shipping_address_2),
            city=told(record.shipping_city),
            region=told(record.shipping_region),
            postal_code=told(record.shipping_postal_code),
            country=told(record.shipping_country),
        ),
    )


def _phone(record: AccountRecord) -> str | None:
    """Return the number, which has two names; blank if those that are present are."""
    named = [
        number for one in (record.office_phone, record.office_number) if (number := told(one)) is not None
    ]
    return next((number for number in named if number), "") if named else None
