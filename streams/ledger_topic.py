"""``integration.ledger``: the marks of the ledger, kept where a restored database cannot take them back.

Compacted: the newest message of each key is all that counts. Keys are ``generation`` (which ledger is at
work), ``intake`` and ``account/{account}``; values are JSON: ``number`` and ``generation`` of the ledger that
wrote it, ``mark``, and ``at``.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from sinks.ledger.generation import Mark, MarkNotStored, Told
from streams.records import Outgoing
from streams.topics import LEDGER

log = structlog.stdlib.get_logger(__name__)

GENERATION = "generation"
_PATIENCE_SECONDS = 20.0
_STORED_WITHIN = 20.0
_BOOTSTRAP_MS = 5000
"""A worker that is asked to end must not wait for a broker that is away."""


class _Kept(msgspec.Struct):
    number: int
    generation: str
    mark: int
    at: datetime


_decoder = msgspec.json.Decoder(_Kept)
_encoder = msgspec.json.Encoder()


def kept(number: int, name: str, mark: Mark) -> Outgoing:
    """Return the message that keeps a mark."""
    value = _encoder.encode(_Kept(number, mark.generation, mark.mark, datetime.now(UTC)))
    return Outgoing(LEDGER, name.encode(), value)


def take_in(told: Told, key: bytes | None, value: bytes | None) -> None:
    """Add the content of one message. The highest of a ledger's marks counts, in any order of storing;
    messages that are not ours are skipped.
    """
    try:
        found = _decoder.decode(value or b"")
        name = (key or b"").decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        log.warning("not a mark of the ledger", key=repr(key))
        return
    if found.number >= told.number:
        told.number, told.generation = found.number, found.generation
    before = told.marks.get(name)
    if before is None or (found.number, found.mark) > (before.number, before.mark):
        told.marks[name] = Mark(found.generation, found.mark, found.number)


class LedgerTopic:
    """The marks in Kafka, as ``sinks.ledger.generation.Marks`` has them."""

    def __init__(
        self, kafka: Mapping[str, Any], send: Callable[[Sequence[Outgoing]], Awaitable[None]]
    ) -> None:
        """Use ``kafka``, kafka-python's arguments, and ``send``, which returns once the broker has stored the
        messages.
        """
        self._reader = Reader(kafka)
        self._send = send

    async def told(self) -> Told:
        """Return all that the topic says now.

        Raises:
            MarkNotStored: the broker does not answer.
        """
        try:
            return await asyncio.to_thread(self._reader.read)
        except KafkaError as error:
            raise MarkNotStored(f"Kafka does not tell what it knows of the ledger: {error}") from error

    async def publish(self, number: int, name: str, mark: Mark) -> None:
        """Keep a mark; returns once the broker has stored it.

        Raises:
            MarkNotStored: it did not say so in time.
        """
        try:
            await asyncio.wait_for(self._send([kept(number, name, mark)]), _STORED_WITHIN)
        except TimeoutError as error:
            raise MarkNotStored("Kafka does not take the ledger's mark") from error
        except Exception as error:
            # aiokafka's own errors, and those of a producer that has ended.
            raise MarkNotStored(f"Kafka does not take the ledger's mark: {error!r}") from error


class Reader:
    """Reads the topic from its beginning to its end, and then each time the new messages."""

    def __init__(self, kafka: Mapping[str, Any]) -> None:
        self._kafka = kafka
        self._consumer: KafkaConsumer | None = None
        self._told = Told()
        self._one_at_a_time = threading.Lock()

    def read(self) -> Told:
        """Return the content of the topic up to its present end.

        Raises:
            KafkaError: the broker does not answer; the next read begins again.
        """
        with self._one_at_a_time:
            try:
                self._read()
            except BaseException:
                self.close()
                raise
            return Told(self._told.number, self._told.generation, dict(self._told.marks))

    def close(self) -> None:
        """Let go of the connection; the next read begins at the beginning."""
        consumer, self._consumer, self._told = self._consumer, None, Told()
        if consumer is not None:
            consumer.close()

    def _read(self) -> None:
        give_up = time.monotonic() + _PATIENCE_SECONDS
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                **{"bootstrap_timeout_ms": _BOOTSTRAP_MS, **self._kafka},
                group_id=None,
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                auto_offset_reset="earliest",
            )
        consumer = self._consumer
        partitions = [
            TopicPartition(LEDGER, number) for number in consumer.partitions_for_topic(LEDGER) or ()
        ]
        if set(partitions) != consumer.assignment():
            consumer.assign(partitions)
            consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions) if partitions else {}
        for partition, end in ends.items():
            if consumer.position(partition) > end:  # created again: it is another topic of the same name
                consumer.seek_to_beginning(partition)
                self._told = Told()
        while any(consumer.position(partition) < end for partition, end in ends.items()):
            for messages in consumer.poll(timeout_ms=200).values():
                for message in messages:
                    take_in(self._told, message.key, message.value)
            if time.monotonic() > give_up:
                raise KafkaError(f"{LEDGER} was not read to its end within {_PATIENCE_SECONDS:g} s")
