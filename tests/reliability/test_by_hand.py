"""Somebody changes in Xero what we are about to change, between two of our calls: their work stays, ours is
done once, or the log says why not.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop, delivering
from tests.reliability.crashing import new_shop

pytestmark = pytest.mark.reliability


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> AsyncIterator[Shop]:
    """A connected account of a Xero that behaves until a test says otherwise."""
    yield await new_shop(environment, fake)
    fake.admin.clear_faults()
    fake.admin.set_clock(rate=1)


@pytest.fixture
def maker(shop: Shop) -> Maker:
    return Maker(shop.account)


_INVOICE = {"InvoiceNumber": "1", "Type": "ACCREC"}
_THEIRS = {
    **_INVOICE,
    "Contact": {"Name": "Somebody else"},
    "Date": "2026-03-02",
    "DueDate": "2026-04-01",
    "Status": "AUTHORISED",
    "LineItems": [{"Description": "Theirs", "Quantity": 1, "UnitAmount": 7, "AccountCode": "200"}],
}
_PAYMENT = {
    "Invoice": {"InvoiceNumber": "1"},
    "Account": {"Code": "090"},
    "Date": "2026-03-02",
    "Amount": 108,
}


def somebody(xero: FakeXeroServer, before: tuple[str, str], path: str, body: dict[str, Any]) -> None:
    """Just before our call, method and path, is applied, somebody changes this."""
    method, ours = before
    change = {"method": "PUT" if path == "Payments" else "POST", "path": path, "body": body}
    xero.admin.fault("by_hand", method=method, path=ours, value=json.dumps(change))


@pytest.mark.parametrize(
    ("path", "body", "end", "payments"),
    [
        ("Payments", _PAYMENT, "exceeds_amount_due", ["108.00"]),
        ("Invoices", {**_INVOICE, "Status": "VOIDED"}, "document_removed", []),
        ("Invoices", {**_INVOICE, "Reference": "By hand"}, "posted", ["108.00"]),
    ],
    ids=["paid", "voided", "edited"],
)
async def test_before_our_payment(
    path: str, body: dict[str, Any], end: str, payments: list[str], shop: Shop, maker: Maker
) -> None:
    document = maker.document(maker.customer(), 1)
    somebody(shop.xero, ("PUT", "^Payments"), path, body)
    async with delivering(shop):
        assert await shop.run(maker.created(document), maker.paid(document, "108.00")) == ["posted", end]
    assert all(fault["hits"] for fault in shop.xero.admin.faults())
    assert [p["amount"] for p in shop.invoice("1")["payments"]] == payments
    assert len(shop.books["payments"]) == len(payments)


async def test_the_number_is_taken_before_our_invoice(shop: Shop, maker: Maker) -> None:
    created = maker.created(maker.document(maker.customer(), 1))
    somebody(shop.xero, ("PUT", "^Invoices"), "Invoices", _THEIRS)
    async with delivering(shop):
        assert await shop.run(created) == ["number_taken"]
    assert shop.invoice("1")["total"] == "7.56"


async def test_a_namesake_is_made_before_our_contact(shop: Shop, maker: Maker) -> None:
    created = maker.created(maker.document(maker.customer("Alice"), 1))
    somebody(shop.xero, ("PUT", "^Contacts"), "Contacts", {"Name": "Alice", "EmailAddress": "a@example.org"})
    async with delivering(shop):
        assert await shop.run(created) == ["posted"]
    assert shop.contact("Alice")["email"] == "a@example.org"


async def test_the_payment_is_deleted_before_we_take_it_off(shop: Shop, maker: Maker) -> None:
    document = maker.document(maker.customer(), 1)
    async with delivering(shop):
        await shop.run(maker.created(document), maker.paid(document, "108.00"))
        payment = shop.invoice("1")["payments"][0]["id"]
        somebody(shop.xero, ("POST", f"^Payments/{payment}"), f"Payments/{payment}", {"Status": "DELETED"})
        assert await shop.run(maker.act("reset", document)) == ["already_there"]
    assert shop.invoice("1")["payments"] == []
