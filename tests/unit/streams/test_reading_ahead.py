"""A stage in a backlog: when the second reader starts and ends, and what the stage then handles in which
order. Its consumer and the second one read the same partition, kept here as a list.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from streams import faust_app, reading_ahead
from streams.ahead import SHARE, account_of
from streams.batches import Unreadable
from streams.batching import BATCH
from streams.faust_app import StageSpec, consume
from streams.fetching import Allowance
from streams.liveness import Liveness
from streams.reading_ahead import BEHIND, PART, ReadingAhead
from streams.records import Record

PLACE = TopicPartition("xero.commands", 3)


class Partition:
    """What is on the partition, and the second consumer of it."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.trouble: Exception | None = None
        self.looked_through = threading.Event()
        self.connects_in = 0.0
        self.removed = 0
        """Offsets below are gone."""
        self.paused: list[TopicPartition] = []
        self.opened = 0
        self.closed = 0

    def put(self, account: str, count: int, value: bytes = b"v") -> None:
        for _ in range(count):
            offset = len(self.messages)
            key = f"{account}/{offset % 5}".encode()
            self.messages.append(
                SimpleNamespace(
                    topic=PLACE.topic, partition=PLACE.partition, offset=offset, key=key, value=value,
                    headers=(), timestamp=1_772_000_000_000, generation_id=1, tracked=False,
                )
            )  # fmt: skip

    def consumer(self, _app: object, allowance: Allowance) -> "Consumer":
        self.opened += 1
        return Consumer(self, allowance)


class Consumer:
    def __init__(self, partition: Partition, allowance: Allowance) -> None:
        self._partition = partition
        self._allowance = allowance
        self._at = 0

    async def start(self) -> None:
        await asyncio.sleep(self._partition.connects_in)
        if self._partition.trouble is not None:
            raise self._partition.trouble

    async def stop(self) -> None:
        self._partition.closed += 1

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        assert list(partitions) == [PLACE]

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition == PLACE
        self._at = offset

    def pause(self, *partitions: TopicPartition) -> None:
        self._partition.paused += partitions

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        assert self._allowance.left > 0
        if self._partition.paused:
            await asyncio.sleep(timeout_ms / 1000)
            return {}
        if self._at < self._partition.removed:
            raise OffsetOutOfRangeError({PLACE: self._at})
        found = self._partition.messages[self._at : self._at + max_records]
        self._at += len(found)
        if not found:
            self._partition.looked_through.set()
            await asyncio.sleep(timeout_ms / 1000)
        return {PLACE: found} if found else {}


@pytest.fixture
def partition(monkeypatch: pytest.MonkeyPatch) -> Partition:
    made = Partition()
    monkeypatch.setattr(reading_ahead, "second_consumer", made.consumer)
    monkeypatch.setattr(reading_ahead, "admin_of", lambda _: nullcontext())
    monkeypatch.setattr(reading_ahead, "committed_offsets", lambda *_: {PLACE: 0})
    monkeypatch.setattr(reading_ahead, "_POLL_MS", 10)
    monkeypatch.setattr(reading_ahead, "BEHIND_SECONDS", 0.0)
    return made


class App:
    """As much of a Faust app as a stage is made of."""

    def __init__(self) -> None:
        self.conf = SimpleNamespace(id="sbx-deliver")
        self.monitor = SimpleNamespace(tp_end_offsets={})
        self.consumer_generation_id = 1
        self.assigned = {PLACE}
        self.consumer = SimpleNamespace(assignment=lambda: self.assigned)
        self.handled: Callable[[Any], Any]

    def topic(self, *_: object, **__: object) -> None:
        """Nothing: the stream is given to the agent."""

    def agent(self, *_: object, **__: object) -> Callable[[Callable[[Any], Any]], None]:
        def decorator(handled: Callable[[Any], Any]) -> None:
            self.handled = handled

        return decorator


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def ahead(app: App) -> Iterator[ReadingAhead]:
    made = ReadingAhead(app, {})
    yield made
    asyncio.run(made.close())


def place(offset: int) -> list[tuple[tuple[str, int], int]]:
    return [((PLACE.topic, PLACE.partition), offset)]


def eventually(holds: Callable[[], object]) -> None:
    give_up = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def fall_behind(app: App, ahead: ReadingAhead, partition: Partition) -> None:
    """Handle the first message of a long backlog, and look at the second one."""
    app.monitor.tp_end_offsets[PLACE] = len(partition.messages)
    ahead._look(place(0))  # the assignment is new
    ahead.passed(place(0))
    ahead._look(place(1))


