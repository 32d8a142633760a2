"""Turn records that Kafka's client cannot read into dead letters and entries, named by their place, in every
stage.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

import structlog

from streams.batches import Unreadable
from streams.dead_letters import DeadLetterReason, Letter, to_dead_letters, unreadable
from streams.records import Outgoing, Record
from streams.topic_ids import TopicIds

Handle = Callable[[Sequence[Record]], Awaitable[None]]

log = structlog.stdlib.get_logger(__name__)


def is_unreadable(record: Record) -> bool:
    """Return True for a record that stands for something unreadable."""
    return isinstance(record.value, Unreadable)


def letter_of(topic: str, partition: int, last: int, key: bytes | None, broken: Unreadable) -> Letter:
    """Return the letter of an unreadable record; ``last`` is the last of its offsets, ``key`` may be
    known.
    """
    if key is None:
        return unreadable(topic, partition, broken.first, last, broken.problem)
    record = Record(topic, partition, broken.first, key, bytes(broken))
    defect = DeadLetterReason.of_record(record, "record_unreadable", broken.problem)
    return Letter(record, defect, None if last == broken.first else last)


def setting_aside(
    handle: Handle, send: Callable[[Sequence[Outgoing]], Awaitable[None]], topic_ids: TopicIds
) -> Handle:
    """Return a handler that sets unreadable records aside, and gives ``handle`` the rest."""

    async def handled(records: Sequence[Record]) -> None:
        readable = [record for record in records if not is_unreadable(record)]
        if len(readable) < len(records):
            letters = [_set_aside(record) for record in records if is_unreadable(record)]
            ids = await topic_ids.of(letter.record.topic for letter in letters)
            await send(to_dead_letters(letters, ids, datetime.now(UTC)))
        if readable:
            await handle(readable)

    return handled


def _set_aside(record: Record) -> Letter:
    broken = record.value
    assert isinstance(broken, Unreadable)
    log.error(
        "set aside what cannot be read",
        topic=record.topic,
        partition=record.partition,
        offset=broken.first,
        last_offset=record.offset,
        problem=broken.problem,
    )
    return letter_of(record.topic, record.partition, record.offset, record.key, broken)
