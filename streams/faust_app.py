"""Build and run a stage: one Faust app, one consumer group, one process.

A stage is a handler of batches. When it returns, everything that it sent has been stored by the broker and
the batch may be committed; when it raises, the process ends without committing, and the batch is read again
after the restart. That is the whole of the delivery guarantee: at least once, in order per key.

In a backlog, messages of accounts with few of them are handled between the batches, ahead of their place; the
batch that they are in then leaves them out. What is committed is decided by the batches alone.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import faust
import structlog
from faust.tables import TableManager

from runtime import metrics
from runtime.crash_points import crash_is_planned, crash_point
from runtime.environment import Environment
from streams.batches import Passed
from streams.batching import batches as gathered
from streams.fetching import backlog, commit_for, read_with_faust
from streams.liveness import Liveness, Stopped, Watchdog, die
from streams.reading_ahead import ReadingAhead, places_of
from streams.records import Outgoing, Record
from streams.topic_ids import TopicsRead
from streams.topics import DEAD_LETTERS, MAX_DEAD_LETTER_BYTES

Handler = Callable[[Sequence[Record]], Awaitable[None]]
Background = Callable[[asyncio.Event], Coroutine[Any, Any, None]]

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True)
class StageSpec:
    """The work of a stage. ``background`` runs beside the handler until its event is set, then ends."""

    topics: tuple[str, ...]
    handle: Handler
    background: Background | None = None
    measure: Callable[[], None] | None = None
    """Brings the stage's own gauges up to date; called from another thread."""
    database: bool = False
    """True if the stage works with the database."""


class Producer:
    """Sends through the app's producer."""

    def __init__(self, app: faust.App) -> None:
        self._app = app

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Send, and return once the broker has stored all of them. Order per key is kept.

        Raises:
            Exception: the broker did not store one of them; others may have been stored.
        """
        if messages:
            crash_point("kafka.before_send")
        producer = self._app.producer
        stored = [
            await producer.send(
                message.topic, _key(message), message.value, None, None, list(message.headers) or None
            )
            for message in messages
        ]
        await asyncio.gather(*stored)
        if messages:
            crash_point("kafka.after_send")
        for topic, count in Counter(message.topic for message in messages).items():
            metrics.MESSAGES_OUT.labels(topic).inc(count)
        for message in messages:
            if message.topic == DEAD_LETTERS:
                reason = dict(message.headers).get("reason_code", b"")
                metrics.DEAD_LETTERS.labels(reason.decode(errors="replace")).inc()


def _key(message: Outgoing) -> bytes | None:
    """Return its key. The client refuses a message with neither key nor value, which others'
    clients do not.
    """
    return b"" if message.key is None and message.value is None else message.key


class NoTables(TableManager):
    """Begins at once: Faust's own waits a second for tables, of which we have none, and nothing is read
    before.
    """

    async def on_start(self) -> None:
        """Do the rest of what Faust's own does."""
        await self._update_channels()
        await self.recovery.start()


def build_app(group: str, environment: Environment, topics: TopicsRead) -> faust.App:
    """Return a Faust app with the settings that were measured to keep every message.

    ``topics`` begins before the app does.
    """
    # Faust insists on a directory for tables, of which we have none, and makes only its last part.
    datadir = environment.data_dir / "faust" / group
    datadir.parent.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        **environment.faust(),
        "datadir": str(datadir),
        "store": "memory://",
        # Past this, aiokafka leaves the group and never comes back while Faust waits for it.
        "broker_max_poll_interval": 86400.0,
        "broker_session_timeout": 10.0,
        "broker_heartbeat_interval": 3.0,
        "broker_commit_interval": 0.5,
        # No tables: aiokafka's own assignor re-delivers least in a rebalance.
        "table_standby_replicas": 0,
        "TableManager": NoTables,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "producer_acks": -1,
        "producer_max_request_size": MAX_DEAD_LETTER_BYTES,
        # Per partition, and there are up to 48: with 4 MB a backlog took 270 MB of memory, so it takes 140.
        # A larger message still comes through, because the broker always sends at least one whole batch.
        "consumer_max_fetch_size": 1024 * 1024,
        "consumer_auto_offset_reset": "earliest",
        # A topic that is created again is noticed before the watchdog gives the worker up.
        "consumer_metadata_max_age_ms": 10_000,
        "producer_metadata_max_age_ms": 10_000,
        "web_enabled": False,
        "autodiscover": False,
    }
    if environment.worker_name:
        settings["consumer_group_instance_id"] = environment.worker_name
    app = faust.App(group, **settings)
    read_with_faust(app)
    commit_for(topics)
    return app