def next_turn(ahead: ReadingAhead) -> list[Record]:
    give_up = time.monotonic() + 20
    while not (found := ahead.turn()):
        assert time.monotonic() < give_up
        time.sleep(0.005)
    ahead.handled(found)
    return found


def test_nothing_is_read_ahead_without_a_backlog(app: App, ahead: ReadingAhead, partition: Partition) -> None:
    partition.put("flood", BEHIND)
    fall_behind(app, ahead, partition)
    assert partition.opened == 0
    assert ahead.turn() == []
    partition.put("flood", 1)
    app.monitor.tp_end_offsets[PLACE] = len(partition.messages)
    ahead._look(place(1))
    eventually(lambda: partition.opened == 1)


def test_a_short_backlog_is_none(
    app: App, ahead: ReadingAhead, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_ahead, "BEHIND_SECONDS", 60.0)
    partition.put("flood", 5 * BEHIND)
    fall_behind(app, ahead, partition)
    ahead._look(place(1))
    assert ahead._reader is None


def test_reader_begins_at_the_committed_offset_and_ends_with_the_backlog(
    app: App, ahead: ReadingAhead, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_ahead, "committed_offsets", lambda *_: {PLACE: 2000})
    monkeypatch.setattr(reading_ahead, "_CLOSE_SECONDS", 0.3)
    partition.put("flood", 2000)
    partition.put("other", 150)
    fall_behind(app, ahead, partition)
    assert [record.offset for record in next_turn(ahead)] == list(range(2000, 2100))
    reader = ahead._reader
    assert reader is not None
    time.sleep(0.5)
    assert reader.is_alive(), "the consumer is far behind"

    ahead.passed(place(2140))
    partition.put("other", 3)
    eventually(lambda: not reader.is_alive())
    assert partition.closed == 1
    assert not reader.failed
    app.monitor.tp_end_offsets[PLACE] = 5000
    ahead._look(place(2141))
    assert ahead._reader is None
    ahead._look(place(2141))
    assert ahead._reader is not None, "the next backlog is read again at once"


def test_a_slow_connection_is_no_end_of_the_backlog(
    app: App, ahead: ReadingAhead, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_ahead, "_CLOSE_SECONDS", 0.2)
    partition.connects_in = 0.5
    partition.put("flood", 2000)
    fall_behind(app, ahead, partition)
    assert next_turn(ahead)


@pytest.mark.parametrize("change", ["generation", "assignment", "offset"])
def test_what_is_known_of_another_assignment_is_forgotten(
    app: App, ahead: ReadingAhead, partition: Partition, change: str
) -> None:
    partition.put("flood", 2000)
    partition.put("other", 3)
    fall_behind(app, ahead, partition)
    found = [record for record in next_turn(ahead) if account_of(record.key) == b"other"]
    assert ahead.rest_of(found) == []
    ahead.passed(place(1))
    if change == "generation":
        app.consumer_generation_id += 1
    elif change == "assignment":
        app.assigned = {PLACE, TopicPartition("xero.commands", 4)}
    ahead._look(place(1 if change == "offset" else 2))
    assert ahead._reader is None
    assert ahead.rest_of(found) == found
    assert ahead.turn() == []


def test_what_the_consumer_has_done_since_the_last_commit_is_not_handled_again(
    app: App, ahead: ReadingAhead, partition: Partition
) -> None:
    partition.put("flood", 2000)
    fall_behind(app, ahead, partition)
    assert next_turn(ahead)[0].offset == 1


def test_trouble_ends_the_reading_ahead_and_nothing_else(
    app: App, ahead: ReadingAhead, partition: Partition
) -> None:
    partition.put("flood", 2000)
    partition.trouble = KafkaConnectionError()
    fall_behind(app, ahead, partition)
    reader = ahead._reader
    assert reader is not None
    eventually(lambda: not reader.is_alive())
    assert reader.failed
    assert partition.closed == 1
    for _ in range(3):
        ahead._look(place(1))
        assert ahead._reader is None, "not again before a while"


def test_where_offsets_were_removed_the_reading_ahead_ends(
    app: App, ahead: ReadingAhead, partition: Partition
) -> None:
    """The consumer may hold what was removed, and has to handle it first."""
    partition.put("flood", 2000)
    partition.removed = 1000
    fall_behind(app, ahead, partition)
    eventually(lambda: partition.paused == [PLACE])
    assert ahead.turn() == []
    assert ahead._reader is not None
    assert ahead._reader.is_alive()
    assert not ahead._reader.failed


