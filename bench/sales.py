"""Sales as SalesBinder publishes them: customer edited, invoice created, payment applied."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.commands import command_id
from contracts.events.reader import event_to_kafka

ENABLED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = {"payment_account": "090", "sales_tax.8": "OUTPUT"}
EVENTS_A_SALE = 3
_DAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_PRICES = ("100.00", "50.00", "25.00", "12.50")


@dataclass(frozen=True, slots=True)
class Message:
    """A change event in the form in which it is published."""

    entry_id: str
    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def sales(account: str, count: int, first: int = 1) -> Iterator[Message]:
    """Yield ``count`` sales to as many new customers, numbered from ``first``."""
    for number in range(first, first + count):
        yield from sale(account, number)


def sale(account: str, number: int, lines: int = 3) -> tuple[Message, Message, Message]:
    """Return one sale, paid in full."""
    now = (_DAY + timedelta(seconds=number)).isoformat()
    customer = _customer(account, number, now)
    document = _document(customer, number, now, lines)
    payment = {
        "id": str(uuid.uuid4()),
        "document_id": document["id"],
        "amount": _total(document),
        "reference": "Cash",
        "transaction_date": "2026-03-02",
    }
    paid = {**document, "transactions": [payment]}
    return (
        _message(account, "customer.edited", customer["id"], now, {"customer": customer}),
        _message(account, "invoice.created", document["id"], now, {"document": document}),
        _message(
            account,
            "invoice.payment_applied",
            document["id"],
            now,
            {"document": paid, "transaction": payment},
        ),
    )


def _message(account: str, kind: str, subject: str, time: str, data: dict[str, Any]) -> Message:
    event = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"/salesbinder/{account}",
        "type": f"salesbinder.{kind}",
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }
    topic, key, value, headers = event_to_kafka(event)
    return Message(command_id(str(event["source"]), str(event["id"])), topic, key, value, tuple(headers))


def _customer(account: str, number: int, now: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "context_id": 2,
        "name": f"Customer {number} of {account}",
        "customer_number": number,
        "office_email": f"accounts-{number}@{account}.example",
        "office_phone": "604-555-0101",
        "office_fax": "604-555-0102",
        "url": f"www.{account}.example",
        "billing_address_1": "1 Main St",
        "billing_address_2": "",
        "billing_city": "Vancouver",
        "billing_region": "BC",
        "billing_postal_code": "V5K 0A1",
        "billing_country": "Canada",
        "shipping_address_1": "2 Side St",
        "shipping_address_2": "",
        "shipping_city": "Vancouver",
        "shipping_region": "BC",
        "shipping_postal_code": "V5K 0A2",
        "shipping_country": "Canada",
        "created": now,
        "modified": now,
    }


def _document(customer: dict[str, Any], number: int, now: str, lines: int) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "document_number": number,
        "context_id": 5,
        "customer_id": customer["id"],
        "name": None,
        "issue_date": "2026-03-02T00:00:00+00:00",
        "status": {"id": None, "name": "unpaid"},
        "created": now,
        "modified": now,
        "document_items": [_line(position) for position in range(lines)],
        "customer": customer,
    }


def _line(position: int) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "item_id": str(uuid.uuid4()),
        "name": f"Work Shirt {position}",
        "description": "Long sleeves",
        "quantity": position + 1,
        "price": _PRICES[position % len(_PRICES)],
        "cost": 0,
        "discount_percent": 0,
        "tax": 8,
        "tax2": 0,
        "item": {
            "name": f"Work Shirt {position}",
            "item_number": 1000 + position,
            "sku": f"WORK-SHIRT-{position}",
            "item_details": [
                {"value": "Cotton", "custom_field": {"name": "Fabric", "weight": 1, "publish": True}}
            ],
        },
    }


def _total(document: dict[str, Any]) -> str:
    net = sum(Decimal(line["price"]) * line["quantity"] for line in document["document_items"])
    return f"{net * Decimal('1.08'):.2f}"
