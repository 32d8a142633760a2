"""Publishing while the broker is away: the lease is kept, nothing is sent twice, no transaction waits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from sources import reader as module
from sources.reader import Published, Reader
from sources.schedule.choice import Standing
from sources.store import keeping, store
from sources.store.store import Account, Lease, LeaseLost
from tests.unit.sources.records import NOON

EVENT: Published = ("salesbinder.invoices", b"acme/1", b"{}")


class Stub:
    """An outbox and a lease without a database."""

    def __init__(self, events: int) -> None:
        self.outbox = [(number, *EVENT) for number in range(events)]
        self.is_open = False
        self.opened = 0
        self.lost = False
        self.looks = 0

    @asynccontextmanager
    async def fenced(self, connection: Any, lease: Lease) -> AsyncIterator[None]:
        del connection, lease
        self.opened += 1
        if self.lost:
            raise LeaseLost("acme")
        self.is_open = True
        yield
        self.is_open = False

    async def to_tell(self, connection: Any, account: str, limit: int) -> list[tuple[int, str, bytes, bytes]]:
        self.looks += 1
        return self.outbox[:limit]

    async def load(self, connection: Any, account: str) -> Account:
        """An account that is not to be asked anything."""
        assert self.is_open
        standing = Standing([], [], {}, {}, [], {}, blocked_until=NOON + timedelta(minutes=1))
        return Account(NOON, b"key", None, "correction", 0, 0, 0, standing, {})

    async def told(self, connection: Any, ids: Sequence[int]) -> None:
        assert self.is_open
        self.outbox = [row for row in self.outbox if row[0] not in ids]


class Broker:
    """A broker that is away until it is told to answer."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.answers = asyncio.Event()
        self.error: Exception | None = None
        self.batches: list[int] = []
        self.left = 0

    async def publish(self, events: Sequence[Published]) -> None:
        assert not self.stub.is_open, "a transaction waits for the broker"
        self.batches.append(len(events))
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            self.left += 1
            raise
        if self.error is not None:
            raise self.error


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    stub = Stub(3)
    for at, names in ((store, ("fenced", "load")), (keeping, ("to_tell", "told"))):
        for name in names:
            monkeypatch.setattr(at, name, getattr(stub, name))
    monkeypatch.setattr(module, "_RENEW_EVERY", 0.02)
    return stub


def reader_of(broker: Broker) -> Reader:
    nothing: Any = None
    return Reader(nothing, Lease("acme", 1, 1), nothing, broker.publish, b"key")


async def test_the_lease_is_renewed_for_as_long_as_the_broker_is_away(stub: Stub) -> None:
    broker = Broker(stub)
    publishing = asyncio.create_task(reader_of(broker).publish())
    async with asyncio.timeout(30):
        while stub.opened < 6:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (broker.batches, len(stub.outbox)) == ([3], 3)
    broker.answers.set()
    await asyncio.wait_for(publishing, 30)
    assert (broker.batches, stub.outbox) == ([3], [])


async def test_who_lost_the_lease_meanwhile_removes_nothing(stub: Stub) -> None:
    broker = Broker(stub)
    publishing = asyncio.create_task(reader_of(broker).publish())
    await asyncio.sleep(0.1)
    stub.lost = True
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(publishing, 30)
    await asyncio.sleep(0)
    assert (broker.left, len(stub.outbox)) == (1, 3)


async def test_what_the_broker_refuses_stays_in_the_outbox(stub: Stub) -> None:
    broker = Broker(stub)
    broker.error = ConnectionError("refused")
    broker.answers.set()
    with pytest.raises(ConnectionError, match="refused"):
        await reader_of(broker).publish()
    assert len(stub.outbox) == 3


async def test_a_reader_that_is_ended_waits_no_longer(stub: Stub) -> None:
    broker = Broker(stub)
    publishing = asyncio.create_task(reader_of(broker).publish())
    await asyncio.sleep(0.1)
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(publishing, 30)
    await asyncio.sleep(0)
    assert (broker.left, len(stub.outbox)) == (1, 3)


async def test_what_a_reader_before_left_is_told_first_and_then_the_outbox_is_left_alone(stub: Stub) -> None:
    broker = Broker(stub)
    broker.answers.set()
    reader = reader_of(broker)
    assert await reader.turn() == 60.0
    assert (broker.batches, stub.outbox, stub.looks) == ([3], [], 1)
    assert await reader.turn() == 60.0
    assert stub.looks == 1, "nothing was told since"


async def test_what_could_not_be_published_is_tried_again_before_anything_is_asked(stub: Stub) -> None:
    broker = Broker(stub)
    broker.error = ConnectionError("refused")
    broker.answers.set()
    reader = reader_of(broker)
    for _ in range(2):
        with pytest.raises(ConnectionError, match="refused"):
            await reader.turn()
    broker.error = None
    assert await reader.turn() == 60.0
    assert (broker.batches, stub.outbox) == ([3, 3, 3], [])
