"""The least that a stage could do: a bare aiokafka loop, as a process of its own.

``python -m bench.bare SERVERS TOPICS COUNT produce SIZE…`` sends messages of these sizes for each it reads;
``… insert DATABASE_URL`` puts every batch into a table. It prints what ``COUNT`` messages took, as JSON.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

_BATCH = 500
TOPIC = "bench.out"
"""Where the loop produces to."""
_TABLE = "CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, key text, value bytea)"
_INSERT = "INSERT INTO bare (key, value) SELECT * FROM unnest(%s::text[], %s::bytea[])"

Work = Callable[[Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Bare:
    """The time and memory that the bare loop used."""

    messages: int
    seconds: float
    cpu: float
    """Seconds of processor time."""
    memory: float
    """MB"""

    @property
    def cpu_a_message(self) -> float:
        """Microseconds of processor time."""
        return self.cpu / self.messages * 1e6


def measure(servers: str, topics: Sequence[str], count: int, *work: str) -> Bare:
    """Run the loop over ``count`` messages in ``topics``.

    Args:
        work: ``produce SIZE…`` or ``insert DATABASE_URL``.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.bare", servers, ",".join(topics), str(count), *work],
        cwd=Path(__file__).resolve().parents[1],
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    return Bare(**json.loads(done.stdout))


async def _loop(servers: str, topics: Sequence[str], count: int, work: Work) -> dict[str, float]:
    consumer = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=servers,
        group_id=f"bare-{time.time_ns()}",
        auto_offset_reset="earliest",
        auto_commit_interval_ms=500,
        max_poll_records=_BATCH,
    )
    await consumer.start()
    try:
        began, used, seen = time.monotonic(), time.process_time(), 0
        while seen < count:
            found = await consumer.getmany(timeout_ms=1000)
            batch = [message for messages in found.values() for message in messages]
            if batch:
                await work(batch)
            seen += len(batch)
        await consumer.commit()
        return {
            "messages": seen,
            "seconds": time.monotonic() - began,
            "cpu": time.process_time() - used,
            "memory": psutil.Process().memory_info().rss / 1e6,
        }
    finally:
        await consumer.stop()


async def _producing(opened: AsyncExitStack, servers: str, sizes: Sequence[int]) -> Work:
    producer = await opened.enter_async_context(AIOKafkaProducer(bootstrap_servers=servers, acks="all"))
    contents = [b"x" * size for size in sizes]

    async def work(batch: Sequence[Any]) -> None:
        stored = [
            await producer.send(TOPIC, content, message.key) for message in batch for content in contents
        ]
        await asyncio.gather(*stored)

    return work


async def _inserting(opened: AsyncExitStack, url: str) -> Work:
    connection = await opened.enter_async_context(await psycopg.AsyncConnection.connect(url, autocommit=True))
    await connection.execute(_TABLE)

    async def work(batch: Sequence[Any]) -> None:
        async with connection.transaction():
            await connection.execute(_INSERT, [[m.key.decode() for m in batch], [m.value for m in batch]])

    return work


async def _main(servers: str, topics: str, count: str, kind: str, *details: str) -> None:
    async with AsyncExitStack() as opened:
        if kind == "produce":
            work = await _producing(opened, servers, [int(size) for size in details])
        else:
            work = await _inserting(opened, details[0])
        used = await _loop(servers, topics.split(","), int(count), work)
    sys.stdout.write(json.dumps(used))


if __name__ == "__main__":
    uvloop.run(_main(*sys.argv[1:]))
