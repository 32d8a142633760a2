"""Turn change events into commands: the pure part of the first stage, and its handler."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import structlog

from contracts.commands import Command, encode_command
from contracts.events.reader import InvalidEvent, read_event
from contracts.results import EntryResult, encode_result
from mappers import to_command
from streams.dead_letters import DeadLetterReason, Letter, to_dead_letters
from streams.faust_app import Producer, StageSpec
from streams.records import Outgoing, Record, published_header
from streams.topic_ids import TopicIds
from streams.topics import COMMANDS, MAX_MESSAGE_BYTES, RESULTS, SOURCES

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def open_transform(producer: Producer, topic_ids: TopicIds) -> AsyncIterator[StageSpec]:
    """Run the transform stage, which holds nothing but its producer."""

    async def handle(records: Sequence[Record]) -> None:
        now = datetime.now(UTC)
        made = [transformed(record, now) for record in records]
        ids = await topic_ids.of(one.record.topic for one in made if isinstance(one, Letter))
        sent: list[Outgoing] = []
        for one in made:
            sent += to_dead_letters([one], ids, now) if isinstance(one, Letter) else one
        await producer.send(sent)

    yield StageSpec(topics=SOURCES, handle=handle)


def transformed(record: Record, now: datetime) -> list[Outgoing] | Letter:
    """Return the messages for one change event: command and ``queued`` entry; otherwise the dead letter that
    it becomes.

    Never raises because of an event's content: a bug in one event must not hold back the others.
    """
    try:
        event = read_event(record.topic, record.key, record.value, record.headers)
        command = to_command(event, record.topic, record.partition, record.offset)
        value = encode_command(command)
    except InvalidEvent as error:
        log.warning("event refused", **_place(record), reason_code=error.reason_code, reason=str(error))
        return Letter(record, DeadLetterReason.of_event(error))
    except Exception as error:
        log.exception("event could not be mapped", **_place(record))
        return Letter(
            record, DeadLetterReason.of_record(record, "our_error", f"{type(error).__name__}: {error}")
        )
    if len(value) > MAX_MESSAGE_BYTES - 1024:
        problem = f"its command has {len(value)} bytes, more than the topic takes"
        log.error("command too large", **_place(record), bytes=len(value))
        return Letter(record, DeadLetterReason.of_record(record, "our_error", problem))
    key = command.key.encode()
    return [
        Outgoing(COMMANDS, key, value),
        Outgoing(RESULTS, key, encode_result(queued_entry(command, now)), published_header(record)),
    ]


def queued_entry(command: Command, now: datetime) -> EntryResult:
    """Return the first version of a command's entry. It loses to every version that the ledger gives."""
    event = command.event
    return EntryResult(
        entry_id=command.command_id,
        version=0,
        account=command.account,
        entity=command.entity,
        record_id=command.record_id,
        record_number=command.record_number,
        action=command.action,
        state="queued",
        queued_at=now,
        party_name=command.party_name,
        amount=command.amount,
        currency=command.currency,
        reference=command.reference,
        event_id=event.id,
        event_type=event.type,
        event_time=event.time,
        topic=event.topic,
        partition=event.partition,
        offset=event.offset,
    )


def _place(record: Record) -> dict[str, object]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}
