"""Records as SalesBinder's API 2.0 writes them: what the tests begin with and change."""

import json
from datetime import UTC, datetime
from typing import Any

from sources.diff.look import Look
from sources.salesbinder.answers import read_json
from sources.salesbinder.documents import Detail, read_detail

ACCOUNT = "acme"
INVOICE = "14691a1c-589c-4e50-b8f8-948f9991d1f1"
ORDER = "a3f1f7c0-11f0-4f7c-8f34-0f4a3f5e7a11"
CUSTOMER = "5cc227b5-0747-45bb-88e8-43a13e8785ca"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def look(at: datetime = NOON, **more: Any) -> Look:
    return Look(ACCOUNT, at, **more)


def customer(**changes: Any) -> dict[str, Any]:
    """The view sample of an account, shortened: it has no context_id."""
    record: dict[str, Any] = {
        "id": CUSTOMER,
        "name": "Widgets & Co",
        "customer_number": 101,
        "office_email": "accounts@widgets.example",
        "office_phone": "604-555-0101",
        "office_fax": "",
        "url": "www.widgets.example",
        "billing_address_1": "1 Main St",
        "billing_address_2": "",
        "billing_city": "Vancouver",
        "billing_region": "BC",
        "billing_region_id": None,
        "billing_postal_code": "V5K 0A1",
        "billing_country": "Canada",
        "created": "2026-03-01T09:00:00+00:00",
        "modified": "2026-03-01T09:00:00+00:00",
    }
    return {**record, **changes}


def line(number: int = 1, **changes: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": f"e35a2656-6cdd-41a9-83fb-2ab78febc6e{number}",
        "item_id": "d6d33551-35f6-49c2-ba72-a3afd6a3c022",
        "name": None,
        "description": "",
        "quantity": 2,
        "quantity_partially_received": 0,
        "price": 98.0,
        "cost": 0,
        "discount_percent": 0,
        "discounted_price": 0,
        "tax": 8,
        "tax2": 0,
        "weight": number,
        "item_variation_data": None,
        "item": {"name": "Work Shirt", "item_number": 1001, "sku": "WORK-SHIRT", "item_details": []},
    }
    return {**record, **changes}


def paid(number: int = 1, amount: Any = 50.0, **changes: Any) -> dict[str, Any]:
    """A transaction as the detail of an invoice lists it."""
    record: dict[str, Any] = {
        "id": f"77777777-0000-4000-8000-00000000000{number}",
        "document_id": INVOICE,
        "account_id": "f00dcafe-0000-4000-8000-000000000000",
        "amount": amount,
        "reference": "Cash",
        "transaction_date": "2026-03-02T00:00:00+00:00",
    }
    return {**record, **changes}


def document(**changes: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": INVOICE,
        "document_number": 5001,
        "context_id": 5,
        "context": {"id": 5, "name": "invoice"},
        "customer_id": CUSTOMER,
        "user_id": "0a0a0a0a-0000-4000-8000-000000000000",
        "name": None,
        "issue_date": "2026-03-02T00:00:00+00:00",
        "expiry_date": None,
        "date_sent": None,
        "status_id": 9,
        "status": {"id": 9, "name": "unpaid"},
        "total_cost": 0,
        "total_price": 196,
        "total_tax": 15.68,
        "total_tax2": 0,
        "total_transactions": 0,
        "created": "2026-03-02T09:05:00+00:00",
        "modified": "2026-03-02T09:05:00+00:00",
        "document_items": [line()],
        "customer": customer(),
        "transactions": [],
    }
    return {**record, **changes}


def order(**changes: Any) -> dict[str, Any]:
    """A purchase order: its lines have costs, its customer is the supplier."""
    record = document(
        id=ORDER,
        document_number=701,
        context_id=11,
        status={"id": 20, "name": "Not Sent"},
        total_cost=50,
        total_price=0,
        total_tax=0,
        document_items=[line(cost=12.5, price=0, quantity=4, tax=0)],
    )
    return {**record, **changes}


def with_paid(*transactions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An invoice with these transactions, and the sum that they come to."""
    total = sum(float(row["amount"]) for row in transactions)
    return document(**{"transactions": list(transactions), "total_transactions": total, **changes})


def wire(record: Any) -> Any:
    """Return a record as it is read from an answer."""
    return read_json(json.dumps(record).encode())


def detail(record: dict[str, Any]) -> Detail:
    return read_detail(wire(record), record["id"], ACCOUNT)
