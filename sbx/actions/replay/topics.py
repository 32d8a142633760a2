"""The events that a replay reads: ranges of the change event topics, and the matching events in them."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from contracts.events.header import EventHeader, peek
from contracts.events.reader import InvalidEvent, read_event
from log_projection.queries import Filters
from sbx.actions.refused import bad_request, not_possible
from sbx.actions.words import plural
from sinks.ledger.intake import reused_id
from sinks.replay.replay import Read
from streams.batches import Passed
from streams.batches import Unreadable as BrokenBytes
from streams.broker import Broker, Offsets
from streams.dead_letters import entry_id_of, place_id_of
from streams.fetching import committed_consumer
from streams.records import record_of
from streams.setting_aside import letter_of
from streams.topic_ids import topic_ids
from streams.topics import ENTITY_OF_TOPIC, SOURCES, group_of

BATCH = 2000
"""How many events are looked up and handled at once; bounds memory."""
_POLL_MS = 1000
_SILENCE_SECONDS = 30.0


@dataclass(slots=True)
class Range:
    """Offsets of one partition, from ``first`` up to but not including ``end``."""

    topic: str
    partition: int
    first: int
    end: int
    next: int
    """The offset to be read next."""

    @property
    def left(self) -> int:
        """Offsets that are still to be read."""
        return max(0, self.end - self.next)


@dataclass(frozen=True)
class Ranges:
    """The ranges to read, and the missing part of the selection."""

    found: list[Range]
    to_come: int
    """Events that the workers have not read yet; they are left to the workers."""
    removed: int
    """Events before the ranges that the broker has removed."""
    remarks: list[str] = field(default_factory=list)


def topics_of(topics: Sequence[str], entity: str | None) -> list[str]:
    """Return the topics to read.

    Raises:
        ActionRefused: one is not a change event topic, or none of them holds the entity.
    """
    for topic in topics:
        if topic not in SOURCES:
            raise bad_request(f"--topic {topic}: holds no change events", f"use one of: {', '.join(SOURCES)}")
    chosen = [t for t in (topics or SOURCES) if entity is None or ENTITY_OF_TOPIC[t] == entity]
    if not chosen:
        holding = next(t for t, e in ENTITY_OF_TOPIC.items() if e == entity)
        raise bad_request(
            f"--entity {entity}: no such events on {', '.join(topics)}",
            f"use --topic {holding}",
        )
    return list(dict.fromkeys(chosen))


def find_ranges(kafka: Mapping[str, Any], topics: Sequence[str], wanted: Filters) -> Ranges:
    """Return the ranges for topics, partition, offsets and times.

    Times are those that publishers gave: a range goes from the first event at or after ``since`` to the
    last one before the first at or after ``until``.

    Raises:
        ActionRefused: a partition that there is not, or offsets without the one partition that they are of.
        ActionRefused: a topic or the offsets asked for are not there.
        kafka.errors.KafkaError: the broker does not respond.
    """
    with Broker(kafka) as broker:
        starts, ends = broker.starts(topics), broker.readable_ends(topics)
        taken = broker.committed(group_of("transform"))
    _check_partitions(topics, wanted, ends)
    partitions = sorted(tp for tp in ends if wanted.partition in (None, tp.partition))
    firsts = {tp: starts[tp] for tp in partitions}
    lasts = {tp: ends[tp] for tp in partitions}
    remarks = []
    if wanted.offset_from is not None and wanted.offset_to is not None:
        [partition] = partitions
        remarks += _check_offsets(partition, wanted.offset_from, wanted.offset_to, starts, ends)
        firsts[partition] = wanted.offset_from
        lasts[partition] = min(wanted.offset_to + 1, ends[partition])
    if wanted.since is not None or wanted.until is not None:
        since, until = _at(kafka, partitions, wanted.since), _at(kafka, partitions, wanted.until)
        if wanted.since is not None:
            firsts = {tp: max(firsts[tp], since.get(tp, ends[tp])) for tp in partitions}
        if wanted.until is not None:
            lasts = {tp: min(lasts[tp], until.get(tp, ends[tp])) for tp in partitions}
        cut = sum(starts[tp] > 0 and firsts[tp] == starts[tp] for tp in partitions) if since else 0
        if cut:
            remarks.append(
                f"the beginning of {plural(cut, 'partition')} was removed by retention, possibly with events "
                f"since {wanted.since:%Y-%m-%d %H:%M}: these are not replayed"
            )
    found, to_come = [], 0
    for tp in partitions:
        end = min(lasts[tp], max(taken.get(tp, 0), firsts[tp]))
        to_come += max(0, lasts[tp] - max(end, firsts[tp]))
        if firsts[tp] < end:
            found.append(Range(tp.topic, tp.partition, firsts[tp], end, firsts[tp]))
    removed = sum(starts[tp] for tp in partitions if wanted.offset_from is None and wanted.since is None)
    return Ranges(found, to_come, removed, remarks)


def whole(kafka: Mapping[str, Any], topics: Sequence[str]) -> list[Range]:
    """Return all that these topics hold."""
    with Broker(kafka) as broker:
        starts, ends = broker.starts(topics), broker.ends(topics)
    return [
        Range(tp.topic, tp.partition, starts[tp], end, starts[tp])
        for tp, end in sorted(ends.items())
        if starts[tp] < end
    ]


def first_of(ranges: Sequence[Range]) -> int:
    """Return the position at which a progress bar over these begins: the sum of their first offsets."""
    return sum(one.first for one in ranges)


def length_of(ranges: Sequence[Range]) -> int:
    """Return how many offsets they hold."""
    return sum(one.end - one.first for one in ranges)


def _check_partitions(topics: Sequence[str], wanted: Filters, ends: Offsets) -> None:
    missing = sorted(set(topics) - {tp.topic for tp in ends})
    if missing:
        raise not_possible(f"topics are missing: {', '.join(missing)}", "run 'sbx topics create'")
    if wanted.offset_from is not None and (len(topics) != 1 or wanted.partition is None):
        raise bad_request(
            "--offset needs one partition of one topic",
            "name both, with --topic and --partition",
        )
    for topic in topics:
        count = sum(tp.topic == topic for tp in ends)
        if wanted.partition is not None and wanted.partition >= count:
            raise bad_request(
                f"--partition {wanted.partition}: {topic} has no such partition",
                f"use 0 to {count - 1}",
            )


def _check_offsets(
    partition: TopicPartition, first: int, last: int, starts: Offsets, ends: Offsets
) -> list[str]:
    """Return notes on the requested offsets.

    Raises:
        ActionRefused: some were removed, or none is there yet.
    """
    start, end = starts[partition], ends[partition]
    place = f"{partition.topic}, partition {partition.partition},"
    if start == end:
        raise not_possible(f"{place} holds no events", "see 'sbx log' for topic and partition of an event")
    holds = f"{place} holds offsets {start} to {end - 1}"
    if first < start:
        gone = f"{first} to {min(last, start - 1)}"
        raise not_possible(f"{holds}: {gone} were removed by retention", f"begin with --offset {start}-")
    if first >= end:
        raise not_possible(
            f"{holds}, not yet {first}", f"choose offsets among these, such as --offset {start}-"
        )
    return [holds] if end <= last < 2**63 - 1 else []


def _at(
    kafka: Mapping[str, Any], partitions: Sequence[TopicPartition], moment: datetime | None
) -> dict[TopicPartition, int]:
    """Return the first offset at or after the moment per partition; partitions without one are left out."""
    if moment is None:
        return {}
    consumer = KafkaConsumer(**kafka, group_id=None)
    try:
        milliseconds = int(moment.timestamp() * 1000)
        found = consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds))
    finally:
        consumer.close()
    return {tp: answer.offset for tp, answer in found.items() if answer is not None}


class Reader:
    """Reads ranges batch by batch and advances ``Range.next``; a context manager."""

    def __init__(self, kafka: Mapping[str, Any], ranges: Sequence[Range]) -> None:
        self._all = list(ranges)
        self._ranges = {TopicPartition(r.topic, r.partition): r for r in ranges if r.left}
        self._stopped = False
        self.topic_ids = topic_ids(kafka, {r.topic for r in ranges})
        self._consumer = committed_consumer(kafka, group_id=None, enable_auto_commit=False)
        self._consumer.assign(list(self._ranges))
        for partition, one in self._ranges.items():
            self._consumer.seek(partition, one.next)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def read(self) -> tuple[list[Any], list[int]]:
        """Return the next messages, in order within a partition, empty at the end; and every range's
        ``next`` after them, in the order of the ranges.

        Raises:
            ActionRefused: the broker sends nothing any more.
        """
        messages: list[Any] = []
        give_up = time.monotonic() + _SILENCE_SECONDS
        while not self._stopped and len(messages) < BATCH and any(r.left for r in self._ranges.values()):
            polled = self._consumer.poll(timeout_ms=_POLL_MS, max_records=BATCH - len(messages))
            for partition, found in polled.items():
                one = self._ranges[partition]
                messages += [
                    message
                    for message in found
                    if message.offset < one.end and not isinstance(message.value, Passed)
                ]
            if self._advance():
                give_up = time.monotonic() + _SILENCE_SECONDS
            elif time.monotonic() > give_up:
                raise not_possible(
                    f"the broker sent nothing for {_SILENCE_SECONDS:g} s",
                    "see 'sbx status', then resume it",
                )
        return messages, [one.next for one in self._all]

    def stop(self) -> None:
        """Make a ``read`` waiting in another thread return soon."""
        self._stopped = True

    def _advance(self) -> bool:
        """Note how far reading has come. Positions, not offsets: a log may have gaps."""
        moved = False
        for partition, one in self._ranges.items():
            if not one.left:
                continue
            position = min(self._consumer.position(partition), one.end)
            moved |= position > one.next
            one.next = position
            if not one.left:
                self._consumer.pause(partition)
        return moved


@dataclass(frozen=True)
class Unreadable:
    """A message that is not a change event."""

    reason_code: str


@dataclass(frozen=True)
class Logged:
    """The log's knowledge of the selected events."""

    records: set[tuple[str, str, str]]
    """Account, entity and id of the records known to have the number in question: deletions do not name
    it. Records found while reading are added."""
    entries: frozenset[str] | None = None
    """Ids of the selected entries; None means all, also events without an entry."""
    topic_ids: Mapping[str, str] = field(default_factory=dict)
    """Kafka's ids of the topics read, by name."""


