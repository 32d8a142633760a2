"""Customers and suppliers: SalesBinder's account record -> contact snapshot."""

from datetime import UTC, datetime

from contracts.commands import Address, ContactSnapshot, Side
from contracts.snapshots import AccountRecord
from mappers.moments import plain_moment
from mappers.texts import text


def to_contact(record: AccountRecord, side: Side, event_time: datetime) -> ContactSnapshot:
    """The contact as SalesBinder had it. Without ``modified``, the event's time says how new it is."""
    event_time = event_time.astimezone(UTC)
    return ContactSnapshot(
        side=side,
        record_id=record.id,
        name=text(record.name),
        version=plain_moment(record.modified) if record.modified else event_time,
        event_time=event_time,
        email=text(record.office_email),
        phone=text(record.office_phone) or text(record.office_number),
        fax=text(record.office_fax),
        website=text(record.url),
        billing=Address(
            line_1=text(record.billing_address_1),
            line_2=text(record.billing_address_2),
            city=text(record.billing_city),
            region=text(record.billing_region),
            postal_code=text(record.billing_postal_code),
            country=text(record.billing_country),
        ),
        shipping=Address(
            line_1=text(record.shipping_address_1),
            line_2=text(record.shipping_address_2),
            city=text(record.shipping_city),
            region=text(record.shipping_region),
            postal_code=text(record.shipping_postal_code),
            country=text(record.shipping_country),
        ),
    )
