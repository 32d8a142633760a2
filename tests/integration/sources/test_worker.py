"""Workers that read SalesBinder into a real Kafka."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaConsumer, TopicPartition

from runtime.environment import Environment
from runtime.secrets import SecretBox
from sources.schedule import budget, layers
from sources.store import store
from sources.worker import Worker, publisher
from streams.topics import create_topics
from tests.integration.sources.test_reader import Server, assert_told_whole, serving, told

TOPICS = (
    "salesbinder.customers",
    "salesbinder.suppliers",
    "salesbinder.invoices",
    "salesbinder.purchase-orders",
)
SECOND = timedelta(seconds=1)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every layer is due each second, and the limits are wide."""
    monkeypatch.setattr(budget, "WINDOWS", ((timedelta(seconds=10), 5000),))
    monkeypatch.setattr(budget, "BACKGROUND", ((timedelta(seconds=10), 5000),))
    paces = {layer: layers.Pace(SECOND, SECOND, pace.overlap) for layer, pace in layers.PACES.items()}
    monkeypatch.setattr(layers, "PACES", paces)


async def connect(environment: Environment, account: str, key: str) -> None:
    box = SecretBox.open(environment.data_dir, environment.secret_key)
    assert environment.database_url is not None
    async with await psycopg.AsyncConnection.connect(environment.database_url, autocommit=True) as connection:
        await store.connect(connection, account, box.encrypt(key))


@asynccontextmanager
async def working(environment: Environment) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with publisher(environment) as publish:
        task = asyncio.create_task(Worker(environment, publish).run(stop))
        try:
            yield
        finally:
            stop.set()
            await task


class Published:
    """What is published from here on, unless the broker has nothing else: other tests left records in theirs
    that no ordinary client can read.
    """

    def __init__(self, servers: str, *, from_the_start: bool = False) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
        self._parts = [
            TopicPartition(name, part)
            for name in TOPICS
            for part in self._consumer.partitions_for_topic(name) or ()
        ]
        self._consumer.assign(self._parts)
        begin = self._consumer.beginning_offsets if from_the_start else self._consumer.end_offsets
        for part, offset in begin(self._parts).items():
            self._consumer.seek(part, offset)

    def of(self, account: str) -> list[bytes]:
        """The account's events in the order of their partitions."""
        ends, found = self._consumer.end_offsets(self._parts), list[bytes]()
        while any(self._consumer.position(part) < ends[part] for part in self._parts):
            for records in self._consumer.poll(timeout_ms=500).values():
                found += [
                    each.value for each in records if (each.key or b"").startswith(f"{account}/".encode())
                ]
        self._consumer.close()
        return found


async def until_idle(environment: Environment, server: Server) -> None:
    """Wait until nothing happens any more, all rows were seen since, and all of it is published."""
    assert environment.database_url is not None
    give_up = time.monotonic() + 90
    async with await psycopg.AsyncConnection.connect(environment.database_url, autocommit=True) as connection:
        while server.acts:
            assert time.monotonic() < give_up
            await asyncio.sleep(0.2)
        asked = len(server.stub.asked)
        while len(server.stub.asked) < asked + 150:
            assert time.monotonic() < give_up
            await asyncio.sleep(0.2)
        while await (await connection.execute("SELECT 1 FROM source.outbox LIMIT 1")).fetchone():
            assert time.monotonic() < give_up
            await asyncio.sleep(0.2)


async def test_two_workers_tell_a_shop_once_and_in_order(
    kafka: str, database_url: str, tmp_path: Path, unique: str, quickly: None
) -> None:
    server = Server(8, acts=50)
    async with serving(server) as address:
        environment = Environment(
            kafka_bootstrap_servers=kafka,
            database_url=database_url,
            data_dir=tmp_path,
            salesbinder_api_url=address,
        )
        await asyncio.to_thread(create_topics, environment.kafka_python())
        published = await asyncio.to_thread(Published, kafka)
        await connect(environment, unique, "k3y-1")
        async with working(environment), working(environment):
            await until_idle(environment, server)
    lines = await asyncio.to_thread(published.of, unique)
    path = tmp_path / "told"
    path.write_bytes(b"\n".join(lines))
    events = told(path)
    assert len(events) == len(lines)
    assert_told_whole(server.shop, events)


async def test_a_new_key_is_used_at_once(
    kafka: str, database_url: str, tmp_path: Path, unique: str, quickly: None
) -> None:
    server = Server(9, acts=0)
    server.statuses = [401] * 5
    async with serving(server) as address:
        environment = Environment(
            kafka_bootstrap_servers=kafka,
            database_url=database_url,
            data_dir=tmp_path,
            salesbinder_api_url=address,
        )
        await connect(environment, unique, "k3y-1")
        async with working(environment):
            await asyncio.sleep(3)
            assert server.keys == ["k3y-1"] * 5
            await connect(environment, unique, "k3y-2")
            give_up = time.monotonic() + 30
            while len(server.keys) < 10:
                assert time.monotonic() < give_up
                await asyncio.sleep(0.1)
    assert set(server.keys[5:]) == {"k3y-2"}
