"""An account that stops by itself, and one that lost its connection: a backlog waits instead of failing."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from connections import store
from contracts.results import AccountResult
from sandbox.fake_xero.server import FakeXeroServer
from sinks.lanes.breaker import BREAKS_BOUND, FAILURES_BOUND
from sinks.lanes.lane import Lane
from sinks.lanes.sending import CallSender
from sinks.planner import Plan, Situation
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, connect, delivering

_FORBIDDEN = '{"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}'
BACKLOG = 100
"""Customers, each with an invoice: twice as many events."""


def backlog(maker: Maker) -> list[dict[str, Any]]:
    """All customers first, then an invoice for each."""
    customers = [maker.customer(f"Customer {number}") for number in range(BACKLOG)]
    created = [maker.contact("created", customer) for customer in customers]
    documents = [maker.document(customer, number) for number, customer in enumerate(customers, 1)]
    return [*created, *(maker.created(document) for document in documents)]


async def states(shop: Shop) -> dict[str, int]:
    return Counter(state for _, state, _ in await shop.log())


async def held(shop: Shop, code: str) -> AccountResult:
    """The news that the account is held, once it is told."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for news in shop.published:
                if isinstance(news, AccountResult) and news.held == code:
                    return news
            await asyncio.sleep(0.02)


async def nothing_runs(shop: Shop) -> None:
    """Until all that was in hand is given back."""
    async with asyncio.timeout(PATIENCE):
        while "running" in await states(shop):  # noqa: ASYNC110 - another process's table
            await asyncio.sleep(0.02)


def holds(shop: Shop, code: str) -> int:
    return sum(isinstance(news, AccountResult) and news.held == code for news in shop.published)


async def resume(shop: Shop) -> None:
    async with await shop.connect() as connection:
        await store.resume(connection, shop.account, actor="ann")


async def test_unknown_refusals_pause_the_account(shop: Shop, xero: FakeXeroServer, maker: Maker) -> None:
    """Twenty fail, the others stay queued; the account says why and goes on when it is resumed."""
    xero.admin.limits(minute=1000)
    xero.admin.fault("error_before", method="PUT", path="Contacts", times=None, status=400)
    events = backlog(maker)
    await shop.send(*events)
    async with delivering(shop):
        news = await held(shop, "account_paused")
        await nothing_runs(shop)
        assert await states(shop) == {"failed": FAILURES_BOUND, "queued": 2 * BACKLOG - FAILURES_BOUND}
        assert news.reason.startswith(
            "The account 'acme' is paused: 20 actions in a row failed for reasons that nobody foresaw, "
            "the last one with 'xero_refused': "
        )
        assert (
            news.remedy == "Resume it on the Overview page, or with 'sbx resume acme', when it may continue."
        )
        xero.admin.clear_faults()
        await resume(shop)
        await shop.idle()
        failed = [event for event in events if await shop.end(event) == "xero_refused"]
        await shop.retry(*failed)
    assert await states(shop) == {"completed": 2 * BACKLOG}
    assert len(shop.books["invoices"]) == len(shop.books["contacts"]) == BACKLOG
    assert holds(shop, "account_paused") == 1