def consume(app: faust.App, stage: StageSpec, liveness: Liveness, ahead: ReadingAhead) -> None:
    """Let the app hand every batch of the stage's topics to its handler."""
    if crash_is_planned():
        app.sensors.add(_Commits(liveness))
    channel = app.topic(
        *stage.topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    # One batch at a time: with more, Faust keeps no order and loses messages in a crash.
    @app.agent(channel, concurrency=1)
    async def handled(stream: Any) -> None:
        async for events in ahead.parts(gathered(stream)):
            await _handle_ahead(stage.handle, ahead, liveness)
            records = ahead.rest_of(
                [_record(event.message) for event in events if not isinstance(event.message.value, Passed)]
            )
            if records:
                await _handle(stage.handle, records)
            ahead.passed(places_of(events))
            liveness.mark()
            liveness.batch_done()
            _count(records)
            for event in events:
                backlog.done(event.message)
            records.clear()


async def _handle_ahead(handle: Handler, ahead: ReadingAhead, liveness: Liveness) -> None:
    records = ahead.turn()
    if records:
        await _handle(handle, records)
        ahead.handled(records)
        liveness.mark()
        _count(records)
        for topic, count in Counter(record.topic for record in records).items():
            metrics.HANDLED_AHEAD.labels(topic).inc(count)


class _Commits(faust.Sensor):
    """Sees offsets committed. Faust tries every half second, whether there is something to commit or not."""

    def __init__(self, liveness: Liveness) -> None:
        super().__init__()
        self._liveness = liveness
        self._committed = 0

    def on_commit_initiated(self, consumer: Any) -> int | None:
        done = self._liveness.signs_of_life
        if done == self._committed:
            return None
        crash_point("ack.before_commit")
        return done

    def on_commit_completed(self, consumer: Any, state: int | None) -> None:
        if state is not None:
            crash_point("ack.after_commit")
            self._committed = state


async def _handle(handle: Handler, records: Sequence[Record]) -> None:
    try:
        await handle(records)
    except Stopped:
        log.info("stopped with a batch undone; it is read again at the next start", messages=len(records))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - cancellation too: what leaves here lets Faust acknowledge the batch
        die("a batch failed", first=_place(records[0]), last=_place(records[-1]), messages=len(records))


def _count(records: Sequence[Record]) -> None:
    now = time.time()
    for topic, count in Counter(record.topic for record in records).items():
        metrics.MESSAGES_IN.labels(topic).inc(count)
    ages = {record.topic: metrics.MESSAGE_SECONDS.labels(record.topic) for record in records}
    for record in records:
        if record.at:
            ages[record.topic].observe(max(0.0, now - record.at))


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"


def _record(message: Any) -> Record:
    headers = tuple((name, content or b"") for name, content in message.headers or ())
    at = message.timestamp or 0.0
    return Record(message.topic, message.partition, message.offset, message.key, message.value, headers, at)


async def serve(
    app: faust.App, stage: StageSpec, liveness: Liveness, watchdog: Watchdog, ahead: ReadingAhead
) -> None:
    """Run the app and the stage's background until SIGTERM or SIGINT, then shut down cleanly.

    Order of the end: the background first (it may still send), then the batch at hand is finished and
    committed, then the producer closes. Anything that ends by itself ends the process.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app.monitor = _CommitTimes(liveness)
    consume(app, stage, liveness, ahead)
    turning = asyncio.create_task(liveness.turn())
    await app.start()
    watchdog.start()
    log.info("ready", topics=stage.topics)

    guards = [asyncio.create_task(_ends_never(app.wait_until_stopped(), "the consumer"))]
    background: asyncio.Task[None] | None = None
    if stage.background is not None:
        background = asyncio.create_task(stage.background(stop))
        guards.append(asyncio.create_task(_ends_only_after(stop, background)))
    await stop.wait()
    log.info("stopping")
    if background is not None:
        await background
    for guard in guards:
        guard.cancel()
    liveness.stopping.set()
    watchdog.end()
    await app.stop()
    await ahead.close()
    turning.cancel()
    log.info("stopped")


class _CommitTimes(faust.Monitor):
    """Faust's own monitor, which is the one that hears of commits."""

    def __init__(self, liveness: Liveness) -> None:
        super().__init__()
        self._liveness = liveness

    def on_tp_commit(self, tp_offsets: Any) -> None:
        """Note that offsets were committed."""
        super().on_tp_commit(tp_offsets)
        self._liveness.committed()


async def _ends_never(waited: Awaitable[object], what: str) -> None:
    await waited
    die(f"{what} ended by itself")


async def _ends_only_after(stop: asyncio.Event, background: "asyncio.Task[None]") -> None:
    await asyncio.wait([background])
    if not stop.is_set():
        log.critical("the background work ended by itself", exc_info=background.exception())
        die("a worker without its background work is none")