def glanced(messages: Sequence[Any], wanted: Filters) -> list[tuple[Any, EventHeader | None]]:
    """Return the messages that may match, with their headers. Most are done and need not be read, which takes
    ten times as long as reading the header.
    """
    found: list[tuple[Any, EventHeader | None]] = []
    prefix = None if wanted.account is None else f"{wanted.account}/".encode()
    asked = [(index, want) for index, name in _SAID if (want := getattr(wanted, name)) is not None]
    for message in messages:
        if isinstance(message.value, BrokenBytes):
            found.append((message, None))
            continue
        if prefix is not None and message.key is not None and not message.key.startswith(prefix):
            continue
        said = peek(message.value, message.headers)
        if said is None or all(said[index] == want for index, want in asked):
            found.append((message, said))
    return found


_SAID = ((2, "account"), (3, "entity"), (4, "action"), (5, "record"))
"""Fields of ``EventHeader``, and the filters on them."""


def chosen(messages: Sequence[Any], wanted: Filters, logged: Logged) -> Iterator[Read | Unreadable]:
    """Return the matching events among the messages, and those that cannot be read at all."""
    for message in messages:
        if isinstance(message.value, BrokenBytes):
            account, _, record = (message.key or b"").decode("utf-8", "replace").partition("/")
            entity = ENTITY_OF_TOPIC[message.topic]
            letters = letter_ids(message, logged.topic_ids)
            if _fits(wanted, account, entity, "", record, "") and _is_logged(letters, logged):
                yield Unreadable("record_unreadable")
            continue
        try:
            event = read_event(message.topic, message.key, message.value, tuple(message.headers))
        except InvalidEvent as error:
            found = (error.account, error.entity, error.action, error.record_id, error.record_number)
            letters = letter_ids(message, logged.topic_ids)
            if _fits(wanted, *found) and _is_logged(letters, logged):
                yield Unreadable(error.reason_code)
            continue
        letters = letter_ids(message, logged.topic_ids)
        read = Read(event, message.topic, message.partition, message.offset, letters)
        if _is(read, wanted, logged):
            yield read


