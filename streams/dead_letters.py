"""Messages that nobody can work on: kept as they came, with where from and why, and shown as failed."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from contracts.events import InvalidEvent
from contracts.reasons import cause_of, render
from contracts.results import EntryResult, encode_result
from streams.records import Outgoing, Record
from streams.topics import DEAD_LETTERS, ENTITY_OF_TOPIC, MAX_MESSAGE_BYTES, RESULTS

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "integration.dead-letters")
_OURS = frozenset(
    {"reason", "reason_code", "source_topic", "source_partition", "source_offset", "source_bytes"}
)
_MAX_HEADER_BYTES = 64 * 1024
_MAX_TEXT = 2000


@dataclass(frozen=True)
class Defect:
    """Why a message is a dead letter, and what could be read of it all the same (else blank)."""

    reason_code: str
    reason: str
    remedy: str
    account: str = ""
    entity: str = ""
    record_id: str = ""
    record_number: str = ""
    action: str = ""
    event_id: str = ""
    event_type: str = ""
    event_time: datetime | None = None
    cause: str = ""

    @classmethod
    def of_event(cls, error: InvalidEvent) -> "Defect":
        """The defect of a change event that breaks the contract."""
        return cls(
            reason_code=error.reason_code,
            reason=f"{error.field} is {error.value}: {error.problem}.",
            remedy=error.remedy,
            account=error.account,
            entity=error.entity,
            record_id=error.record_id,
            record_number=error.record_number,
            action=error.action,
            event_id=error.event_id,
            event_type=error.type,
            event_time=error.time,
            cause=cause_of(error.reason_code, error.details),
        )

    @classmethod
    def of_record(cls, record: Record, code: str, problem: str) -> "Defect":
        """A defect of the catalogue (``code``) with what the message's key and topic tell."""
        account, _, record_id = (record.key or b"").decode("utf-8", "replace").partition("/")
        place = f"the message at {record.topic}/{record.partition}/{record.offset}"
        details = {"topic": record.topic, "problem": problem, "message": problem, "document": place}
        reason, remedy = render(code, details)
        return cls(
            reason_code=code,
            reason=reason,
            remedy=remedy,
            account=account if record_id else "",
            entity=ENTITY_OF_TOPIC.get(record.topic, ""),
            record_id=record_id,
            cause=cause_of(code, details),
        )


def dead_letter(record: Record, defect: Defect) -> Outgoing:
    """The message as it came, its headers kept, with ours that say from where and why.

    A value too large for the topic (a compressed batch may hold one) is cut, ``source_bytes`` gives its
    length; the whole of it stands at its source. Headers that are too large together are left out.
    """
    value = record.value
    added = [
        ("reason", defect.reason[:_MAX_TEXT].encode()),
        ("reason_code", defect.reason_code.encode()),
        ("source_topic", record.topic.encode()),
        ("source_partition", str(record.partition).encode()),
        ("source_offset", str(record.offset).encode()),
    ]
    if value is not None and len(value) > MAX_MESSAGE_BYTES:
        added.append(("source_bytes", str(len(value)).encode()))
        value = value[:MAX_MESSAGE_BYTES]
    kept = [(name, content) for name, content in record.headers if name not in _OURS]
    if sum(len(name) + len(content) for name, content in kept) > _MAX_HEADER_BYTES:
        kept = []
    return Outgoing(DEAD_LETTERS, record.key, value, (*kept, *added))


def entry_id_of(topic: str, partition: int, offset: int) -> str:
    """The id of the entry of a dead letter that was read there."""
    return str(uuid.uuid5(_NAMESPACE, f"{topic}/{partition}/{offset}"))


def failed_entry(record: Record, defect: Defect, now: datetime) -> Outgoing:
    """The log's entry of a dead letter. The same message makes the same entry, however often it is read."""
    result = EntryResult(
        entry_id=entry_id_of(record.topic, record.partition, record.offset),
        version=0,
        account=defect.account,
        entity=defect.entity,
        record_id=defect.record_id,
        record_number=defect.record_number,
        action=defect.action,
        state="failed",
        reason_code=defect.reason_code,
        reason=defect.reason[:_MAX_TEXT],
        remedy=defect.remedy[:_MAX_TEXT],
        queued_at=now,
        finished_at=now,
        event_id=defect.event_id,
        event_type=defect.event_type,
        event_time=defect.event_time,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        triggered_by="dead_letter",
        cause=defect.cause,
    )
    return Outgoing(RESULTS, record.key, encode_result(result))


def buried(record: Record, defect: Defect, now: datetime) -> list[Outgoing]:
    """Everything that is sent about a message that nobody can work on."""
    return [dead_letter(record, defect), failed_entry(record, defect, now)]
