"""Kafka, PostgreSQL and SalesBinder go away in turn while workers read SalesBinder: each change is told, in
its order, and while the broker is away nobody else tells the same.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from runtime.environment import Environment
from sandbox.kafka import EmbeddedKafka
from sandbox.process import Ports, no_progress
from sources.worker import Worker, publisher
from streams.topics import create_topics
from tests.integration.sources.test_reader import Server, assert_told_whole, serving, told
from tests.integration.sources.test_worker import Published, connect, quickly, until_idle
from tests.reliability.proxy import Proxy

pytestmark = [pytest.mark.reliability, pytest.mark.long]
__all__ = ["quickly"]

AWAY = 75.0
"""Seconds: longer than a lease, and than a transaction may be idle."""
PATIENCE = 120.0
_WAITS_IN_A_TRANSACTION = """
SELECT application_name FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%'
  AND state_change < clock_timestamp() - interval '10 seconds'
"""


@dataclass
class Parts:
    """What a worker needs, each behind a proxy. ``past`` is the environment that goes past the proxies."""

    kafka: Proxy
    postgres: Proxy
    salesbinder: Proxy
    environment: Environment
    past: Environment


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, EmbeddedKafka]]:
    """A Kafka of this module's own, that clients see through a proxy."""
    directory = tmp_path_factory.mktemp("kafka")
    ports = Ports(directory / "ports.json")
    with ExitStack() as opened:
        proxy = opened.enter_context(Proxy())
        proxy.target = ("127.0.0.1", ports.take("kafka", "kafka_controller")["kafka"])
        kafka = EmbeddedKafka(directory / "kafka", ports, advertised_port=proxy.port)
        opened.callback(kafka.stop)
        kafka.start(no_progress)
        yield proxy, kafka


@pytest.fixture
def parts(broker: tuple[Proxy, EmbeddedKafka], database_url: str, tmp_path: Path) -> Iterator[Parts]:
    kafka, _ = broker
    url = urlsplit(database_url)
    assert url.hostname and url.port
    with Proxy((url.hostname, url.port)) as postgres, Proxy() as salesbinder:
        through = url._replace(netloc=url.netloc.replace(f":{url.port}", f":{postgres.port}")).geturl()
        environment = Environment(
            kafka_bootstrap_servers=f"127.0.0.1:{kafka.port}",
            database_url=through,
            data_dir=tmp_path,
            salesbinder_api_url=f"http://127.0.0.1:{salesbinder.port}/api/2.0",
        )
        past = replace(environment, database_url=database_url)
        yield Parts(kafka, postgres, salesbinder, environment, past)


@asynccontextmanager
async def working(environment: Environment) -> AsyncIterator[None]:
    """A worker, which ends soon when it is told to, whatever is away."""
    stop = asyncio.Event()
    async with publisher(environment) as publish:
        task = asyncio.create_task(Worker(environment, publish).run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE)


async def rows(parts: Parts, query: str) -> list[tuple[object, ...]]:
    assert parts.past.database_url is not None
    async with await psycopg.AsyncConnection.connect(parts.past.database_url, autocommit=True) as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def until(parts: Parts, query: str) -> None:
    """Wait until the query has a row."""
    give_up = time.monotonic() + PATIENCE
    while not await rows(parts, query):
        assert time.monotonic() < give_up, query
        await asyncio.sleep(0.2)


async def events_of(parts: Parts, account: str, path: Path) -> tuple[list[bytes], list[dict[str, Any]]]:
    """The account's records as they stand on the topics, and each event once."""
    assert parts.past.kafka_bootstrap_servers is not None
    servers = parts.past.kafka_bootstrap_servers
    lines = await asyncio.to_thread(lambda: Published(servers, from_the_start=True).of(account))
    await asyncio.to_thread(path.write_bytes, b"\n".join(lines))
    return lines, told(path)


async def test_each_goes_away_in_turn(parts: Parts, tmp_path: Path, quickly: None, unique: str) -> None:
    server = Server(31, acts=60)
    async with serving(server) as address:
        parts.salesbinder.target = ("127.0.0.1", urlsplit(address).port or 0)
        await asyncio.to_thread(create_topics, parts.past.kafka_python())
        await connect(parts.past, unique, "k3y-1")
        async with working(parts.environment), working(parts.environment):
            for proxy in (parts.kafka, parts.postgres, parts.salesbinder) * 2:
                proxy.refuse()
                await asyncio.sleep(3)
                proxy.go_on()
                await asyncio.sleep(2)
                proxy.stall()
                await asyncio.sleep(3)
                proxy.go_on()
                proxy.cut()
                await asyncio.sleep(2)
            await until_idle(parts.past, server)
    _, events = await events_of(parts, unique, tmp_path / "told")
    assert_told_whole(server.shop, events)


async def test_the_broker_is_away_for_longer_than_a_lease(
    parts: Parts, tmp_path: Path, quickly: None, unique: str
) -> None:
    """No transaction waits for it, no other worker takes the account meanwhile, and nothing is told twice."""
    server = Server(32, acts=30)
    async with serving(server) as address:
        parts.salesbinder.target = ("127.0.0.1", urlsplit(address).port or 0)
        await asyncio.to_thread(create_topics, parts.past.kafka_python())
        await connect(parts.past, unique, "k3y-1")
        async with working(parts.environment), working(parts.environment):
            await until(parts, "SELECT 1 FROM source.scans WHERE key LIKE 'all/%' HAVING count(finished) = 4")
            parts.kafka.refuse()
            try:
                await until(parts, "SELECT 1 FROM source.outbox LIMIT 1")
                fence = await rows(parts, "SELECT holder, fence FROM source.leases")
                gone = time.monotonic() + AWAY
                while time.monotonic() < gone:
                    assert await rows(parts, _WAITS_IN_A_TRANSACTION) == []
                    await asyncio.sleep(2)
                assert await rows(parts, "SELECT holder, fence FROM source.leases") == fence
                held = "SELECT expires_at > clock_timestamp() + interval '20 seconds' FROM source.leases"
                assert await rows(parts, held) == [(True,)]
            finally:
                parts.kafka.go_on()
            await until_idle(parts.past, server)
    lines, events = await events_of(parts, unique, tmp_path / "told")
    assert len(lines) == len(set(lines)), "told twice"
    assert_told_whole(server.shop, events)


async def test_a_worker_ends_although_the_broker_is_away(
    parts: Parts, tmp_path: Path, quickly: None, unique: str
) -> None:
    server = Server(33, acts=30)
    async with serving(server) as address:
        parts.salesbinder.target = ("127.0.0.1", urlsplit(address).port or 0)
        await asyncio.to_thread(create_topics, parts.past.kafka_python())
        await connect(parts.past, unique, "k3y-1")
        try:
            async with asyncio.timeout(PATIENCE * 2), working(parts.environment):
                await until(parts, "SELECT 1 FROM source.scans HAVING count(finished) >= 4")
                parts.kafka.refuse()
                await until(parts, "SELECT 1 FROM source.outbox LIMIT 1")
                began = time.monotonic()
            assert time.monotonic() - began < 40
        finally:
            parts.kafka.go_on()
        async with working(parts.environment):
            await until_idle(parts.past, server)
    _, events = await events_of(parts, unique, tmp_path / "told")
    assert_told_whole(server.shop, events)