async def test_errors_of_ours_pause_the_account(
    shop: Shop, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planning breaks for every command, without any call: still only twenty fail."""

    def broken(situation: Situation) -> Plan:
        raise AttributeError(f"a mistake of ours, met by {situation.command.entity}")

    monkeypatch.setattr("sinks.lanes.planning.plan", broken)
    await shop.send(*backlog(maker))
    with capture_logs() as logs:
        async with delivering(shop):
            news = await held(shop, "account_paused")
            await nothing_runs(shop)
    told = Counter(line["event"] for line in logs if line["log_level"] == "error")
    assert told == {"planning broke": FAILURES_BOUND, "account pauses itself": 1}
    async with delivering(shop):
        assert await states(shop) == {"failed": FAILURES_BOUND, "queued": 2 * BACKLOG - FAILURES_BOUND}
        assert "'our_error': AttributeError: a mistake of ours, met by customer" in news.reason
        monkeypatch.undo()
        await resume(shop)
        await shop.idle()
    assert Counter(end for _, _, end in await shop.log()) == {"our_error": 20, "posted": 2 * BACKLOG - 20}


async def test_a_lane_that_breaks_over_and_over_pauses_the_account(
    shop: Shop, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(lane: Lane) -> None:
        raise AttributeError("a mistake of ours")

    monkeypatch.setattr(Lane, "load", broken)
    await shop.send(*backlog(maker))
    with capture_logs() as logs:
        async with delivering(shop):
            news = await held(shop, "account_paused")
    assert "broke 10 times with an internal error, AttributeError: a mistake of ours" in news.reason
    told = Counter(line["event"] for line in logs if line["log_level"] == "error")
    assert told == {"lane breaks": BREAKS_BOUND, "account pauses itself": 1}
    assert await states(shop) == {"queued": 2 * BACKLOG}
    monkeypatch.undo()
    async with delivering(shop):
        await resume(shop)
        await shop.idle()
    assert await states(shop) == {"completed": 2 * BACKLOG}


async def test_a_lane_that_cannot_take_its_account_over_pauses_it_and_rests(
    shop: Shop, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so, breaks no more, and starts anew once it is resumed."""

    async def broken(lane: Lane) -> list[CallSender]:
        raise AttributeError("a mistake of ours")

    monkeypatch.setattr("sinks.lanes.runner.recover", broken)
    await shop.send(*backlog(maker))
    with capture_logs() as logs:
        async with delivering(shop):
            news = await held(shop, "account_paused")
            assert "broke 10 times with an internal error, AttributeError: a mistake of ours" in news.reason
            monkeypatch.undo()
            await resume(shop)
            await shop.idle()
    told = Counter(line["event"] for line in logs if line["log_level"] == "error")
    assert told == {"lane breaks": BREAKS_BOUND + 1, "account pauses itself": 1}
    assert await states(shop) == {"completed": 2 * BACKLOG}


async def test_catalogued_failures_never_pause_it(shop: Shop, maker: Maker) -> None:
    events = [event for event in backlog(maker) if event["type"].startswith("salesbinder.invoice")]
    for event in events:
        event["data"]["document"]["document_items"][0]["tax"] = 77
    async with delivering(shop):
        ends = await shop.run(*events)
    assert Counter(ends) == {"tax_rate_unmapped": BACKLOG}
    assert holds(shop, "account_paused") == 0


async def test_half_an_hour_of_server_errors_pauses_it(
    shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    shop.environment = replace(shop.environment, clock_rate=600.0)
    xero.admin.set_clock(rate=600.0)
    xero.admin.fault("unavailable", path="Contacts|Invoices", times=None)
    events = backlog(maker)
    await shop.send(*events)
    async with delivering(shop):
        news = await held(shop, "account_paused")
        assert "nothing but errors of its own (HTTP 503)" in news.reason
        await nothing_runs(shop)
        assert await states(shop) == {"queued": 2 * BACKLOG}
        xero.admin.clear_faults()
        await resume(shop)
        await shop.idle()
    assert await states(shop) == {"completed": 2 * BACKLOG}


async def test_lost_connection_holds_a_backlog(shop: Shop, xero: FakeXeroServer, maker: Maker) -> None:
    """The organisation is disconnected in the middle. One entry says so; nothing fails; all goes on after."""
    xero.admin.limits(minute=1000)
    # From the third call on Xero says what it says once the organisation is disconnected.
    fault = xero.admin.fault(
        "answer", method="PUT", path="Contacts|Invoices", skip=2, times=None, status=403, value=_FORBIDDEN
    )
    events = backlog(maker)
    await shop.send(*events)
    async with delivering(shop):
        news = await held(shop, "connection_lost")
        await nothing_runs(shop)
        xero.admin.connections(disconnect=[shop.tenant_id])
        xero.admin.clear_faults(fault)
        found = await states(shop)
        assert set(found) == {"completed", "queued"} and found["queued"] > BACKLOG / 2
        assert news.remedy.startswith("Connect it again on the page, or with 'sbx connect acme'")
        calls = len(shop.calls())
        await asyncio.sleep(2.0)
        assert len(shop.calls()) == calls
        xero.admin.connections(connect=[shop.tenant_id])
        await connect(shop)
        await shop.idle()
    await assert_went_on(shop)


async def test_refused_credentials_hold_a_backlog(shop: Shop, xero: FakeXeroServer, maker: Maker) -> None:
    """The secret was changed at Xero: no token, no call, no failure, until somebody connects again."""
    xero.admin.limits(minute=1000)
    xero.admin.add_client(xero.client_id, "another secret")
    await shop.send(*backlog(maker))
    async with delivering(shop):
        news = await held(shop, "connection_lost")
        assert news.remedy.startswith("Connect it again on the page, or with 'sbx connect acme'")
        assert await states(shop) == {"queued": 2 * BACKLOG}
        assert shop.calls() == []
        xero.admin.add_client(xero.client_id, xero.client_secret)
        await connect(shop)
        await shop.idle()
    await assert_went_on(shop)


async def assert_went_on(shop: Shop) -> None:
    assert holds(shop, "connection_lost") == 1
    assert await states(shop) == {"completed": 2 * BACKLOG}
    assert {end for _, _, end in await shop.log()} == {"posted"}
    assert len(shop.books["invoices"]) == len(shop.books["contacts"]) == BACKLOG
