"""A stage's input from Kafka and its output."""

from dataclasses import dataclass
from typing import Any

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it was read. A ``value`` of None is a tombstone."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    at: float = 0.0
    """Its time on the topic, Unix seconds; 0 if it has none."""


def record_of(message: Any) -> Record:
    """Return a message of kafka-python as a record, without its time."""
    headers = tuple((name, content or b"") for name, content in message.headers)
    return Record(message.topic, message.partition, message.offset, message.key, message.value, headers)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to send. The key decides the partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


_PUBLISHED = "published_at"


def published_header(source: Record) -> Headers:
    """Return the header that tells the last stage when the event behind a result was published."""
    return ((_PUBLISHED, f"{source.at:.3f}".encode()),) if source.at else ()


def published_at(record: Record) -> float | None:
    """Return when the event behind a result was published, in Unix seconds; None if the result does not
    say.
    """
    try:
        return float(dict(record.headers)[_PUBLISHED])
    except (KeyError, ValueError):
        return None
