"""Make our consumers read with ``streams.batches`` in place of the clients' own readers of records.

The one place that holds on to the insides of libraries; ``tests/unit/streams/test_fetching.py`` fails when a
new version changes them:

- aiokafka ``consumer.fetcher``: its module looks up ``MemoryRecords``, ``PartitionRecords`` and
  ``FetchResult`` by name for every answer of the broker; ``FetchResult.getall`` drains one. The consumer's
  ``key_deserializer`` comes to ``PartitionRecords`` as it is.
- aiokafka ``AIOKafkaConsumer._isolation_level`` is read when the consumer starts.
- aiokafka ``client`` looks up ``MetadataRequest`` by name for every question about topics.
- aiokafka ``GroupCoordinator``, looked up by name when a consumer starts; all committed offsets come through
  its ``_do_fetch_commit_offsets`` and go through its ``_do_commit_offsets``.
- Faust's ``credentials_to_aiokafka_auth`` and ``server_list``, with which it makes consumers.
- Faust ``Transport.Consumer`` with ``_new_consumer_thread``, ``_to_message``, ``_new_offset``, ``_add_gap``,
  ``_commit_offsets``,
  and its thread with ``_create_worker_consumer``.
- kafka-python ``KafkaConsumer._fetcher``, which makes its ``PartitionRecords`` out of a ``MemoryRecords``.
"""

import threading
import weakref
from collections.abc import Mapping
from functools import partial
from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import ConsumerRecord as KafkaRecord

from streams.batches import LOG_HEADER, Fetched, Records
from streams.topic_ids import TopicsRead

DRAIN_BYTES = 8 * 1024 * 1024
"""About how much of one partition is taken out of its batches at once."""
BACKLOG_BYTES = 24 * 1024 * 1024
"""Nothing more is taken out while so many bytes wait for the handler."""
_AHEAD_BYTES = 4 * 1024 * 1024
"""Most of one answer to the second consumer; a larger message still comes through."""
_AHEAD_PARTITION_BYTES = 256 * 1024
_TRACKED_BYTES = 4096
"""Records below this are not counted: a full queue of them is no load."""


class Backlog:
    """Counts the bytes of large messages from the moment they are read until they are done with."""

    def __init__(self) -> None:
        # Collecting garbage may end a message in the middle of anything, this included.
        self._lock = threading.RLock()
        self._bytes = 0
        self._ends: dict[int, weakref.finalize[..., Any]] = {}

    @property
    def full(self) -> bool:
        """True while enough messages wait."""
        return self._bytes >= BACKLOG_BYTES

    def add(self, message: Any, size: int) -> None:
        """Count a message, until it is done with or dropped."""
        if size < _TRACKED_BYTES:
            return
        with self._lock:
            self._bytes += size
        end = weakref.finalize(message, self._release, id(message), size)
        end.atexit = False
        self._ends[id(message)] = end

    def done(self, message: Any) -> None:
        """Note that the handler is done with it, though somebody may still hold it."""
        end = self._ends.get(id(message))
        if end is not None:
            end()

    def _release(self, name: int, size: int) -> None:
        self._ends.pop(name, None)
        with self._lock:
            self._bytes -= size


backlog = Backlog()
"""The backlog of this process's stage."""


def drained(records: Records, most: int | None, most_bytes: int = DRAIN_BYTES) -> tuple[list[Fetched], bool]:
    """Return the next records, about ``most_bytes`` of them at most; True when there are no more behind
    them.
    """
    taken: list[Fetched] = []
    size = 0
    for record in records:
        taken.append(record)
        size += record.size
        if size >= most_bytes or len(taken) == most:
            return taken, False
    return taken, True


class Allowance:
    """How much the consumer of ``second_consumer`` may take out of its batches, all partitions together.

    It is not held back by the backlog, which its reader is there to look into. aiokafka hands it on in place
    of a deserializer of keys.
    """

    def __init__(self) -> None:
        self.left = 0
        """Bytes, about. To be set before messages are asked for; at 0 there are none."""

    def __call__(self, key: bytes) -> bytes:
        """Return a key as it is."""
        return key

    def drained(self, records: Records, most: int | None) -> tuple[list[Fetched], bool]:
        """Return the same as ``drained``, within what is left."""
        taken, ended = drained(records, most, self.left)
        self.left -= sum(one.size for one in taken)
        return taken, ended


# ---- aiokafka, and Faust on it


