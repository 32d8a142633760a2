"""Xero's limits are used up, whichever and however it says so, tokens end early, and answers hold what nobody
knows yet: all comes right, each thing once, and the log says what was waited for.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from contracts.results import AccountResult
from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering
from tests.reliability.crashing import new_shop
from tests.reliability.sales import assert_books_hold, sales

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


_SALES = 8
_MINUTE, _DAY = "xero_minute_limit", "xero_day_limit"


@pytest.mark.parametrize(
    ("problem", "retry_after", "rate", "told"),
    [
        # Without Retry-After: a minute, for all that we know; an hour of the day's limit; a second of too
        # many at once, which is too short to be told. What has less than two seconds left when the lane comes
        # to telling it is too short as well: each of the others lasts twelve.
        ("minute", 50, 4.0, _MINUTE),
        ("minute", None, 4.0, _MINUTE),
        ("appminute", 50, 4.0, _MINUTE),
        ("appminute", None, 4.0, _MINUTE),
        ("app-minute", None, 4.0, _MINUTE),
        ("concurrent", 50, 4.0, _MINUTE),
        ("concurrent", None, 20.0, ""),
        ("day", 1800, 150.0, _DAY),
        ("day", None, 300.0, _DAY),
    ],
)
async def test_limit_of_each_kind(
    problem: str, retry_after: int | None, rate: float, told: str, shop: Shop, maker: Maker
) -> None:
    xero = shop.xero
    shop.environment = replace(shop.environment, clock_rate=rate)
    xero.admin.set_clock(rate=rate)
    xero.admin.fault(
        "rate_limit", method="PUT", path="^Payments", times=1, problem=problem, retry_after=retry_after
    )
    await shop.send(*sales(maker, _SALES))
    async with delivering(shop):
        await shop.idle()
        results = await shop.told()
    assert all(fault["hits"] for fault in xero.admin.faults())
    assert_books_hold(shop, _SALES)
    assert {end for _, _, end in await shop.log()} <= {"posted", "already_there"}
    assert 429 in {attempt.status for result in results for attempt in result.made}
    holds = [news.held for news in shop.published if isinstance(news, AccountResult)]
    assert [held for held in holds if held] == [told] * bool(told)
    assert holds[-1:] == [None] * bool(told)


async def test_tokens_end_early_over_and_over(shop: Shop, maker: Maker) -> None:
    """Each as soon as it has been good for one call."""
    xero = shop.xero
    xero.admin.fault("latency", times=None, seconds=0.1)
    before = xero.admin.tokens()["issued"]
    await shop.send(*sales(maker, _SALES))
    async with delivering(shop):
        for more in range(1, 4):
            taken = calls_taken(shop)
            async with asyncio.timeout(PATIENCE):
                while calls_taken(shop) == taken:  # noqa: ASYNC110 - another process's list
                    await asyncio.sleep(0.02)
            xero.admin.tokens(expire=True)
            await shop.send(*sales(maker, 1, first=_SALES + more))
        await shop.idle()
    assert_books_hold(shop, _SALES + 3)
    assert not any(isinstance(news, AccountResult) and news.held for news in shop.published)
    assert xero.admin.tokens()["issued"] > before + 1
    refused = [call for call in xero.admin.calls() if call["status"] == 401]
    assert any(call["client_id"] == xero.client_id for call in refused)


def calls_taken(shop: Shop) -> int:
    calls = shop.xero.admin.calls()
    return sum(call["status"] == 200 and call["tenant_id"] == shop.tenant_id for call in calls)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("^Contacts", "ContactStatus"),
        ("^Invoices", "Status"),
        ("^Invoices", "Type"),
        ("^Invoices", "LineAmountTypes"),
        ("^Payments", "Status"),
        ("^Payments", "PaymentType"),
        ("^Organisation", "Class"),
        ("^Accounts", "Class"),
        ("^TaxRates", "Status"),
    ],
)
async def test_value_that_nobody_knows_yet(path: str, name: str, shop: Shop, maker: Maker) -> None:
    """In every answer, reads included."""
    shop.xero.admin.fault("unknown_enum", path=path, name=name, times=None)
    document = maker.document(maker.customer(), 1)
    changed = maker.created(document), maker.paid(document, "100.00"), maker.paid(document, "8.00")
    async with delivering(shop):
        assert await shop.run(*changed) == ["posted"] * 3
    assert all(fault["hits"] for fault in shop.xero.admin.faults())
    assert (shop.invoice("1")["status"], len(shop.books["payments"])) == ("PAID", 2)
