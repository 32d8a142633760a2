"""Workers without lanes: they look, take and give accounts as those with lanes do."""

import asyncio
from collections import Counter
from random import Random

import psycopg

from runtime.database import fetch_all
from sinks.lanes.division import share
from sinks.lanes.leasing import Lanes, Leasing
from sinks.ledger import leases
from sinks.ledger.store import Connection, Lease
from tests.integration.sinks.shops import Maker, Shop

LONG = 100.0
"""Seconds since anything that is younger than a worker's patience."""


class Desk:
    """A worker without lanes: it looks, takes and gives as one with lanes does."""

    def __init__(self, url: str, connection: Connection, holder: int) -> None:
        self._url = url
        self.connection = connection
        self.holder = holder
        self.leasing = Leasing(holder)
        self.had: dict[str, Lease] = {}
        self.since: dict[str, float] = {}
        self.gave = 0

    @classmethod
    async def open(cls, url: str, holder: int) -> "Desk":
        desk = cls(url, await psycopg.AsyncConnection.connect(url, autocommit=True), holder)
        await desk.connection.execute("SELECT pg_advisory_lock(%s)", [holder])
        await desk.beat()
        return desk

    async def beat(self) -> None:
        """Say that it lives, or after some seconds of a busy machine it has no share any more."""
        await leases.beat(self.connection, self.holder, f"desk {self.holder}")

    async def look(self, now: float, *, older: float = LONG) -> bool:
        """Look, and do what is to be done. True when anything was taken or given.

        Args:
            older: seconds by which lanes are older than they are.
        """
        await self.beat()
        lanes = Lanes({account: now - self.since[account] + older for account in self.had})
        async with self.connection.transaction():
            decision = await self.leasing.decide(self.connection, lanes, now)
            taken = await leases.take(self.connection, decision.take, self.holder, 70.0)
        self.had |= {lease.account: lease for lease in taken}
        self.since |= {lease.account: now for lease in taken}
        for account in decision.give:
            await leases.give_back(self.connection, self.had.pop(account))
            self.gave += 1
        return bool(taken or decision.give)

    async def leave(self) -> None:
        await leases.leave(self.connection, self.holder)
        for lease in self.had.values():
            await leases.give_back(self.connection, lease)
        self.had.clear()
        await self.die()

    async def die(self) -> None:
        """End the session; the server takes a moment to notice."""
        await self.connection.close()
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as other:
            while await (await other.execute(_HELD, [self.holder])).fetchone():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


class EarlierDesk(Desk):
    """A worker of the version before: it takes all that it finds, gives nothing and says nothing."""

    @classmethod
    async def open(cls, url: str, holder: int) -> "EarlierDesk":
        desk = cls(url, await psycopg.AsyncConnection.connect(url, autocommit=True), holder)
        await desk.connection.execute("SELECT pg_advisory_lock(%s)", [holder])
        return desk

    async def look(self, now: float, *, older: float = LONG) -> bool:
        rows = await fetch_all(self.connection, _WITH_WORK, None)
        wanted = {row["account"] for row in rows} - self.had.keys()
        async with self.connection.transaction():
            taken = await leases.take(self.connection, wanted, self.holder, 70.0)
        self.had |= {lease.account: lease for lease in taken}
        return bool(taken)


_WITH_WORK = "SELECT DISTINCT account FROM ledger.commands WHERE state IN ('queued', 'running')"
_HELD = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND objid = %s"


class Desks:
    """Several of them on one ledger."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.living: list[Desk] = []
        self.earlier: list[EarlierDesk] = []
        self.now = 1000.0
        self._next = 1

    async def join(self, count: int = 1) -> None:
        for _ in range(count):
            self.living.append(await Desk.open(str(self.shop.environment.database_url), self._next))
            self._next += 1

    async def join_earlier(self) -> "EarlierDesk":
        """One of the version before, whose looks are its own affair."""
        url, holder = str(self.shop.environment.database_url), 101 + len(self.earlier)
        self.earlier.append(await EarlierDesk.open(url, holder))
        return self.earlier[-1]

    async def settle(self, seed: int = 0) -> None:
        """Looks of all, in any order, until nothing changes any more."""
        chance = Random(seed)
        for _ in range(1000):
            self.now += 0.01  # each look is soon after the one before: nobody's patience ends
            changed = [await desk.look(self.now) for desk in chance.sample(self.living, len(self.living))]
            if not any(changed):
                return
        raise AssertionError(f"never at rest: {[len(desk.had) for desk in self.living]}")

    async def fair(self, accounts: int) -> None:
        """Each account is one worker's, and none has more than its share."""
        rows = await self.shop.rows("SELECT account, holder FROM ledger.leases WHERE expires_at > now()")
        held = Counter(row["holder"] for row in rows if row["holder"] in {d.holder for d in self.living})
        assert held.total() == accounts
        counts = [held[desk.holder] for desk in self.living]
        assert max(counts) <= share(accounts, len(self.living))
        assert max(counts) - min(counts) <= 1
        assert {desk.holder: len(desk.had) for desk in self.living if desk.had} == dict(held)

    @property
    def gave(self) -> int:
        return sum(desk.gave for desk in self.living)


async def backlog(shop: Shop, accounts: int, commands: int = 1) -> None:
    """Accounts that have had something to do for a minute."""
    makers = [Maker(f"shop-{number:03}") for number in range(accounts)]
    for _ in range(commands):
        await shop.send(*(make.contact("created", make.customer()) for make in makers))
    await shop.rows("UPDATE ledger.commands SET queued_at = now() - interval '1 minute' RETURNING 1")
