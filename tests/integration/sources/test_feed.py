"""Following the change feed of version 3 on a real database, against the fake SalesBinder."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from runtime.environment import Environment
from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sbx.actions import source
from sbx.actions.actors import OneConnection
from sbx.actions.refused import ActionRefused
from sources import follower as module
from sources import worker
from sources.feed import Changes, FeedTrouble
from sources.follower import Follower
from sources.reader import Published
from sources.schedule import layers
from sources.store import feeds, store
from sources.worker import Worker
from tests.integration.sources.test_source_commands import (
    ACCOUNT,
    ME,
    environment,
    salesbinder,
    session,
)

__all__ = ["environment", "salesbinder"]
SB3 = "sb_live_acme-key"
HOUR = timedelta(hours=1)
ID = "14691a1c-589c-4e50-b8f8-948f9991d1f1"


class Stub:
    """A feed that tells what is put into it."""

    def __init__(self, *told: Changes | FeedTrouble) -> None:
        self.told = [*told]
        self.asked: list[str | None] = []

    async def changes(self, cursor: str | None) -> Changes:
        self.asked.append(cursor)
        found = self.told.pop(0)
        if isinstance(found, FeedTrouble):
            raise found
        return found


async def rows(connection: Any, query: str) -> list[Any]:
    return list(await (await connection.execute(query)).fetchall())


async def followed(connection: Any, *told: Changes | FeedTrouble) -> Follower:
    await store.connect(connection, ACCOUNT, b"encrypted")
    await feeds.connect(connection, ACCOUNT, b"k3")
    return Follower(connection, ACCOUNT, Stub(*told), b"k3")


async def test_what_the_feed_names_is_looked_at_first(environment: Environment) -> None:
    async with await session(environment) as connection:
        follower = await followed(
            connection, Changes((), "c1", False), Changes((ID,), "c2", True), Changes((), None, True),
            Changes((), "c9", False),
        )  # fmt: skip
        assert await follower.turn() == 15.0
        assert await rows(connection, "SELECT hinted_at FROM source.accounts") == [(None,)]
        assert await follower.turn() == 1.0
        assert await rows(connection, "SELECT record_id, why FROM source.wanted") == [(ID, "hint")]
        await connection.execute("UPDATE source.accounts SET hinted_at = NULL")
        # A cursor that is too old: it begins again, and the lists are looked at for what it did not tell.
        assert await follower.turn() == 1.0
        [(hinted,)] = await rows(connection, "SELECT hinted_at FROM source.accounts")
        assert hinted is not None
        assert await follower.turn() == 15.0
        assert follower._feed.asked == [None, "c1", "c2", None]  # type: ignore[attr-defined]
        assert await rows(connection, "SELECT cursor, last_at IS NULL FROM source.feeds") == [("c9", False)]


async def test_trouble_is_waited_out_longer_each_time_and_over_with_the_next_answer(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await session(environment) as connection:
        bad = FeedTrouble("it is away")
        slow = FeedTrouble("the key is refused", module._LONGEST)
        follower = await followed(connection, bad, bad, slow, Changes((), "c1", False))
        assert await follower.turn() == 30.0
        wait = await follower.turn()
        assert wait is not None and 25 < wait <= 30
        for expected in (60.0, 600.0):
            await connection.execute("UPDATE source.feeds SET held_until = NULL")
            assert await follower.turn() == expected
        [found] = await source.standing(connection, ME)
        assert found.feed is not None and found.feed.trouble == "the key is refused"
        assert found.trouble is None
        await connection.execute("UPDATE source.feeds SET held_until = NULL")
        assert await follower.turn() == 15.0
        [found] = await source.standing(connection, ME)
        assert found.feed is not None and (found.feed.trouble, found.feed.last_at is None) == ("", False)
        await feeds.connect(connection, ACCOUNT, b"another")
        assert await follower.turn() is None


async def test_it_is_off_until_a_key_is_given_that_works(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    async with await session(environment) as connection:
        database = OneConnection(connection)
        with pytest.raises(ActionRefused, match="not connected"):
            await source.follow_feed(database, environment, ME, ACCOUNT, SB3)
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        for wrong, said in (("sb_live_no", "refuses the key"), ("two words", "blank")):
            with pytest.raises(ActionRefused, match=said):
                await source.follow_feed(database, environment, ME, ACCOUNT, wrong)
        assert await feeds.keys(connection) == {}
        [found] = await source.standing(connection, ME)
        assert found.feed is None
        await source.follow_feed(database, environment, ME, ACCOUNT, SB3)
        [key] = (await feeds.keys(connection)).values()
        assert SB3.encode() not in key
        assert await source.leave_feed(database, ME, ACCOUNT)
        assert not await source.leave_feed(database, ME, ACCOUNT)
        done = await rows(connection, "SELECT act, target ->> 'feed' FROM web.acts ORDER BY id")
        assert done == [("source_connect", None)] + [("source_feed", to) for to in ("on", "off", "off")]


async def until(condition: Any) -> None:
    give_up = time.monotonic() + 60
    while not await condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.2)


async def test_a_hint_wakes_an_idle_reader(
    environment: Environment, salesbinder: FakeSalesBinderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name="Widgets & Co")
    monkeypatch.setattr(worker, "_IDLE_LONGEST", 1000.0)
    rare = {each: layers.Pace(HOUR, HOUR, pace.overlap) for each, pace in layers.PACES.items()}
    monkeypatch.setattr(layers, "PACES", rare)

    async def publish(events: Sequence[Published]) -> None:
        del events

    async with await session(environment) as connection:
        await source.connect(OneConnection(connection), environment, ME, ACCOUNT, "acme-key")
        stop = asyncio.Event()
        working = asyncio.create_task(Worker(environment, publish).run(stop))

        async def is_idle() -> bool:
            """Each layer of each list was read once: nothing is due within the hour."""
            [(count,)] = await rows(
                connection, "SELECT count(*) FROM source.scans WHERE finished IS NOT NULL"
            )
            return bool(count == sum(len(listings) for listings in layers.LISTINGS.values()) - 2)

        async def is_read() -> bool:
            return any(invoice in each.path for each in salesbinder.world.calls)

        try:
            # Without "open", which begins once a status was seen.
            await until(is_idle)
            invoice = acts.create_document(shop, "invoice", customer, [{"name": "A", "price": 100}])
            await asyncio.sleep(1.5)
            assert not await is_read()
            assert await store.hint(connection, ACCOUNT, [invoice])
            await until(is_read)
        finally:
            stop.set()
            await working


async def test_a_worker_follows_the_feed_of_an_account_that_has_one(
    environment: Environment, salesbinder: FakeSalesBinderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name="Widgets & Co")

    async def publish(events: Sequence[Published]) -> None:
        del events

    def calls() -> list[str]:
        return [each.path for each in salesbinder.world.calls if "api/v3" in each.path]

    async with await session(environment) as connection:
        database = OneConnection(connection)
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        stop = asyncio.Event()
        working = asyncio.create_task(Worker(environment, publish).run(stop))

        async def stock_is_taken() -> bool:
            [found] = await source.standing(connection, ME)
            return found.stock_is_taken

        async def is_hinted() -> bool:
            return await rows(connection, "SELECT hinted_at IS NOT NULL FROM source.accounts") == [(True,)]

        async def is_told() -> bool:
            kept = await rows(connection, "SELECT record_id FROM source.records")
            return (invoice,) in kept

        async def is_followed() -> bool:
            [found] = await source.standing(connection, ME)
            return found.feed is not None and found.feed.last_at is not None

        try:
            await until(stock_is_taken)
            assert calls() == []
            monkeypatch.setattr(module, "EVERY", module._MORE)
            await source.follow_feed(database, environment, ME, ACCOUNT, SB3)
            await until(is_followed)
            assert not await is_hinted()
            invoice = acts.create_document(shop, "invoice", customer, [{"name": "A", "price": 100}])
            await until(is_hinted)
            await until(is_told)
            await source.leave_feed(database, ME, ACCOUNT)
            await asyncio.sleep(2.5)
            asked = len(calls())
            await asyncio.sleep(2.5)
            assert len(calls()) == asked
        finally:
            stop.set()
            await working
