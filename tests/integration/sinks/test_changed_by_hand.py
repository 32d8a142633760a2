"""Lines that somebody changed in Xero, before SalesBinder changes them again."""

from typing import Any

import pytest

from tests.integration.sinks.purchases import edited, happened, order, order_in
from tests.integration.sinks.shops import Maker, Shop

LINES = [
    {"id": "a", "name": "A", "quantity": 1, "price": "100.00", "tax": 8},
    {"id": "b", "name": "B", "quantity": 1, "price": "10.00", "tax": 8},
]


def rewrite(books: Shop, path: str, found: dict[str, Any]) -> None:
    """Somebody takes the first line out and adds another."""
    kept = [{"LineItemID": line["id"]} for line in found["lines"][1:]]
    added = {"Description": "By hand", "Quantity": 1, "UnitAmount": 1, "AccountCode": "300"}
    body = {f"{path.removesuffix('s')}ID": found["id"], "LineItems": [*kept, added]}
    books.by_hand("POST", path, {path: [body]})


@pytest.mark.parametrize("status", ["draft", "authorised"])
async def test_line_taken_out_of_an_invoice_comes_back_with_the_next_edit(
    books: Shop, make: Maker, status: str
) -> None:
    await books.settings(invoice_status=status, edit_authorised="push")
    document = make.document(make.customer(), 1, document_items=LINES)
    await books.run(make.created(document))
    before = books.invoice("1")
    rewrite(books, "Invoices", before)
    assert await books.run(make.edited(document, name="New name")) == ["posted"]
    after = books.invoice("1")
    assert (after["total"], after["reference"]) == ("118.80", "New name")
    assert [line["description"] for line in after["lines"]] == ["A", "B"]
    assert after["lines"][1]["id"] == before["lines"][1]["id"]
    assert await books.run(make.edited(document, name="Newer name")) == ["posted"]


async def test_line_taken_out_of_an_order_comes_back_with_the_next_edit(books: Shop, make: Maker) -> None:
    document = order(make, document_items=LINES)
    await books.run(happened(make, "created", document))
    rewrite(books, "PurchaseOrders", order_in(books))
    assert await books.run(edited(make, document, name="New name")) == ["posted"]
    assert order_in(books)["total"] == "118.80"