def read_with_faust(app: Any) -> None:
    """Let the app's consumer read committed records, and go on behind unreadable ones."""
    import aiokafka.client as client
    import aiokafka.consumer.fetcher as fetcher
    from aiokafka.protocol.metadata import MetadataRequest
    from aiokafka.structs import ConsumerRecord
    from faust.transport.drivers import aiokafka as driver

    class Raw:
        """The bytes that the broker sent."""

        def __init__(self, data: bytes) -> None:
            # Less than a batch's first two fields is none; what is asked for again comes whole.
            self.data = bytes(data) if data and len(data) >= LOG_HEADER else b""

        def has_next(self) -> bool:
            return bool(self.data)

        def size_in_bytes(self) -> int:
            return len(self.data)

    class PartitionRecords:
        def __init__(
            self, tp: Any, records: Raw, aborted: Any, fetch_offset: int, key: object = None, *_: object
        ) -> None:
            self.tp = tp
            self.allowance = key if isinstance(key, Allowance) else None
            self.records = Records(records.data, fetch_offset, aborted or ())

        @property
        def next_fetch_offset(self) -> int:
            return self.records.position

        def __iter__(self) -> "PartitionRecords":
            return self

        def __next__(self) -> Any:
            return self.made(next(self.records))

        def made(self, one: Fetched) -> Any:
            return ConsumerRecord(
                self.tp.topic, self.tp.partition, one.offset, one.at if one.at >= 0 else None, 0,
                one.key, one.value, None, len(one.key or b""), len(one.value or b""), one.headers,
            )  # fmt: skip

    class FetchResult(fetcher.FetchResult):  # type: ignore[misc]  # aiokafka has no types
        _partition_records: Any

        def __init__(self, tp: Any, **arguments: Any) -> None:
            super().__init__(tp, **arguments)
            stable = self._assignment.state_value(tp).lso
            self._partition_records.records.end = stable if stable is not None and stable >= 0 else None

        def getall(self, max_records: int | None = None) -> list[Any]:
            if not self.check_assignment(self._topic_partition) or not self.has_more():
                return []
            source = self._partition_records
            allowance = source.allowance
            if backlog.full if allowance is None else allowance.left <= 0:
                return []
            drain = drained if allowance is None else allowance.drained
            taken, ended = drain(source.records, max_records)
            self._update_position()
            if ended:
                self._partition_records = None
            return [source.made(one) for one in taken]

    class Thread(driver.AIOKafkaConsumerThread):
        def _create_worker_consumer(self, transport: Any) -> Any:
            consumer = super()._create_worker_consumer(transport)
            consumer._isolation_level = "read_committed"
            return consumer

    class Consumer(driver.Consumer):
        def _new_consumer_thread(self) -> Any:
            return Thread(self, loop=self.loop, beacon=self.beacon)

        def _to_message(self, tp: Any, record: Any) -> Any:
            read = self._read_offset[tp]
            if read is not None and record.offset < read:
                self._begin_again(tp)
            message = super()._to_message(tp, record)
            held = sum(len(name) + len(content) for name, content in record.headers)
            backlog.add(message, record.serialized_key_size + record.serialized_value_size + held)
            return message

        def _begin_again(self, tp: Any) -> None:
            """Forget how far a partition was read if an earlier offset comes again.

            Its topic was created again, or its broker went back to an older copy; within one assignment,
            nothing else repeats an offset. Faust would drop records that it believes to have read, and never
            commit an offset below the last one.
            """
            self._read_offset[tp] = self._committed_offset[tp] = None
            self._acked[tp].clear()
            self._acked_index[tp].clear()
            for message in self.unacked:
                if message.tp == tp:  # its offset means another record now
                    message.acked = True
            self._clean_unacked_messages()

        def _new_offset(self, tp: Any) -> int | None:
            """Return the offset behind all that is acknowledged.

            One handler takes the records of a partition in their order and acknowledges them in it, so that
            the last one says all. Faust's own counts through every offset between two of them.
            """
            acked = self._acked[tp]
            if not acked:
                return None
            last = max(acked)
            acked.clear()
            self._acked_index[tp].clear()
            return int(last) + 1

        async def _commit_offsets(
            self, offsets: Mapping[Any, int], start_new_transaction: bool = True
        ) -> bool:
            """Commit; if the broker refuses because the group was formed again, count nothing as committed.

            Faust notes the offsets even then, and would not commit them after the records were read again.
            """
            before = {tp: self._committed_offset[tp] for tp in offsets}
            if await super()._commit_offsets(offsets, start_new_transaction):
                return True
            for tp, offset in before.items():
                if self._committed_offset[tp] == offsets[tp]:
                    self._committed_offset[tp] = offset
            return False

        async def _add_gap(self, tp: Any, offset_from: int, offset_to: int) -> None:
            """Do nothing: see ``_new_offset``."""

    # A broker may create any topic that is asked about, with one partition and too short a retention.
    client.MetadataRequest = partial(MetadataRequest, allow_auto_topic_creation=False)
    fetcher.MemoryRecords = Raw
    fetcher.PartitionRecords = PartitionRecords
    fetcher.FetchResult = FetchResult
    app.transport.Consumer = Consumer


