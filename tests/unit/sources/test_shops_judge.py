"""The judge of ``make shops``: right books are right, and each thing that is wrong is found."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.fake_salesbinder import Switches, acts
from tests.reliability.shops.judge import differences
from tests.reliability.shops.shop import ReadShop

Books = dict[str, Any]


@pytest.fixture
def shop() -> ReadShop:
    """An invoice of 108.00, paid and refunded in part, and an order that was received."""
    found = ReadShop(0, Switches(), 1, "acme", Clock(datetime(2026, 3, 2, tzinfo=UTC)))
    found.settings = {"refund_as": "credit_note", "received_as": "bill"}
    customer = acts.create_party(found.shop, "customer", name="Widgets & Co", office_email="w@shop.example")
    supplier = acts.create_party(found.shop, "supplier", name="Northern Parts")
    invoice = acts.create_document(found.shop, "invoice", customer, [{"name": "A", "price": 100, "tax": "8"}])
    acts.refund(found.shop, invoice, acts.pay(found.shop, invoice, 108), 20)
    order = acts.create_document(found.shop, "purchase_order", supplier, [{"name": "B", "cost": 50}])
    acts.send_document(found.shop, order)
    acts.receive(found.shop, order)
    return found


def books_of(shop: ReadShop) -> Books:
    customer, supplier = shop.shop.truth.parties.values()
    invoice, order = shop.shop.truth.documents.values()
    buyer = _contact(customer.id, "Widgets & Co", "w@shop.example")
    sale = _document("ACCREC", invoice.number, "PAID", "108.00", customer.id)
    bought = {"contact": supplier.id, "total": "50.00"}
    return {
        "contacts": [buyer, _contact(supplier.id, "Northern Parts")],
        "invoices": [
            sale | {"payments": [_payment("108.00"), _payment("108.00", "DELETED")]},
            _document("ACCPAY", order.number, "AUTHORISED", **bought),
            _document("ACCREC", invoice.number, "VOIDED", "1.00", customer.id),
        ],
        "credit_notes": [
            _document("ACCRECCREDIT", f"{invoice.number}-1", "PAID", "20.00", customer.id)
            | {"payments": [_payment("20.00")]}
        ],
        "purchase_orders": [_document("PURCHASEORDER", order.number, "BILLED", **bought)],
    }


def _contact(record_id: str, name: str, email: str = "") -> Books:
    rest = {"email": email, "addresses": {}, "phones": {}}
    return {"id": record_id, "contact_number": record_id, "name": name, "status": "ACTIVE", **rest}


def _document(kind: str, number: object, status: str, total: str, contact: str) -> Books:
    shown = {"type": kind, "number": str(number), "status": status, "total": total}
    return {**shown, "contact_id": contact, "payments": []}


def _payment(amount: str, status: str = "AUTHORISED") -> Books:
    return {"amount": amount, "status": status}


def test_books_that_are_the_shop_do_not_differ(shop: ReadShop) -> None:
    assert differences(shop, books_of(shop)) == []


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda books: books["invoices"].append(copy.deepcopy(books["invoices"][0])), "status"),
        (lambda books: books["invoices"].pop(0), "status"),
        (lambda books: books["invoices"][0].update(total="108.01"), "total"),
        (lambda books: books["invoices"][0]["payments"].append(_payment("0.01")), "money"),
        (lambda books: books["credit_notes"].clear(), "money"),
        (lambda books: books["credit_notes"].append(copy.deepcopy(books["credit_notes"][0])), "stranger"),
        (lambda books: books["invoices"].pop(1), "status"),
        (lambda books: books["invoices"][1].update(total="49.99"), "total"),
        (lambda books: books["purchase_orders"][0].update(status="AUTHORISED"), "status"),
        (lambda books: books["invoices"][0].update(contact_id=books["contacts"][1]["id"]), "party"),
        (lambda books: books["contacts"][0].update(email="other@shop.example"), "fields"),
        (lambda books: books["contacts"].append(_contact("x", "Stranger")), "stranger"),
        (lambda books: books["invoices"].append(_document("ACCREC", 7, "DRAFT", "1.00", "x")), "stranger"),
    ],
)
def test_each_thing_that_is_wrong_is_found(shop: ReadShop, spoil: Callable[[Books], None], what: str) -> None:
    books = books_of(shop)
    spoil(books)
    assert what in {each.what for each in differences(shop, books)}


@pytest.mark.parametrize("act", [acts.cancel_document, acts.delete_document])
def test_what_is_over_in_the_shop_must_not_stand_in_xero(shop: ReadShop, act: Callable[..., Any]) -> None:
    books, invoice = books_of(shop), next(iter(shop.shop.truth.documents.values()))
    acts.reset(shop.shop, invoice.id)
    act(shop.shop, invoice.id)
    assert [each.what for each in differences(shop, books)] == ["status"]
    books["invoices"][0]["status"] = "VOIDED"
    assert differences(shop, books) == []
