"""Dead letters: messages that cannot be processed, kept as they came, with their place and the fault, and
shown as failed.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import msgspec

from contracts.events.envelope import ACCOUNT
from contracts.events.invalid import clean
from contracts.events.reader import InvalidEvent
from contracts.messages import Unreadable, named_in
from contracts.reasons import cause_of, render
from contracts.results import EntryResult, encode_result
from streams.records import Headers, Outgoing, Record
from streams.topics import DEAD_LETTERS, ENTITY_OF_TOPIC, MAX_DEAD_LETTER_BYTES, MAX_MESSAGE_BYTES, RESULTS

Message = TypeVar("Message")
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "integration.dead-letters")
_OURS = frozenset(
    {
        "reason",
        "reason_code",
        "source_topic",
        "source_partition",
        "source_offset",
        "source_last_offset",
        "source_topic_id",
        "source_bytes",
        "source_key_bytes",
        "source_header_bytes",
    }
)
_MAX_KEY_BYTES = 64 * 1024
_MAX_HEADER_BYTES = 64 * 1024
_RESULT_KEY_BYTES = 1024
"""The key of a dead letter's entry only decides its partition."""
_MAX_TEXT = 2000
_AGAIN = " Then publish the change again with the id that it had."
_BYTES_A_HEADER = 16
"""Lengths and deltas that Kafka's record format puts around each header, at most."""
_ROOM = 16 * 1024
"""Room for our own headers and for Kafka's batch around the record."""


