"""Idle system: how long an event takes to Xero, and to the log. Xero answers at once; its limits are far."""

import asyncio
import random
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench import bare
from bench.figures import Figure, at_most, percentile
from bench.rig import STAGES, Rig
from bench.sales import Message, sales
from log_projection.projection import CHANNEL

SALES = 40
_PAUSE = (0.05, 0.2)
"""Seconds between an event's end and the next event, at random, so that none of our timers falls in step."""
_ROUND_TRIPS = 120
_PATIENCE = 20.0


def run() -> list[Figure]:
    """Measure from published to accepted by Xero and to completed in the log, in ms."""
    with Rig() as rig:
        rig.xero.admin.limits(minute=1_000_000, day=1_000_000)
        rig.connect(["idle"])
        rig.start(*STAGES)
        rig.warm_up(["idle"])
        trips = asyncio.run(_round_trips(rig.servers))
        messages = list(sales("idle", SALES, first=2))
        offset = rig.clock_offset()
        sent, shown = asyncio.run(one_by_one(rig.servers, rig.database_url, messages))
        calls = [call["at"] + offset for call in rig.xero.admin.calls() if call["method"] in ("PUT", "POST")]
    to_xero = [first_after(calls, moment) - moment for moment in sent]
    to_log = [done - moment for done, moment in zip(shown, sent, strict=True)]
    return [
        _figure("published → at Xero, p50", to_xero, 0.5, trips, 100),
        _figure("published → at Xero, p95", to_xero, 0.95, trips, 300),
        _figure("published → completed in the log, p50", to_log, 0.5, trips, None),
        _figure("published → completed in the log, p95", to_log, 0.95, trips, 2000),
    ]


def _figure(
    what: str, seconds: Sequence[float], share: float, trips: Sequence[float], limit: float | None
) -> Figure:
    return Figure(
        what=what,
        value=percentile(seconds, share) * 1000,
        unit="ms",
        base=f"bare aiokafka round trip, p{share * 100:.0f}",
        base_value=percentile(trips, share) * 1000,
        goal=None if limit is None else at_most(limit),
    )


def first_after(calls: Sequence[float], moment: float) -> float:
    """Return when the first call after ``moment`` came: an event makes one call, and they go one after the
    other.
    """
    return calls[bisect_right(calls, moment)]


async def one_by_one(
    servers: str, database_url: str, messages: Iterable[Message], patience: float = _PATIENCE
) -> tuple[list[float], list[float]]:
    """Publish each message when the one before has ended. When each was published, and shown as completed.

    Raises:
        TimeoutError: one has not ended after ``patience`` seconds.
    """
    chance = random.Random(1)
    sent, shown = [], []
    async with (
        AIOKafkaProducer(bootstrap_servers=servers) as producer,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as log,
    ):
        await log.execute(f"LISTEN {CHANNEL}".encode())
        for message in messages:
            sent.append(time.monotonic())
            await producer.send(message.topic, message.value, message.key, headers=list(message.headers))
            await asyncio.wait_for(_completed(log, message.entry_id), patience)
            shown.append(time.monotonic())
            await asyncio.sleep(chance.uniform(*_PAUSE))
    return sent, shown


async def _completed(log: "psycopg.AsyncConnection[tuple[object, ...]]", entry_id: str) -> None:
    while True:
        cursor = await log.execute("SELECT state FROM integrations_log.entry WHERE entry_id = %s", [entry_id])
        row = await cursor.fetchone()
        if row is not None and row[0] == "failed":
            raise RuntimeError(f"entry {entry_id} has failed")
        if row is not None and row[0] == "completed":
            return
        async for _ in log.notifies(timeout=1.0, stop_after=1):
            continue


async def _round_trips(servers: str) -> list[float]:
    """Return seconds from send to receipt of single messages, with nothing in between."""
    took = []
    topic = bare.TOPIC
    async with (
        AIOKafkaProducer(bootstrap_servers=servers) as producer,
        AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest") as consumer,
    ):
        for _ in range(_ROUND_TRIPS):
            began = time.monotonic()
            await producer.send(topic, b"x" * 1000)
            await consumer.getone()
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.01)
    return took[10:]
