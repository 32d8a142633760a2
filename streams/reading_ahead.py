"""Read a backlog a second time, ahead of the stage's consumer, so that one account's flood does not hold up
the others (``streams.ahead`` decides what may go first).

A thread of its own with a consumer of its own, without a group, lives as long as the backlog does. When it
ends, for whatever reason, the stage goes on as it does without a backlog: first come, first served.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import structlog
import uvloop
from aiokafka.errors import KafkaError as AiokafkaError
from aiokafka.errors import OffsetOutOfRangeError
from aiokafka.structs import TopicPartition
from kafka.errors import KafkaError

from streams.ahead import AheadQueue, Place
from streams.batches import Passed, Unreadable
from streams.batching import BATCH
from streams.fetching import Allowance, second_consumer
from streams.records import Record
from streams.topic_ids import admin_of, committed_offsets

BEHIND = 1000
"""Messages waiting from which on a stage counts as behind."""
BEHIND_SECONDS = 0.5
"""How long it must be behind before a second reader starts."""
PART = 100
"""Messages of a batch that are handled before it is the turn of those ahead again."""
_AFTER_TROUBLE_SECONDS = 10.0
_CLOSE_BEHIND = 100
"""Messages between the consumer and the second reader, up to which the backlog is over."""
_CLOSE_SECONDS = 5.0
"""How long that must be so before the second reader ends. Other messages may still be on their way."""
_END_SECONDS = 5.0
_POLL_MS = 200
_CHUNK = 500
_CHUNK_BYTES = 2 * 1024 * 1024
_ROOM_SECONDS = 0.02
_LOOK_AGAIN_SECONDS = 2.0
_LOOK_AGAIN_SHARE = 9
"""A look through the backlog begins this many times as long after the last one as that took."""

log = structlog.stdlib.get_logger(__name__)


class AheadReader(threading.Thread):
    """Offers everything from the committed offsets on to its queue, and looks through it again and again
    while several accounts have more in it than their share. Ends by itself once the consumer has caught up.
    """

    def __init__(self, app: Any, kafka: Mapping[str, Any], places: Iterable[Place]) -> None:
        """Read ``places``, the partitions assigned to the app's consumer.

        Args:
            kafka: kafka-python's client arguments.
        """
        super().__init__(name="ahead", daemon=True)
        self._app = app
        self._kafka = kafka
        self._partitions = [TopicPartition(topic, number) for topic, number in places]
        self._ended = threading.Event()
        self.failed = False
        self._look_began = self._look_ended = 0.0
        self._close_since = 0.0
        self.lock = threading.Lock()
        self.queue = AheadQueue()
        """To be used with the lock held."""

    def end(self) -> None:
        """Ask it to end, which it does within about a second."""
        self._ended.set()

    def run(self) -> None:
        """Read until the backlog is over, or something goes wrong."""
        try:
            with admin_of(self._kafka) as admin:
                committed = committed_offsets(admin, self._app.conf.id)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._read(committed))
        except (KafkaError, AiokafkaError, OSError) as error:
            self.failed = True
            log.warning("the backlog cannot be read ahead now", error=" ".join(str(error).split()))
        except Exception:
            self.failed = True
            log.exception("reading the backlog ahead fails")

    async def _read(self, committed: Mapping[Any, int]) -> None:
        allowance = Allowance()
        consumer = second_consumer(self._app, allowance)
        try:
            await consumer.start()
            self._close_since = time.monotonic()
            consumer.assign(self._partitions)
            self._begin_look(consumer, {tp: committed.get(tp, 0) for tp in self._partitions})
            while not self._ended.is_set() and not self._is_over():
                allowance.left = _CHUNK_BYTES
                found = await _next(consumer)
                self._offer(message for messages in found.values() for message in messages)
                await self._wait_for_room()
                self._look_again_when_due(consumer, at_end=not found)
        finally:
            await consumer.stop()

    def _begin_look(self, consumer: Any, starts: Mapping[Place, int]) -> None:
        self._look_began, self._look_ended = time.monotonic(), 0.0
        for place, start in starts.items():
            consumer.seek(TopicPartition(*place), start)

    def _look_again_when_due(self, consumer: Any, *, at_end: bool) -> None:
        now = time.monotonic()
        if at_end and not self._look_ended:
            self._look_ended = now
        rest = max(_LOOK_AGAIN_SECONDS, _LOOK_AGAIN_SHARE * (self._look_ended - self._look_began))
        if not self._look_ended or now < self._look_ended + rest:
            return
        with self.lock:
            if not self.queue.others_are_left:
                return
            starts = self.queue.look_again()
        self._begin_look(consumer, starts)

    def _offer(self, messages: Iterable[Any]) -> None:
        with self.lock:
            for message in messages:
                if isinstance(message.value, Unreadable):
                    self.queue.close((message.topic, message.partition), message.offset)
                elif not isinstance(message.value, Passed):
                    self.queue.offer(_record(message))

    def _is_over(self) -> bool:
        """Return True once the consumer has been close behind for a while."""
        now = time.monotonic()
        with self.lock:
            if self.queue.lead > _CLOSE_BEHIND:
                self._close_since = now
        return now > self._close_since + _CLOSE_SECONDS

    async def _wait_for_room(self) -> None:
        while not self._ended.is_set():
            with self.lock:
                if not self.queue.full:
                    return
            await asyncio.sleep(_ROOM_SECONDS)


async def _next(consumer: Any) -> Mapping[Any, Sequence[Any]]:
    """Return the next messages by partition; read no further in one whose next offset the broker has removed.

    The stage's consumer may hold what was removed, and has to handle it before what follows. Where a topic
    lost its beginning before the stage's first commit, offset 0 is such a one.
    """
    try:
        found: Mapping[Any, Sequence[Any]] = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_CHUNK)
    except OffsetOutOfRangeError as error:
        [removed] = error.args
        consumer.pause(*removed)
        return {}
    return found


def _record(message: Any) -> Record:
    at = (message.timestamp or 0) / 1000
    return Record(
        message.topic, message.partition, message.offset, message.key, message.value, message.headers, at
    )


def places_of(events: Iterable[Any]) -> list[tuple[Place, int]]:
    """Return partition and offset of the message of each."""
    messages = [event.message for event in events]
    return [((message.topic, message.partition), message.offset) for message in messages]


class ReadingAhead:
    """Starts the second reader when the stage falls behind, and gives the stage what may go first."""

    def __init__(self, app: Any, kafka: Mapping[str, Any]) -> None:
        """Read ahead of ``app``'s consumer. ``kafka`` are kafka-python's client arguments."""
        self._app = app
        self._kafka = kafka
        self._reader: AheadReader | None = None
        self._assignment: tuple[int, frozenset[Place]] = (0, frozenset())
        self._done: dict[Place, int] = {}
        self._behind_since: float | None = None
        self._not_before = 0.0

    async def parts(self, batches: AsyncIterable[list[Any]]) -> AsyncIterator[list[Any]]:
        """Yield the consumer's batches, in parts while there is reading ahead, which starts and ends here."""
        async for events in batches:
            self._look(places_of(events))
            if self._reader is None:
                yield events
                continue
            for first in range(0, len(events), PART):
                part = events[first : first + PART]
                yield part
                part.clear()  # none is kept, since some are large

    def _look(self, places: Sequence[tuple[Place, int]]) -> None:
        """Start or end the reading ahead before these messages of the consumer are handled.

        Args:
            places: partition and offset of each.
        """
        assignment = self._app.consumer_generation_id, frozenset(self._app.consumer.assignment())
        # An offset that comes again may mean another message.
        went_back = any(offset < self._done.get(place, 0) for place, offset in places)
        if assignment != self._assignment or went_back:
            self._assignment = assignment
            self._done.clear()
            self.end()
        elif self._reader is None:
            if self._is_behind():
                self._start()
        elif not self._reader.is_alive():
            self.end()

    def turn(self) -> list[Record]:
        """Return messages to be handled now, ahead of their place. See ``AheadQueue.turn``."""
        if self._reader is None:
            return []
        with self._reader.lock:
            return self._reader.queue.turn(BATCH)

    def handled(self, records: Sequence[Record]) -> None:
        """Note that these, returned by ``turn``, are handled."""
        if self._reader is not None:
            with self._reader.lock:
                self._reader.queue.handled(records)

    def rest_of(self, records: list[Record]) -> list[Record]:
        """Return those of the consumer's messages that are not handled yet."""
        if self._reader is None:
            return records
        with self._reader.lock:
            return self._reader.queue.rest_of(records)

    def passed(self, places: Sequence[tuple[Place, int]]) -> None:
        """Note that the consumer's messages are handled."""
        self._done.update((place, offset + 1) for place, offset in places)
        if self._reader is not None:
            with self._reader.lock:
                for place, offset in places:
                    self._reader.queue.passed(place, offset)

    def end(self) -> AheadReader | None:
        """Stop reading ahead; return the reader, which ends soon. Messages that were handled ahead and that
        the consumer has not come to are handled again.
        """
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.end()
            self._behind_since = None
            if reader.failed:
                self._not_before = time.monotonic() + _AFTER_TROUBLE_SECONDS
        return reader

    async def close(self) -> None:
        """Stop reading ahead, and wait until the reader has closed its connections."""
        if (reader := self.end()) is not None:
            await asyncio.to_thread(reader.join, _END_SECONDS)

    def _is_behind(self) -> bool:
        """Return True once messages have been waiting for a while."""
        now = time.monotonic()
        ends: Mapping[Any, int | None] = self._app.monitor.tp_end_offsets
        waiting = sum(max(0, (ends.get(place) or 0) - done) for place, done in self._done.items())
        if waiting < BEHIND:
            self._behind_since = None
            return False
        if self._behind_since is None:
            self._behind_since = now
        return now >= max(self._behind_since + BEHIND_SECONDS, self._not_before)

    def _start(self) -> None:
        log.info("messages wait; those of accounts with few of them are read ahead")
        self._reader = AheadReader(self._app, self._kafka, sorted(self._assignment[1]))
        for place, done in self._done.items():
            self._reader.queue.passed(place, done - 1)
        self._reader.start()
