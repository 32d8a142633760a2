"""Batches hold what waits, in order, are acknowledged once handled, and leave out what a rebalance took."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from types import SimpleNamespace
from typing import Any

from streams.batching import BATCH, batches

_GENERATION = 7


class _Stream:
    """As much of a Faust stream as batches are made of: one message a turn, the rest in its queue."""

    def __init__(self) -> None:
        self.enable_acks = True
        self.acked: list[int] = []
        self.tracked: list[int] = []
        self.stopped = asyncio.Event()
        self.channel = SimpleNamespace(queue=asyncio.Queue[Any]())
        self.app = SimpleNamespace(
            consumer_generation_id=_GENERATION,
            flow_control=SimpleNamespace(is_active=lambda: True),
            consumer=SimpleNamespace(track_message=lambda message: self.tracked.append(message.offset)),
        )

    def put(self, offsets: range, generation: int = _GENERATION) -> None:
        for offset in offsets:
            message = SimpleNamespace(offset=offset, generation_id=generation, tracked=False)
            self.channel.queue.put_nowait(SimpleNamespace(message=message))

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield await self.channel.queue.get()

    def add_future(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        return asyncio.ensure_future(work)

    async def wait_for_stopped(self, event: asyncio.Event) -> bool:
        waited = [asyncio.ensure_future(e.wait()) for e in (self.stopped, event)]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for one in waited:
            one.cancel()
        return self.stopped.is_set()

    async def ack(self, event: Any) -> None:
        self.acked.append(event.message.offset)


async def test_a_batch_is_acknowledged_when_the_next_one_is_asked_for() -> None:
    stream = _Stream()
    stream.put(range(40))
    made = batches(stream)
    batch = await anext(made)
    assert [event.message.offset for event in batch] == list(range(40))
    assert not stream.acked
    assert not stream.enable_acks
    stream.put(range(40, 41))
    await anext(made)
    assert stream.acked == list(range(40))
    await made.aclose()


async def test_no_batch_is_larger_than_the_largest_and_none_is_lost() -> None:
    stream = _Stream()
    stream.put(range(2 * BATCH + 10))
    seen: list[int] = []
    async for batch in batches(stream):
        assert len(batch) <= BATCH
        seen += [event.message.offset for event in batch]
        if len(seen) == 2 * BATCH + 10:
            stream.stopped.set()
    assert seen == stream.acked == list(range(2 * BATCH + 10))


async def test_what_came_before_a_rebalance_is_left_to_whoever_reads_it_again() -> None:
    stream = _Stream()
    stream.put(range(1))  # the first one of a turn is the stream's own to judge
    stream.put(range(1, 5), _GENERATION - 1)
    stream.put(range(5, 8))
    batch = await anext(made := batches(stream))
    assert [event.message.offset for event in batch] == [0, 5, 6, 7]
    assert stream.tracked == [5, 6, 7]
    await made.aclose()


async def test_the_next_batch_is_read_while_one_is_handled() -> None:
    stream = _Stream()
    stream.put(range(1))
    made = batches(stream)
    await anext(made)
    for offset in range(1, 30):  # one at a time, as they come beside other work
        stream.put(range(offset, offset + 1))
        await asyncio.sleep(0)
    assert len(await anext(made)) == 29
    await made.aclose()