def second_consumer(app: Any, allowance: Allowance) -> Any:
    """Return a consumer beside the one of an app that ``read_with_faust`` has set up: without a group, for
    partitions to be assigned to it and sought in. To be used in an event loop of its own.

    It raises ``OffsetOutOfRangeError`` where offsets were removed, and jumps over none by itself.
    """
    import aiokafka
    from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list

    return aiokafka.AIOKafkaConsumer(
        bootstrap_servers=server_list(app.transport.url, app.transport.default_port),
        client_id=f"{app.conf.id}-ahead",
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_bytes=_AHEAD_BYTES,
        max_partition_fetch_bytes=_AHEAD_PARTITION_BYTES,
        key_deserializer=allowance,
        **credentials_to_aiokafka_auth(app.conf.broker_credentials, app.conf.ssl_context),
    )


def commit_for(topics: TopicsRead) -> None:
    """Let commits say of which topics they are, and those of other ones of the same names count for nothing.

    A partition without a commit is read from its beginning.
    """
    import aiokafka.consumer.consumer as module
    from aiokafka.consumer.group_coordinator import GroupCoordinator
    from aiokafka.structs import OffsetAndMetadata

    class Coordinator(GroupCoordinator):  # type: ignore[misc]  # aiokafka has no types
        async def _do_fetch_commit_offsets(self, partitions: Any) -> dict[Any, Any]:
            found = await super()._do_fetch_commit_offsets(partitions)
            ours = {tp: one for tp, one in found.items() if topics.is_ours(tp.topic, one.metadata)}
            for tp in partitions:
                topics.confirm(tp.topic, tp.partition, ours[tp].offset if tp in ours else 0)
            return ours

        async def _do_commit_offsets(self, assignment: Any, offsets: Mapping[Any, Any]) -> None:
            said = {tp: OffsetAndMetadata(one.offset, topics.label(tp.topic)) for tp, one in offsets.items()}
            await super()._do_commit_offsets(assignment, said)
            for tp, one in said.items():
                topics.confirm(tp.topic, tp.partition, one.offset)

    module.GroupCoordinator = Coordinator


# ---- kafka-python


class _PartitionRecords:
    """The part of a fetch that kafka-python's fetcher drains."""

    def __init__(
        self,
        fetch_offset: int,
        tp: Any,
        records: Any,
        *,
        aborted_transactions: Any = None,
        on_drain: Any = None,
        **_: object,
    ) -> None:
        self.topic_partition = tp
        self.leader_epoch = -1
        self.bytes_read = 0
        aborted = [(one.producer_id, one.first_offset) for one in aborted_transactions or ()]
        self._records: Records | None = Records(bytes(records._buffer or b""), fetch_offset, aborted)
        self.next_fetch_offset = fetch_offset
        self._on_drain = on_drain

    def __bool__(self) -> bool:
        return self._records is not None

    def drain(self) -> None:
        if self._records is not None:
            self._records = None
            if self._on_drain is not None:
                self._on_drain(self)

    def take(self, n: int | None = None) -> list[Any]:
        if self._records is None:
            return []
        taken, ended = drained(self._records, n)
        self.next_fetch_offset = self._records.position
        self.bytes_read += sum(one.size for one in taken)
        if ended:
            self.drain()
        place = self.topic_partition
        return [
            KafkaRecord(
                place.topic, place.partition, self.leader_epoch, one.offset, one.at, 0, one.key, one.value,
                list(one.headers), None, len(one.key or b""), len(one.value or b""), -1,
            )
            for one in taken
        ]  # fmt: skip


def committed_consumer(kafka: Mapping[str, Any], **options: Any) -> KafkaConsumer:
    """Return a consumer of kafka-python that reads committed records, and goes on behind unreadable ones.

    Values may be an ``Unreadable`` or ``PASSED`` of ``streams.batches``; a consumer's position is past them.

    Raises:
        kafka.errors.KafkaError: the broker does not respond.
    """
    consumer = KafkaConsumer(**kafka, isolation_level="read_committed", **options)
    consumer._fetcher.PartitionRecords = _PartitionRecords
    return consumer
