"""A worker's clock jumps by an hour, forward or back: what decides about calls does not follow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pytest

from contracts.results import AccountResult
from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering
from tests.reliability.crashing import new_shop
from tests.reliability.sales import assert_books_hold, sales

pytestmark = pytest.mark.reliability

_SALES = 8
_RATE = 2.0
_HOUR = timedelta(hours=1)
Jump = Callable[[timedelta], None]


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> AsyncIterator[Shop]:
    """A connected account."""
    yield await new_shop(environment, fake)
    fake.admin.clear_faults()
    fake.admin.set_clock(rate=1)


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Jump:
    """Sets the worker's clock off: only ``sinks.ledger.entries.now_utc`` reads it."""
    off = timedelta()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + off

    def by(how: timedelta) -> None:
        nonlocal off
        off = how

    monkeypatch.setattr("sinks.ledger.entries.datetime", Clock)
    return by


@pytest.mark.parametrize("how", [_HOUR, -_HOUR], ids=["forward", "back"])
async def test_amid_the_work(how: timedelta, shop: Shop, jump: Jump) -> None:
    """Answers are lost before and after it, so that calls go out again, too."""
    fault = {"method": "PUT|POST", "probability": 0.3, "times": None}
    for seed, kind in enumerate(("drop_after", "error_after", "unavailable")):
        shop.xero.admin.fault(kind, path="Contacts|Invoices", seed=seed, **fault)
    maker = Maker(shop.account)
    await shop.send(*sales(maker, _SALES))
    async with delivering(shop):
        await until(lambda: bool(shop.calls()))
        jump(how)
        await shop.send(*sales(maker, _SALES, first=_SALES + 1))
        await shop.idle()
    assert_books_hold(shop, 2 * _SALES)


@pytest.mark.parametrize("how", [_HOUR, -_HOUR], ids=["forward", "back"])
async def test_while_a_look_up_is_not_to_be_trusted_yet(how: timedelta, shop: Shop, jump: Jump) -> None:
    """A payment arrives in Xero seconds after a gateway has given it up; it must not be sent again before."""
    shop.environment = replace(shop.environment, clock_rate=_RATE)
    shop.xero.admin.set_clock(rate=_RATE)
    maker = Maker(shop.account)
    document = maker.document(maker.customer(), 1)
    async with delivering(shop):
        await shop.run(maker.created(document))
        shop.xero.admin.fault("late_apply", method="PUT", path="^Payments", status=504, seconds=15)
        paid = maker.paid(document, "108.00")
        await shop.send(paid)
        async with asyncio.timeout(PATIENCE):
            while await shop.end(paid) != "waiting_for_answer":  # noqa: ASYNC110 - the ledger is a table
                await asyncio.sleep(0.02)
        [version] = await shop.rows(
            "SELECT version FROM ledger.commands WHERE command_id = %s", shop.command_id(paid)
        )
        jump(how)
        await shop.idle()
        [ended] = await shop.rows(
            "SELECT version FROM ledger.commands WHERE command_id = %s", shop.command_id(paid)
        )
    assert await shop.end(paid) == "posted"  # its own call has made it
    assert [p["amount"] for p in shop.invoice("1")["payments"]] == ["108.00"]
    assert ended["version"] - version["version"] < 10  # it waited, and did not go round and round


@pytest.mark.parametrize("how", [_HOUR, -_HOUR], ids=["forward", "back"])
async def test_before_a_limit(how: timedelta, shop: Shop, jump: Jump) -> None:
    """The log's time until which the account waits, and the wait itself, do not follow."""
    maker = Maker(shop.account)
    [began] = await shop.rows("SELECT clock_timestamp() AS at")
    async with delivering(shop):
        assert await shop.run(maker.contact("created", maker.customer("Alice"))) == ["posted"]
        shop.xero.admin.fault("rate_limit", method="PUT", path="^Contacts", retry_after=20)
        jump(how)
        assert await shop.run(maker.contact("created", maker.customer("Bob"))) == ["posted"]
    [told] = [news for news in shop.published if isinstance(news, AccountResult) and news.held]
    assert told.until is not None
    assert timedelta() < told.until - began["at"] < timedelta(minutes=10)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - another process's list
            await asyncio.sleep(0.02)
