"""The whole pipeline as ``sbx up`` runs it: killed in turn, killed at once, published twice; same books."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from kafka import KafkaProducer

from connections import store
from contracts.events.reader import event_to_kafka
from runtime.secrets import SecretBox
from sandbox import Endpoints, find_running
from sandbox.fake_xero.server import FakeXeroServer
from streams.standings import standings
from streams.topics import COMMANDS, RESULTS, SOURCES
from tests.integration.sinks.shops import ENABLED_AT, PATIENCE, SETTINGS, Maker
from tests.reliability.estate import arguments
from tests.reliability.sales import assert_books, sales

pytestmark = pytest.mark.reliability

READ = {"transform": SOURCES, "deliver": (COMMANDS,), "project": (RESULTS,)}
STAGES = tuple(READ)
SALES = 150


class Pipeline:
    """``sbx up`` on a data directory of its own."""

    def __init__(self, data_dir: Path, xero: FakeXeroServer) -> None:
        self._data_dir = data_dir
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SBX_")},
            "SBX_DATA_DIR": str(data_dir),
            "SBX_XERO_API_URL": xero.api_url,
            "SBX_XERO_IDENTITY_URL": xero.identity_url,
        }
        self._said = data_dir.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        sbx = Path(sys.executable).with_name("sbx")
        with self._said.open("wb") as said:
            self._process = subprocess.Popen([sbx, "up"], env=self._environment, stderr=said)
        until = time.monotonic() + PATIENCE
        while "ready" not in self._said.read_text().splitlines():
            assert self._process.poll() is None and time.monotonic() < until, self._said.read_text()
            time.sleep(0.1)

    @property
    def endpoints(self) -> Endpoints:
        found = find_running(self._data_dir)
        assert found is not None
        return found

    def workers(self, *stages: str) -> list[psutil.Process]:
        assert self._process is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        return [child for child in children if any(stage in arguments(child) for stage in stages)]

    def kill(self, *stages: str) -> None:
        workers = self.workers(*stages)
        assert workers, f"no worker of {stages} runs"
        for worker in workers:
            with suppress(psutil.NoSuchProcess):  # it has just ended by itself
                worker.kill()

    def kill_all(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def down(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.communicate(timeout=PATIENCE)

    async def connect(self, xero: FakeXeroServer) -> None:
        box = SecretBox.open(self._data_dir, None)
        async with await psycopg.AsyncConnection.connect(self.endpoints.database_url) as connection:
            await store.save_connection(
                connection,
                account="acme",
                tenant_id=xero.tenant_id,
                tenant_name="Demo",
                client_id=xero.client_id,
                client_secret_encrypted=box.encrypt(xero.client_secret),
                actor="test",
                enabled_at=ENABLED_AT,
            )
            await store.set_settings(connection, "acme", SETTINGS, "test")

    def publish(self, events: list[dict[str, Any]]) -> None:
        with KafkaProducer(bootstrap_servers=self.endpoints.bootstrap_servers.split(",")) as producer:
            for event in events:
                topic, key, value, headers = event_to_kafka(event)
                producer.send(topic, key=key, value=value, headers=list(headers))
            producer.flush()

    def finish(self, entries: int, seconds: float = PATIENCE) -> None:
        """Until the log has so many entries and all have ended."""
        until = time.monotonic() + seconds
        with psycopg.connect(self.endpoints.database_url, autocommit=True) as connection:
            while True:
                rows = connection.execute(
                    "SELECT state, count(*) FROM integrations_log.entries GROUP BY state"
                ).fetchall()
                if dict(rows) == {"completed": entries}:
                    return
                assert time.monotonic() < until, (rows, self._open_entries(connection))
                time.sleep(0.2)

    def has_read_all(self) -> None:
        """Until each stage is past what has been published."""
        kafka = {"bootstrap_servers": self.endpoints.bootstrap_servers}
        until = time.monotonic() + PATIENCE
        for stage, topics in READ.items():
            while any(at.reached < at.end for at in standings(kafka, f"sbx-{stage}", topics).values()):
                assert time.monotonic() < until, stage
                time.sleep(0.1)

    @staticmethod
    def _open_entries(connection: psycopg.Connection) -> list[str]:
        """Return, as JSON, up to five entries that have not completed."""
        rows = connection.execute(
            "SELECT to_json(e)::text FROM integrations_log.entries e WHERE state <> 'completed' LIMIT 5"
        ).fetchall()
        return [text for (text,) in rows]


@pytest.fixture
def pipeline(tmp_path: Path, xero: FakeXeroServer) -> Iterator[Pipeline]:
    running = Pipeline(tmp_path / "data", xero)
    yield running
    running.down()


def test_killed_in_turn_then_all_at_once(pipeline: Pipeline, xero: FakeXeroServer, maker: Maker) -> None:
    xero.admin.fault("latency", times=None, seconds=0.1)
    xero.admin.limits(minute=1000)
    events = sales(maker, SALES)
    pipeline.up()
    asyncio.run(pipeline.connect(xero))
    part = len(events) // 4
    for number, stage in enumerate(STAGES):
        pipeline.publish(events[number * part : (number + 1) * part])
        time.sleep(0.5)
        pipeline.kill(stage)
    pipeline.publish(events[3 * part :])
    time.sleep(1.0)
    pipeline.kill_all()
    pipeline.up()
    pipeline.finish(len(events))
    assert_books(xero.admin.state(xero.tenant_id), SALES)


def test_published_twice_changes_nothing(pipeline: Pipeline, xero: FakeXeroServer, maker: Maker) -> None:
    events = json.loads(json.dumps(sales(maker, 10)))
    pipeline.up()
    asyncio.run(pipeline.connect(xero))
    pipeline.publish(events)
    pipeline.finish(len(events))
    calls = len(xero.admin.calls())
    pipeline.publish(events)
    pipeline.has_read_all()
    pipeline.finish(len(events))
    assert len(xero.admin.calls()) == calls
    assert_books(xero.admin.state(xero.tenant_id), 10)