def letter_ids(message: Any, topic_ids: Mapping[str, str]) -> tuple[str, str]:
    """Return the ids that this message's entry has if it is, or was, a dead letter: by its position, the
    topic's id and its bytes, and by its position alone, as earlier versions made them.
    """
    if isinstance(message.value, BrokenBytes):
        letter = letter_of(message.topic, message.partition, message.offset, message.key, message.value)
        record, last = letter.record, letter.last_offset
    else:
        record, last = record_of(message), None
    by_bytes = entry_id_of(record, topic_ids.get(record.topic, ""), last)
    return by_bytes, place_id_of(record.topic, record.partition, record.offset)


def _fits(wanted: Filters, *found: str | None) -> bool:
    """Return True if the filters take an account, entity, action, record and, if given, number."""
    asked = (wanted.account, wanted.entity, wanted.action, wanted.record, wanted.number)
    return all(want is None or want == one for want, one in zip(asked, found, strict=False))


def _is_logged(ids: Iterable[str], logged: Logged) -> bool:
    return logged.entries is None or not logged.entries.isdisjoint(ids)


def _is(read: Read, wanted: Filters, logged: Logged) -> bool:
    event = read.event
    # An event id that was used before with different content has its own entry.
    ids = (read.command_id, reused_id(read.command_id, event.content_hash))
    if not _fits(wanted, event.account, event.entity, event.action, event.subject):
        return False
    if not _is_logged(ids, logged):
        return False
    if wanted.number is None:
        return True
    record = (event.account, event.entity, event.subject)
    if read.command.record_number.casefold() == wanted.number.casefold():
        logged.records.add(record)
    return record in logged.records
