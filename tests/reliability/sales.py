"""A number of sales, and what must stand in the books after them, however they got there."""

from typing import Any

from tests.integration.sinks.shops import Maker, Shop

EVEN_SEED = 1898
"""Spreads faults of one half: eight in a row over one command would be taken for that one's fault."""


def sales(maker: Maker, count: int, first: int = 1) -> list[dict[str, Any]]:
    """Four events a sale: customer created, invoice created, paid in two parts of different days."""
    events: list[dict[str, Any]] = []
    for number in range(first, first + count):
        customer = maker.customer(f"Customer {number}")
        document = maker.document(customer, number)
        events.append(maker.event("customer.created", customer["id"], {"customer": customer}))
        events.append(maker.created(document))
        events.append(maker.paid(document, "100.00"))
        events.append(maker.paid(document, "8.00", transaction_date="2026-03-03"))
    return events


def assert_books_hold(shop: Shop, count: int) -> None:
    """Every sale of the shop is in its books once, to the cent, and nothing else is."""
    assert_books(shop.books, count)


def assert_books(books: Any, count: int) -> None:
    """The same of books as the fake shows them."""
    assert sorted(int(i["number"]) for i in books["invoices"]) == list(range(1, count + 1))
    assert sorted(c["name"] for c in books["contacts"]) == sorted(
        f"Customer {n}" for n in range(1, count + 1)
    )
    wrong = [
        (i["number"], i["status"], [(p["amount"], p["reference"]) for p in i["payments"]])
        for i in books["invoices"]
        if i["status"] != "PAID"
        or sorted(p["amount"] for p in i["payments"] if p["status"] != "DELETED") != ["100.00", "8.00"]
    ]
    assert wrong == []
    assert len(books["payments"]) == 2 * count
