"""Xero misbehaves at random; the books and the ledger come out the same."""

import asyncio
from typing import Any

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering
from tests.reliability.sales import assert_books_hold, sales

pytestmark = pytest.mark.reliability

_PATHS = "Contacts|Invoices|Payments|Items"
FAULTS: dict[str, list[dict[str, Any]]] = {
    "answer dropped after applying": [{"kind": "drop_after"}],
    "dropped before applying": [{"kind": "drop_before"}],
    "500 after applying": [{"kind": "error_after"}],
    "500 before applying": [{"kind": "error_before"}],
    "503": [{"kind": "unavailable"}],
    "answers in another order": [{"kind": "shuffle"}],
    "errors summarised": [{"kind": "summarise"}],
    "unknown enum": [{"kind": "unknown_enum"}],
    "no JSON": [{"kind": "not_json"}],
    "token expires": [{"kind": "expired_token", "times": 4}],
    "late": [{"kind": "late_apply", "seconds": 2}],
    "limits": [
        {"kind": "rate_limit", "retry_after": 2},
        {"kind": "rate_limit", "problem": "concurrent", "retry_after": None},
    ],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS.keys())
async def test_books_come_out_the_same(
    faults: list[dict[str, Any]], fast_shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    for seed, fault in enumerate(faults):
        rule = {"probability": 0.5, "times": None, "seed": seed, **fault}
        xero.admin.fault(method="PUT|POST", path=_PATHS, **rule)
    shop = fast_shop
    await shop.send(*sales(maker, 60))
    async with delivering(shop):
        await shop.idle()
    assert all(fault["hits"] for fault in xero.admin.faults())
    # The invoice brings its customer along where the customer's own call has to wait.
    allowed = {("customer created", "completed", "superseded")}
    for action in ("customer created", "invoice created", "invoice payment_applied"):
        allowed |= {(action, "completed", "posted"), (action, "completed", "already_there")}
    assert set(await shop.log()) <= allowed
    assert_books_hold(shop, 60)


async def test_what_xero_always_stumbles_over_keeps_nothing_else_out(
    fast_shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    """One customer's name is answered with 500 each time: all other sales come in, and in the end it, too."""
    shop = fast_shop
    rule = xero.admin.fault("stumble", path="Contacts", times=None, value='"Customer 5"')
    await shop.send(*sales(maker, 12))
    async with delivering(shop):
        async with asyncio.timeout(PATIENCE):
            while sum(i["status"] == "PAID" for i in shop.books["invoices"]) < 11:  # noqa: ASYNC110 - Xero's books
                await asyncio.sleep(0.1)
        assert "5" not in {i["number"] for i in shop.books["invoices"]}
        xero.admin.clear_faults(rule)
        await shop.idle()
    assert_books_hold(shop, 12)
