"""Deliver workers that join, die, freeze and are replaced one by one, while accounts are busy: no account is
without a worker for longer than a moment, and the books have everything once.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import psycopg
import pytest

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop
from tests.reliability.crashing import PATIENCE, Worker, new_shop
from tests.reliability.sales import assert_books_hold, sales

pytestmark = pytest.mark.reliability

ACCOUNTS = 6
CALL_SECONDS = 2.0
GAP = 1.0 + CALL_SECONDS
"""Seconds that an account may be without a worker on a machine that is busy with other tests, too."""

_WITHOUT = b"""
WITH living AS MATERIALIZED (SELECT (classid::bigint << 32) + objid::bigint AS holder FROM pg_locks
                             WHERE locktype = 'advisory' AND objsubid = 1 AND granted)
SELECT DISTINCT account FROM ledger.commands c WHERE state IN ('queued', 'running') AND NOT EXISTS (
    SELECT 1 FROM ledger.leases l JOIN living USING (holder)
    WHERE l.account = c.account AND l.expires_at > clock_timestamp())
"""


@dataclass
class Gaps:
    """For how long accounts with work have been without a worker at a time."""

    longest: float = 0.0
    _since: dict[str, float] = field(default_factory=dict)

    async def watch(self, url: str) -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while True:
                without = {row[0] for row in await (await connection.execute(_WITHOUT)).fetchall()}
                now = time.monotonic()
                self._since = {account: self._since.get(account, now) for account in without}
                self.longest = max([self.longest, *(now - since for since in self._since.values())])
                await asyncio.sleep(0.02)

    def forget(self) -> float:
        """Begin again; the longest so far."""
        longest, self.longest = self.longest, 0.0
        return longest


@pytest.fixture
async def shops(environment: Environment, fake: FakeXeroServer) -> AsyncIterator[list[Shop]]:
    """Busy accounts: a sale a second each, whose three calls take some seconds together."""
    found = [await new_shop(environment, fake) for _ in range(ACCOUNTS)]
    fake.admin.fault("latency", seconds=CALL_SECONDS, times=None)
    yield found
    fake.admin.clear_faults()


async def sell(shop: Shop, stop: asyncio.Event) -> int:
    maker = Maker(shop.account)
    for number in count(1):
        await shop.send(*sales(maker, 1, first=number))
        if stop.is_set():
            return number
        await asyncio.sleep(1.0)
    raise AssertionError


async def divided(shop: Shop, *wanted: int) -> float:
    """Wait until so many accounts are with each of the workers that live; how long that took. On a busy
    machine calls outlast the moment that an account waits for them before it is given; that is tried again.
    """
    began = time.monotonic()
    found: list[int] = []
    async with asyncio.timeout(PATIENCE):
        while found != sorted(wanted):
            await asyncio.sleep(0.05)
            rows = await shop.rows(
                "SELECT holder FROM ledger.leases WHERE expires_at > now() AND EXISTS (SELECT FROM pg_locks "
                "WHERE locktype = 'advisory' AND objsubid = 1 "
                "AND (classid::bigint << 32) + objid::bigint = holder)"
            )
            found = sorted(Counter(row["holder"] for row in rows).values())
    return time.monotonic() - began


async def test_join_kill_freeze_and_rolling_restart(
    environment: Environment, shops: list[Shop], fake: FakeXeroServer
) -> None:
    shop, gaps, stop = shops[0], Gaps(), asyncio.Event()
    took: dict[str, tuple[float, float]] = {}
    workers = [Worker(environment) for _ in range(5)]
    watching = asyncio.create_task(gaps.watch(str(environment.database_url)))
    selling = [asyncio.create_task(sell(one, stop)) for one in shops]

    async def then(what: str, *wanted: int) -> None:
        took[what] = await divided(shop, *wanted), gaps.forget()

    try:
        first, second, third, fourth, fifth = workers
        first.go()
        await divided(shop, 6)
        gaps.forget()
        second.go()
        await then("join", 3, 3)
        first.kill()
        await then("kill", 6)
        third.go()
        await then("join again", 3, 3)
        await asyncio.sleep(3)
        await freeze_between_transactions(shop, third)
        await time_passes(shop, third)
        await then("freeze", 6)
        os.kill(third.pid, signal.SIGCONT)
        await then("goes on", 3, 3)
        fourth.go()
        await then("third joins", 2, 2, 2)
        second.stop()
        await then("first one replaced", 3, 3)
        fifth.go()
        await then("another joins", 2, 2, 2)
        third.stop()
        await then("all replaced", 3, 3)
        stop.set()
        sold = await asyncio.gather(*selling)
        fake.admin.clear_faults()
        for one in shops:
            await one.idle(120)
        fourth.stop()
        fifth.stop()
    finally:
        watching.cancel()
        for worker in workers:
            worker.kill()
    print({what: f"divided in {seconds:.1f} s, gap {gap:.2f} s" for what, (seconds, gap) in took.items()})
    assert {what: gap for what, (_, gap) in took.items() if gap > GAP} == {}
    for one, number in zip(shops, sold, strict=True):
        assert_books_hold(one, number)


async def time_passes(shop: Shop, frozen: Worker) -> None:
    """It has said nothing for so long that its leases are over, rather than waiting for that."""
    [row] = await shop.rows(
        "UPDATE ledger.workers SET seen_at = now() - interval '70 seconds' WHERE name LIKE %s "
        "RETURNING holder",
        f"%:{frozen.pid}",
    )
    expired = "UPDATE ledger.leases SET expires_at = now() WHERE holder = %s RETURNING 1"
    assert await shop.rows(expired, row["holder"])


async def freeze_between_transactions(shop: Shop, worker: Worker) -> None:
    """One that freezes within a transaction keeps that account until the database ends it, in a minute."""
    while True:
        os.kill(worker.pid, signal.SIGSTOP)
        own = (
            "SELECT 1 FROM ledger.leases JOIN ledger.workers USING (holder) "
            "WHERE name LIKE %s AND expires_at > now() "
        )
        free = await shop.rows(own + "FOR UPDATE OF leases SKIP LOCKED", f"%:{worker.pid}")
        if len(free) == len(await shop.rows(own, f"%:{worker.pid}")):
            return
        os.kill(worker.pid, signal.SIGCONT)
        await asyncio.sleep(0.05)
