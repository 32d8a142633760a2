"""Stages as the processes that they are, on the run's real broker and a database of each test's own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from sandbox.fake_xero.server import FakeXeroServer
from streams.records import Outgoing, Record
from streams.topics import create_topics

if TYPE_CHECKING:
    from tests.integration.streams.installation import Installation

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 240.0
"""Seconds until something is taken to be broken: a takeover after SIGKILL alone takes ten, and a watchdog two
minutes.
"""


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until it holds."""
    give_up = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < give_up, f"not in {PATIENCE:.0f} s: {what}"
        time.sleep(0.05)


class StageProcess:
    """One ``python -m streams STAGE``."""

    def __init__(self, stage: str, environ: dict[str, str], log: Path, tree: Path = ROOT) -> None:
        self._stage = stage
        self._log = log
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streams", stage],
                cwd=tree,
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What it and its predecessors wrote to stderr."""
        return self._log.read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_until_ready(self) -> "StageProcess":
        """Wait for the line that says so."""
        before = self.log.count('"event": "stopped"')
        eventually(lambda: self.log.count('"event": "ready"') > before or self.code() is not None, "ready")
        assert self.code() is None, self.log
        return self

    def code(self) -> int | None:
        """Exit code, none while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Exit code, once it has ended."""
        return self._process.wait(PATIENCE)

    def stop(self) -> None:
        """End it as an operator does; it must end well."""
        self._process.send_signal(signal.SIGTERM)
        assert self.wait() == 0, self.log

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()


class StartStage(Protocol):
    """Starts a stage; more than one call starts more processes of it."""

    def __call__(self, stage: str, database_url: str = "", tree: Path = ROOT, **environ: str) -> StageProcess:
        """The process, not waited for. ``tree``: where the program's packages are."""


@pytest.fixture(scope="session")
def broker(kafka: str) -> str:
    """The run's broker with the product's topics."""
    create_topics({"bootstrap_servers": kafka})
    return kafka


@pytest.fixture
def start_stage(broker: str, tmp_path: Path) -> Iterator[StartStage]:
    """Starts stages, and kills at the end of the test what still runs."""
    started: list[StageProcess] = []

    def start(stage: str, database_url: str = "", tree: Path = ROOT, **environ: str) -> StageProcess:
        own = {name: value for name, value in os.environ.items() if not name.startswith("SBX_")}
        own |= {"SBX_KAFKA_BOOTSTRAP_SERVERS": broker, "SBX_DATA_DIR": str(tmp_path / "data")}
        own |= {"SBX_DATABASE_URL": database_url} if database_url else {}
        process = StageProcess(stage, own | environ, tmp_path / f"{stage}-{len(started)}.log", tree)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.code() is None:
            process.kill()


class Broker:
    """A publisher and a reader of what has come since the test began."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._producer = KafkaProducer(
            bootstrap_servers=servers, max_request_size=5_000_000, reconnect_backoff_max_ms=1000
        )
        self._consumers: dict[str, KafkaConsumer] = {}
        self._seen: dict[str, list[Record]] = {}

    def publish(self, messages: Sequence[Outgoing]) -> list[Record]:
        """Publish; the messages as the broker stored them."""
        futures = [
            self._producer.send(m.topic, key=m.key, value=m.value, headers=list(m.headers)) for m in messages
        ]
        self._producer.flush()
        stored = [future.get(timeout=PATIENCE) for future in futures]
        return [
            Record(m.topic, at.partition, at.offset, m.key, m.value, m.headers)
            for m, at in zip(messages, stored, strict=True)
        ]

    def watch(self, *topics: str) -> None:
        """Read these topics from here on."""
        for topic in topics:
            consumer = KafkaConsumer(bootstrap_servers=self._servers, max_partition_fetch_bytes=6_000_000)
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(partitions)
            for partition in partitions:
                consumer.seek_to_end(partition)
                consumer.position(partition)
            self._consumers[topic], self._seen[topic] = consumer, []

    def seen(self, topic: str, key_prefix: str = "") -> list[Record]:
        """Part of what a watched topic has, more of it each time, in order per partition."""
        for messages in self._consumers[topic].poll(timeout_ms=100).values():
            self._seen[topic] += [self._record(message) for message in messages]
        return [r for r in self._seen[topic] if (r.key or b"").startswith(key_prefix.encode())]

    def all_of(self, topic: str, key_prefix: str = "") -> list[Record]:
        """All that a watched topic has at this moment, in order per partition."""
        consumer = self._consumers[topic]
        ends = consumer.end_offsets(list(consumer.assignment()))

        def read() -> bool:
            self.seen(topic)
            return all(consumer.position(partition) >= end for partition, end in ends.items())

        eventually(read, f"all of {topic}")
        return self.seen(topic, key_prefix)

    def wait_for(self, topic: str, count: int, key_prefix: str = "") -> list[Record]:
        """The first ``count`` messages with such a key, once they are there."""
        eventually(
            lambda: len(self.seen(topic, key_prefix)) >= count,
            f"{count} messages of '{key_prefix}' on {topic}",
        )
        return self.seen(topic, key_prefix)

    def close(self) -> None:
        """Close all clients."""
        self._producer.close()
        for consumer in self._consumers.values():
            consumer.close()

    @staticmethod
    def _record(message: Any) -> Record:
        return Record(
            message.topic,
            message.partition,
            message.offset,
            message.key,
            message.value,
            tuple(message.headers),
        )


@pytest.fixture
def traffic(broker: str) -> Iterator[Broker]:
    """Publishes and reads on the run's broker."""
    clients = Broker(broker)
    yield clients
    clients.close()


@pytest.fixture
def installation(
    start_stage: StartStage, traffic: Broker, database_url: str, tmp_path: Path
) -> Iterator["Installation"]:
    """Three accounts with a fake Xero that takes its time."""
    from tests.integration.streams.installation import Installation

    with FakeXeroServer() as xero:
        xero.admin.limits(minute=1000)  # no test of these waits for Xero's minute to pass
        xero.admin.fault("latency", times=None, seconds=0.05)
        yield Installation(start_stage, traffic, database_url, xero, tmp_path)
