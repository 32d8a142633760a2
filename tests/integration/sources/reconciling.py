"""A shop on the fake SalesBinder, its reader, and the comparison with Xero.

The comparison runs in a process of its own, too, which a crash point may kill. Its arguments: the database,
the address of SalesBinder's API, the account.
"""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import psycopg

from contracts.events.reader import read_event
from mappers.commands import to_command
from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sandbox.fake_salesbinder.shop import Shop as FakeShop
from sinks.ledger.intake import take_in
from sources.client import Client
from sources.entries import RESULTS
from sources.events import HEADERS
from sources.reader import Asks, Published, Reader
from sources.reconcile import runs
from sources.reconcile.reconciler import Reconciler
from sources.reconcile.result import Result
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from sources.store import store
from tests.integration.sinks.shops import Shop

LINES = [{"name": "Fitting", "quantity": 2, "price": "50.00", "tax": 8}]
_FREE = "DELETE FROM source.calls"


def invoice(shop: FakeShop, customer: str, **given: Any) -> str:
    """A new invoice of 108.00; returns its id."""
    return acts.create_document(shop, "invoice", customer, LINES, **given)


@asynccontextmanager
async def lease_of(connection: psycopg.AsyncConnection[Any], account: str) -> AsyncIterator[store.Lease]:
    """The account's lease, in the session of this connection."""
    holder = secrets.randbits(62)
    await connection.execute("SELECT pg_advisory_lock(%s)", [holder])
    lease = await store.take_lease(connection, account, holder)
    assert lease is not None
    yield lease
    await store.release_lease(connection, lease)


class Source:
    """The SalesBinder of a connected account: what is read goes to its ledger."""

    def __init__(self, shop: Shop, salesbinder: FakeSalesBinderServer) -> None:
        self.shop, self.salesbinder = shop, salesbinder
        self.fake = salesbinder.world.add_shop(shop.account)
        self.address = salesbinder.api_url.replace("{account}", shop.account)

    async def session(self) -> psycopg.AsyncConnection[Any]:
        url = str(self.shop.environment.database_url)
        return await psycopg.AsyncConnection.connect(url, autocommit=True)

    async def connect(self) -> None:
        async with await self.session() as connection:
            await store.connect(connection, self.shop.account, b"encrypted")

    async def _publish(self, events: Sequence[Published]) -> None:
        commands = []
        for topic, key, value in events:
            if topic != RESULTS:
                self.shop.offset += 1
                event = read_event(topic, key, value, HEADERS)
                commands.append(to_command(event, topic, 0, self.shop.offset))
        async with await self.shop.connect() as connection:
            await take_in(connection, commands)

    async def read(self, key: bytes = b"encrypted", *, waits: bool = True) -> None:
        """Read until nothing is due, and wait until it is in Xero. ``key``: as the account was given it."""
        async with (
            await self.session() as connection,
            Client(self.address, f"{self.shop.account}-key") as client,
            lease_of(connection, self.shop.account) as lease,
        ):
            reader = Reader(connection, lease, client, self._publish, key)
            while (wait := await reader.turn()) < 20:
                if wait:
                    await connection.execute(_FREE)
        if waits:
            await self.shop.idle()

    async def read_changes(self, key: bytes = b"encrypted", *, waits: bool = True) -> None:
        """The same, after a minute."""
        async with await self.session() as connection:
            await connection.execute("UPDATE source.accounts SET hinted_at = clock_timestamp()")
            await connection.execute(_FREE)
        await self.read(key, waits=waits)

    async def reconcile(self, actor: str = "ann", bad: Collection[str] = ()) -> dict[str, Any]:
        """Compare; returns the run. ``bad``: as ``Failing``."""
        async with await self.session() as connection:
            run_id = await runs.ask(connection, self.shop.account, actor)
        await go_on(str(self.shop.environment.database_url), self.address, self.shop.account, bad)
        async with await self.session() as connection:
            return await runs.seen(connection, run_id)

    async def results(self, *, only_differing: bool = False) -> list[Result]:
        async with await self.session() as connection:
            found = runs.results(connection, self.shop.account, only_differing=only_differing)
            return [result async for result, _ in found]

    async def differing(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Reason and fields of each document that differs, by its number."""
        found = await self.results(only_differing=True)
        return {
            each.number: (each.reason.code if each.reason is not None else "", each.compared.fields)
            for each in found
        }


class Failing:
    """Fails at each list and detail that shows one of these records."""

    def __init__(self, client: Asks, bad: Collection[str]) -> None:
        self.client, self.bad = client, bad

    async def ask(self, question: Question) -> Answer:
        answer = await self.client.ask(question)
        shows = any(each.encode() in answer.body for each in self.bad)
        return replace(answer, status=503, body=b"") if shows else answer


async def go_on(database_url: str, address: str, account: str, bad: Collection[str] = ()) -> None:
    """Take the steps of the comparison that is under way, until it has ended; ``bad``: as ``Failing``."""
    connection = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async with (
        connection,
        Client(address, f"{account}-key") as client,
        lease_of(connection, account) as lease,
    ):
        reconciler = Reconciler(connection, lease, Failing(client, bad))
        async with asyncio.timeout(240):
            while await runs.under_way(connection, account) is not None:
                if await reconciler.turn():
                    await connection.execute(_FREE)
                    await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(go_on(sys.argv[1], sys.argv[2], sys.argv[3]))
