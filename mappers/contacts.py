"""Map customers and suppliers: SalesBinder's account record to a contact snapshot."""

from datetime import UTC, datetime
from operator import attrgetter

from contracts.commands import Address, ContactSnapshot, Side
from contracts.events.records import AccountRecord
from mappers.moments import plain_moment
from mappers.texts import text, told


def to_contact(
    record: AccountRecord, side: Side, event_time: datetime, *, of_document: bool = False
) -> ContactSnapshot:
    """Return the contact as SalesBinder had it. Without ``modified``, the event's time says how new it is.

    Args:
        of_document: the record is a document's ``customer``: only ``modified`` says how old it is.
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
        billing=Address(*map(told, _BILLING(record))),
        shipping=Address(*map(told, _SHIPPING(record))),
    )


_PARTS = ("address_1", "address_2", "city", "region", "postal_code", "country")
"""Of an address, in the order of ``Address``."""
_BILLING, _SHIPPING = (attrgetter(*(f"{use}_{part}" for part in _PARTS)) for use in ("billing", "shipping"))


def _phone(record: AccountRecord) -> str | None:
    """Return the number, which has two names; blank if those that are present are."""
    named = [
        number for one in (record.office_phone, record.office_number) if (number := told(one)) is not None
    ]
    return next((number for number in named if number), "") if named else None
