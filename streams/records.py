"""What a stage reads from Kafka and what it sends."""

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it was read. ``value`` none is a tombstone."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to send. The key decides the partition."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