@dataclass(frozen=True)
class DeadLetterReason:
    """Why a message is a dead letter, and its readable parts (else blank)."""

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
    def of_event(cls, error: InvalidEvent) -> "DeadLetterReason":
        """Return the defect of a change event that breaks the contract."""
        return cls(
            reason_code=error.reason_code,
            reason=f"{error.field} is {error.value}: {error.problem}.",
            remedy=error.remedy + ("" if error.reason_code == "event_empty" else _AGAIN),
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
    def of_record(cls, record: Record, code: str, problem: str) -> "DeadLetterReason":
        """Return a defect of the catalogue (``code``) with the identity in the message's key and topic."""
        account, record_id = _owner(record.key)
        place = f"the message at {record.topic}/{record.partition}/{record.offset}"
        return cls._of_catalogue(record.topic, code, problem, place, account, record_id)

    @classmethod
    def of_unreadable(cls, record: Record, problem: str) -> "DeadLetterReason":
        """Return the defect of an invalid command or result, with the identity in its key, else in its
        value.
        """
        by_key = cls.of_record(record, "command_unreadable", problem)
        said = named_in(record.value)
        if by_key.account and (by_key.account, by_key.record_id) != (said.account, said.record_id):
            return by_key
        return replace(by_key, **msgspec.structs.asdict(said))

    @classmethod
    def of_range(cls, topic: str, partition: int, first: int, last: int, problem: str) -> "DeadLetterReason":
        """Return the defect of offsets that Kafka's client cannot read: no key, no value, nothing
        is known.
        """
        what = "the message" if first == last else "the messages"
        offsets = f"{first}" if first == last else f"{first} to {last}"
        place = f"{what} at {topic}/{partition}, offset {offsets}"
        return cls._of_catalogue(topic, "record_unreadable", problem, place, "", "")

    @classmethod
    def _of_catalogue(
        cls, topic: str, code: str, problem: str, place: str, account: str, record_id: str
    ) -> "DeadLetterReason":
        problem = clean(problem)
        details = {"topic": topic, "problem": problem, "message": problem, "document": place, "place": place}
        reason, remedy = render(code, details)
        return cls(
            reason_code=code,
            reason=reason,
            remedy=remedy,
            account=account,
            entity=ENTITY_OF_TOPIC.get(topic, ""),
            record_id=record_id,
            cause=cause_of(code, details),
        )


@dataclass(frozen=True)
class Letter:
    """A message that becomes a dead letter, and why.

    ``last_offset`` is set if it stands for a range of offsets that begins with the record's. Without
    ``entry``, the log gets no entry for it.
    """

    record: Record
    defect: DeadLetterReason
    last_offset: int | None = None
    entry: bool = True


def readable(
    records: Iterable[Record], read: Callable[[bytes], Message], tell: Callable[..., object]
) -> tuple[list[tuple[Record, Message]], list[Letter]]:
    """Return what ``read`` makes of these messages, and the dead letters that the others become."""
    messages: list[tuple[Record, Message]] = []
    letters: list[Letter] = []
    for record in records:
        try:
            messages.append((record, read(record.value or b"")))
        except Unreadable as error:
            tell(partition=record.partition, offset=record.offset, error=str(error))
            letters.append(Letter(record, DeadLetterReason.of_unreadable(record, str(error))))
    return messages, letters


def unreadable(topic: str, partition: int, first: int, last: int, problem: str) -> Letter:
    """Return the letter of offsets ``first`` to ``last`` (that one included) that Kafka's client cannot read.

    ``problem`` says why in the client's words: a codec, a checksum, an encoding, a size.
    """
    record = Record(topic, partition, first, None, None)
    defect = DeadLetterReason.of_range(topic, partition, first, last, problem)
    return Letter(record, defect, None if last == first else last)


def to_dead_letters(letters: Iterable[Letter], topic_ids: Mapping[str, str], now: datetime) -> list[Outgoing]:
    """Return everything that is sent about messages that nobody can work on.

    ``topic_ids`` are the ids of the letters' topics by name, as ``streams.topic_ids`` tells them; a topic
    that is not among them has none.
    """
    sent = []
    for letter in letters:
        topic_id = topic_ids.get(letter.record.topic, "")
        sent.append(dead_letter(letter, topic_id))
        if letter.entry:
            sent.append(failed_entry(letter, now, topic_id))
    return sent


def dead_letter(letter: Letter, topic_id: str = "") -> Outgoing:
    """Return the message as it came, with its headers, and ours that say from where and why.

    The letter always fits its topic: if everything together does not, a key is cut after 64 KiB, headers of
    more than 64 KiB are left out, and the value is cut to the remaining room (never more than 4 MiB).
    ``source_key_bytes``, ``source_header_bytes`` and ``source_bytes`` then give the original length; the
    whole message is at its source.
    """
    record, defect = letter.record, letter.defect
    key, value = record.key, record.value
    kept = tuple((_name(name), content) for name, content in record.headers if name not in _OURS)
    added = [
        ("reason", _text(defect.reason).encode()),
        ("reason_code", defect.reason_code.encode()),
        ("source_topic", record.topic.encode()),
        ("source_partition", str(record.partition).encode()),
        ("source_offset", str(record.offset).encode()),
    ]
    if letter.last_offset is not None:
        added.append(("source_last_offset", str(letter.last_offset).encode()))
    if topic_id:
        added.append(("source_topic_id", topic_id.encode()))
    if _size(key, value, kept) > MAX_DEAD_LETTER_BYTES - _ROOM or len(value or b"") > MAX_MESSAGE_BYTES:
        if _size(None, None, kept) > _MAX_HEADER_BYTES:
            added.append(("source_header_bytes", str(_size(None, None, kept)).encode()))
            kept = ()
        if key is not None and len(key) > _MAX_KEY_BYTES:
            added.append(("source_key_bytes", str(len(key)).encode()))
            key = key[:_MAX_KEY_BYTES]
        if value is not None and len(value) > MAX_MESSAGE_BYTES:
            added.append(("source_bytes", str(len(value)).encode()))
            value = value[:MAX_MESSAGE_BYTES]
    return Outgoing(DEAD_LETTERS, key, value, (*kept, *added))


def entry_id_of(record: Record, topic_id: str = "", last_offset: int | None = None) -> str:
    """Return the id of the entry of a dead letter, made of its place, the topic's id and a digest of its
    bytes.

    A broker that is set up again, or a topic that is created again, counts from 0: by place alone, its first
    messages would have the ids of earlier ones.
    """
    place = f"{record.topic}/{record.partition}/{record.offset}"
    if last_offset is not None:
        place += f"-{last_offset}"
    return str(uuid.uuid5(_NAMESPACE, f"{place}/{topic_id}/{_digest(record)}"))


def place_id_of(topic: str, partition: int, offset: int) -> str:
    """Return the id that earlier versions gave to the entry of a dead letter, made of the place alone."""
    return str(uuid.uuid5(_NAMESPACE, f"{topic}/{partition}/{offset}"))


def failed_entry(letter: Letter, now: datetime, topic_id: str = "") -> Outgoing:
    """Return the log's entry of a dead letter. The same message makes the same entry, however often it is
    read.
    """
    record, defect = letter.record, letter.defect
    result = EntryResult(
        entry_id=entry_id_of(record, topic_id, letter.last_offset),
        version=0,
        account=defect.account if ACCOUNT.fullmatch(defect.account) else "",
        entity=defect.entity,
        record_id=clean(defect.record_id),
        record_number=clean(defect.record_number),
        action=defect.action,
        state="failed",
        reason_code=defect.reason_code,
        reason=_text(defect.reason),
        remedy=_text(defect.remedy),
        queued_at=now,
        finished_at=now,
        event_id=clean(defect.event_id),
        event_type=clean(defect.event_type),
        event_time=defect.event_time,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        triggered_by="dead_letter",
        cause=_text(defect.cause),
    )
    key = None if record.key is None else record.key[:_RESULT_KEY_BYTES]
    return Outgoing(RESULTS, key, encode_result(result))


def _owner(key: bytes | None) -> tuple[str, str]:
    """Return the account and record id that a key names, blank if it names none."""
    head = (key or b"")[:_RESULT_KEY_BYTES].decode("utf-8", "replace")
    account, _, record_id = head.partition("/")
    record_id = clean(record_id).strip()
    return (account, record_id) if record_id and ACCOUNT.fullmatch(account) else ("", "")


def _digest(record: Record) -> str:
    """Return the SHA-256 (hex) of key, value and headers, each with its length, so that none runs into the
    next.
    """
    digest = hashlib.sha256()
    parts: list[bytes | None] = [record.key, record.value]
    for name, content in record.headers:
        parts += [name.encode("utf-8", "surrogatepass"), content]
    for part in parts:
        digest.update(b"-" if part is None else b"%d:" % len(part))
        digest.update(part or b"")
    return digest.hexdigest()


def _size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Return the most bytes that a message can take in a record batch."""
    of_headers = sum(len(name.encode()) + len(content) + _BYTES_A_HEADER for name, content in headers)
    return len(key or b"") + len(value or b"") + of_headers


def _name(name: str) -> str:
    """Return a header's name that can be sent again; bytes that are no UTF-8 are shown as U+FFFD."""
    return name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _text(text: str) -> str:
    """Return at most 2,000 characters, without any that a topic or the database cannot hold."""
    return _name(text[:_MAX_TEXT]).replace("\0", "\ufffd")