def test_nothing_goes_ahead_of_what_cannot_be_read(
    app: App, ahead: ReadingAhead, partition: Partition
) -> None:
    partition.put("flood", 2000)
    partition.put("other", 1)
    partition.messages[2000].value = Unreadable.of(b"?", 1999, "its checksum is wrong")
    partition.put("other", 1)
    fall_behind(app, ahead, partition)
    found = next_turn(ahead)
    assert {account_of(record.key) for record in found} == {b"flood"}


def test_those_with_more_than_their_share_are_looked_for_again(
    app: App, ahead: ReadingAhead, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_ahead, "_LOOK_AGAIN_SECONDS", 0.05)
    partition.put("flood", 3000)
    partition.put("other", 2 * SHARE + 7)
    fall_behind(app, ahead, partition)
    others: list[int] = []
    while len(others) < 2 * SHARE + 7:
        others += [record.offset for record in next_turn(ahead) if account_of(record.key) == b"other"]
    assert others == list(range(3000, 3000 + 2 * SHARE + 7))


class Stream:
    """The stage's own stream, which brings the partition's messages in their order."""

    def __init__(self, app: App, partition: Partition) -> None:
        self.enable_acks = True
        self.acked: list[int] = []
        self._ended = asyncio.Event()
        self._count = len(partition.messages)
        self.channel = SimpleNamespace(queue=asyncio.Queue[Any]())
        self.app = SimpleNamespace(
            consumer_generation_id=1,
            flow_control=SimpleNamespace(is_active=lambda: True),
            consumer=SimpleNamespace(track_message=lambda _: None),
        )
        app.monitor.tp_end_offsets[PLACE] = self._count
        for message in partition.messages:
            self.channel.queue.put_nowait(SimpleNamespace(message=message))

    async def events(self) -> AsyncIterator[Any]:
        while True:
            yield await self.channel.queue.get()

    def add_future(self, work: Coroutine[Any, Any, None]) -> asyncio.Future[None]:
        return asyncio.ensure_future(work)

    async def wait_for_stopped(self, event: asyncio.Event) -> bool:
        waited = [asyncio.ensure_future(e.wait()) for e in (self._ended, event)]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        for one in waited:
            one.cancel()
        return self._ended.is_set()

    async def ack(self, event: Any) -> None:
        self.acked.append(event.message.offset)
        if len(self.acked) == self._count:
            self._ended.set()


async def test_a_stage_handles_others_between_the_batches_of_a_flood(
    app: App, ahead: ReadingAhead, partition: Partition
) -> None:
    floods = 20 * BATCH
    partition.put("flood", floods)
    partition.put("other", 5)
    partition.put("flood", BATCH)
    stream = Stream(app, partition)
    handled: list[Record] = []
    sizes: list[int] = []

    async def handle(records: Sequence[Record]) -> None:
        sizes.append(len(records))
        handled.extend(records)
        if ahead._reader is not None:
            await asyncio.to_thread(partition.looked_through.wait, 20)
        await asyncio.sleep(0)

    liveness = Liveness()
    consume(app, StageSpec(topics=(PLACE.topic,), handle=handle), liveness, ahead)  # type: ignore[arg-type]
    await app.handled(stream)

    offsets = [record.offset for record in handled]
    assert Counter(offsets) == Counter(range(floods + 5 + BATCH)), "each once"
    assert stream.acked == list(range(floods + 5 + BATCH)), "acknowledged in order, as committing needs it"
    of_flood = [offset for offset in offsets if not floods <= offset < floods + 5]
    assert of_flood == sorted(of_flood)
    assert offsets.index(floods) < 5 * BATCH, "it did not wait for the flood"
    assert sizes[0] == BATCH
    assert max(sizes[1:]) <= 2 * PART, "nor for a whole batch"
    assert offsets[(at := offsets.index(floods)) : at + 5] == list(range(floods, floods + 5))


async def test_a_message_handled_ahead_that_fails_ends_the_process(
    app: App, ahead: ReadingAhead, partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is acknowledged after that: the consumer has not come to it."""

    class Died(BaseException):
        pass

    def die(event: str, **_: object) -> None:
        raise Died(event)

    monkeypatch.setattr(faust_app, "die", die)
    partition.put("flood", 20 * BATCH)
    partition.put("other", 1)
    stream = Stream(app, partition)

    async def handle(records: Sequence[Record]) -> None:
        if ahead._reader is not None:
            await asyncio.to_thread(partition.looked_through.wait, 20)
        if any(account_of(record.key) == b"other" for record in records):
            raise RuntimeError("as the test wants it")

    consume(app, StageSpec(topics=(PLACE.topic,), handle=handle), Liveness(), ahead)  # type: ignore[arg-type]
    with pytest.raises(Died):
        await app.handled(stream)
    assert stream.acked == list(range(len(stream.acked)))
    assert len(stream.acked) < 20 * BATCH
