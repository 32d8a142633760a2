"""Publish events in their order, once the broker answers, however long it was away when the process began."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from runtime import metrics
from runtime.environment import Environment
from sources.entries import RESULTS
from sources.events import HEADERS
from sources.reader import Publish, Published

log = structlog.stdlib.get_logger(__name__)

_FLUSH_SECONDS: Final = 3.0
_AGAIN_SECONDS: Final = 1.0
_REMIND_SECONDS: Final = 60.0

Waiting = Callable[[str], None]
"""Called with why the process waits for Kafka, at each try; with a blank text once it does not."""


class Stopped(Exception):
    """The process is to stop, and nothing was begun."""


@asynccontextmanager
async def publisher(
    environment: Environment, stop: asyncio.Event | None = None, waiting: Waiting = lambda _: None
) -> AsyncIterator[Publish]:
    """Open an idempotent producer that waits for all replicas, once the broker answers.

    Raises:
        Stopped: ``stop`` was set before the broker answered.
    """
    producer = await _started(environment, stop or asyncio.Event(), waiting)

    async def publish(events: Sequence[Published]) -> None:
        sent = [
            await producer.send(topic, value, key=key, headers=[] if topic == RESULTS else list(HEADERS))
            for topic, key, value in events
        ]
        await asyncio.gather(*sent)
        for topic, _, _ in events:
            metrics.MESSAGES_OUT.labels(topic).inc()

    try:
        yield publish
    finally:
        # It flushes first, which takes as long as the broker is away; what is left stays in the outbox.
        await _ended(producer)


async def _started(environment: Environment, stop: asyncio.Event, waiting: Waiting) -> AIOKafkaProducer:
    """Return a producer that has reached the broker.

    It is told in one line when the waiting begins, in one each minute, and in one when it is over; the
    library's own lines, one for each broker and try, say no more than that.
    """
    began = time.monotonic()
    told = began - _REMIND_SECONDS
    is_waiting = False
    with _without_the_librarys_lines():
        while True:
            producer = _producer(environment)
            try:
                await _unless(stop, producer)
                break
            except Stopped:
                await _ended(producer)
                raise
            except (KafkaError, OSError) as error:
                await _ended(producer)
                is_waiting = True
                waiting(str(error))
                if time.monotonic() - told >= _REMIND_SECONDS:
                    told = time.monotonic()
                    log.warning("waiting for Kafka", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _AGAIN_SECONDS)
    if is_waiting:
        log.info("Kafka answers", after_seconds=round(time.monotonic() - began))
    waiting("")
    return producer


async def _ended(producer: AIOKafkaProducer) -> None:
    with suppress(TimeoutError, KafkaError, OSError):
        await asyncio.wait_for(producer.stop(), _FLUSH_SECONDS)


async def _unless(stop: asyncio.Event, producer: AIOKafkaProducer) -> None:
    """Start the producer.

    Raises:
        KafkaError, OSError: the broker does not answer.
        Stopped: the process is to stop.
    """
    starting, stopping = asyncio.create_task(producer.start()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            raise Stopped
        starting.result()
    finally:
        for task in (starting, stopping):
            task.cancel()
        await asyncio.wait({starting, stopping})


@contextmanager
def _without_the_librarys_lines() -> Iterator[None]:
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _producer(environment: Environment) -> AIOKafkaProducer:
    login = environment.kafka_python()
    return AIOKafkaProducer(
        bootstrap_servers=login["bootstrap_servers"],
        security_protocol=environment.kafka_security_protocol,
        ssl_context=login["ssl_context"],
        sasl_mechanism=environment.kafka_sasl_mechanism or "PLAIN",
        sasl_plain_username=environment.kafka_sasl_username,
        sasl_plain_password=environment.kafka_sasl_password,
        acks="all",
        enable_idempotence=True,
        max_request_size=4_000_000,
    )
