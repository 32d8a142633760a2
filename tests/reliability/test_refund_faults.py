"""Xero misbehaves while refunds are made and taken back: one credit note, one payment of it, or none."""

from typing import Any

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop, delivering
from tests.reliability.sales import EVEN_SEED

pytestmark = pytest.mark.reliability

FAULTS: dict[str, dict[str, Any]] = {
    "answer dropped after applying": {"kind": "drop_after"},
    "500 after applying": {"kind": "error_after"},
    "500 before applying": {"kind": "error_before"},
    "errors summarised": {"kind": "summarise"},
    "answers in another order": {"kind": "shuffle"},
    "no JSON": {"kind": "not_json"},
    "late": {"kind": "late_apply", "seconds": 2},
}
_SALES = 4


def sold(maker: Maker) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Invoices of 108.00, and the events by which they come and are paid in two equal parts."""
    documents = [maker.document(maker.customer(f"C {n}"), n) for n in range(1, _SALES + 1)]
    events = [maker.created(document) for document in documents]
    return documents, events + [maker.paid(document, "54.00") for document in documents for _ in range(2)]


async def settled(
    shop: Shop, xero: FakeXeroServer, events: list[dict[str, Any]], fault: dict[str, Any]
) -> None:
    """The events, while half of what is written has that fault."""
    xero.admin.fault(
        **fault, method="PUT|POST", path="CreditNotes|Payments", times=None, probability=0.5, seed=EVEN_SEED
    )
    await shop.send(*events)
    await shop.idle()
    assert all(struck["hits"] for struck in xero.admin.faults())
    xero.admin.clear_faults()
    ends = {await shop.end(event) for event in events}
    assert ends <= {"posted", "already_there"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_one_credit_note_and_one_refund(
    fault: dict[str, Any], fast_shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    shop = fast_shop
    xero.admin.limits(minute=1000)
    documents, events = sold(maker)
    async with delivering(shop):
        await shop.run(*events)
        refunds = [maker.refunded(document, "20.00") for document in documents for _ in range(2)]
        await settled(shop, xero, refunds, fault)
        books = shop.books
        expected = sorted(
            f"{document['document_number']}-{refund['data']['transaction']['id'][:8]}"
            for document in documents
            for refund in refunds
            if refund["subject"] == document["id"]
        )
        assert sorted(note["number"] for note in books["credit_notes"]) == expected
        assert {note["status"] for note in books["credit_notes"]} == {"PAID"}
        paid_out = [p for p in books["payments"] if p["document_type"] == "ACCRECCREDIT"]
        assert (len(paid_out), {p["amount"] for p in paid_out}) == (2 * _SALES, {"20.00"})
        await settled(shop, xero, [maker.act("cancelled", document) for document in documents], fault)
    books = shop.books
    assert {note["status"] for note in books["credit_notes"]} == {"VOIDED"}
    assert {payment["status"] for payment in books["payments"]} == {"DELETED"}
    assert {invoice["status"] for invoice in books["invoices"]} == {"VOIDED"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_one_of_two_equal_payments_is_taken_back(
    fault: dict[str, Any], fast_shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    shop = fast_shop
    await shop.settings(refund_as="reverse_payment")
    xero.admin.limits(minute=1000)
    documents, events = sold(maker)
    async with delivering(shop):
        await shop.run(*events)
        await settled(shop, xero, [maker.refunded(document, "54.00") for document in documents], fault)
    for invoice in shop.books["invoices"]:
        assert [payment["amount"] for payment in invoice["payments"]] == ["54.00"]
