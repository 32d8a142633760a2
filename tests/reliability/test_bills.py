"""Xero misbehaves while orders are received: each gets one bill, although numbers of bills are not unique."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.purchases import bills_in, happened, order, order_in
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering
from tests.reliability.sales import EVEN_SEED

pytestmark = pytest.mark.reliability

COUNT = 30
FAULTS: dict[str, dict[str, Any]] = {
    "answer dropped after applying": {"kind": "drop_after"},
    "dropped before applying": {"kind": "drop_before"},
    "500 after applying": {"kind": "error_after"},
    "500 before applying": {"kind": "error_before"},
    "answers in another order": {"kind": "shuffle"},
    "errors summarised": {"kind": "summarise"},
    "no JSON": {"kind": "not_json"},
    "late": {"kind": "late_apply", "seconds": 2},
}


def assert_billed_once(shop: Shop, count: int) -> None:
    orders = {o["number"]: o for o in shop.books["purchase_orders"]}
    assert Counter(b["number"] for b in bills_in(shop)) == {str(n): 1 for n in range(1, count + 1)}
    assert {(b["status"], b["contact_id"]) for b in bills_in(shop)} == {
        ("AUTHORISED", o["contact_id"]) for o in orders.values()
    }
    assert [b["total"] for b in bills_in(shop)] == [orders[b["number"]]["total"] for b in bills_in(shop)]
    assert Counter(o["status"] for o in orders.values()) == {"BILLED": count}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_each_order_gets_one_bill(
    fault: dict[str, Any], fast_shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    shop = fast_shop
    xero.admin.fault(**fault, method="PUT", path="Invoices", times=2)  # the bills, whatever chance says
    paths = "Contacts|Invoices|PurchaseOrders|Items"
    xero.admin.fault(**fault, method="PUT|POST", path=paths, times=None, probability=0.5, seed=EVEN_SEED)
    supplier = maker.customer("Northern Parts")
    orders = [order(maker, n, f"{n}.00", customer=supplier) for n in range(1, COUNT + 1)]
    events = [happened(maker, action, each) for action in ("created", "received") for each in orders]
    await shop.send(*events)
    async with delivering(shop):
        await shop.idle()
    assert all(rule["hits"] for rule in xero.admin.faults())
    assert {end for _, _, end in await shop.log()} <= {"posted", "already_there"}
    assert_billed_once(shop, COUNT)


RATE = 60.0


@pytest.mark.parametrize(
    ("kind", "number"), [("drop_after", "1"), ("drop_after", "A,1"), ("drop_before", "1")]
)
async def test_answer_lost_for_good_is_looked_up(
    kind: str, number: str, shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    """Until the key is too old no answer comes. A bill of the same number that is not ours does not count."""
    shop.environment = replace(shop.environment, clock_rate=RATE)
    xero.admin.limits(minute=1000)  # whoever is slow calls it more often until the test lets it answer
    document = order(maker, 1, document_number=number)
    await shop.send(happened(maker, "created", document))
    async with delivering(shop):
        await shop.idle()
        line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 5, "AccountCode": "300"}
        contact = {"ContactID": order_in(shop, number)["contact_id"]}
        theirs = {"Type": "ACCPAY", "InvoiceNumber": number, "Contact": contact, "LineItems": [line]}
        shop.by_hand("PUT", "Invoices", {"Invoices": [theirs]})
        xero.admin.fault(kind=kind, method="PUT", path="Invoices", times=None)
        received = happened(maker, "received", document)
        await shop.send(received)
        async with asyncio.timeout(PATIENCE):
            while await shop.end(received) not in ("waiting_for_answer", "posted"):  # noqa: ASYNC110 - a table
                await asyncio.sleep(0.05)
        xero.admin.clear_faults()
        await shop.idle()
    assert await shop.end(received) == "posted"
    assert [b["total"] for b in bills_in(shop) if b["url"]] == ["108.00"]
    assert order_in(shop, number)["status"] == "BILLED"
    puts = [call for call in shop.calls() if call == "PUT Invoices"]
    assert ("GET Invoices" in shop.calls()) and len(puts) > 1
