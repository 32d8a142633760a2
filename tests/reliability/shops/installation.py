"""The whole pipeline as processes, in which workers may be killed and services be away."""

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
from kafka import KafkaConsumer, TopicPartition
from psycopg.rows import dict_row

from bench.processes import StageProcess, own_environ
from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from sandbox.kafka import EmbeddedKafka
from sandbox.postgres import EmbeddedPostgres
from sandbox.process import Ports, no_progress
from sbx.migrations import migrate
from streams.broker import Broker, behind
from streams.topics import TOPICS_OF, create_topics, group_of
from tests.integration.sinks.shops import environment_of
from tests.reliability.proxy import Proxy
from tests.reliability.shops.clock import FIRST

SOURCE = "source"
WORKERS = (SOURCE, *TOPICS_OF)
EVENT_TOPICS = (
    "salesbinder.customers",
    "salesbinder.suppliers",
    "salesbinder.invoices",
    "salesbinder.purchase-orders",
)
_KILLED: dict[str, int] = {SOURCE: 5, "deliver": 2, "transform": 1, "project": 1}
"""Who is killed how often: what is new is the reader."""
_AWAY = 4.0
XERO_RATE = 20.0
"""Xero's minute lasts three seconds."""


@dataclass(frozen=True)
class Message:
    """An event as it stands in its topic."""

    topic: str
    key: bytes
    value: bytes


class Installation:
    """Kafka, PostgreSQL, the fake Xero, and a process of each worker, as a context manager."""

    def __init__(self, directory: Path, salesbinder_port: int, pace: float) -> None:
        self._directory, self._pace = directory, pace
        self._opened = ExitStack()
        self._processes: dict[str, StageProcess] = {}
        self.salesbinder = Proxy(("127.0.0.1", salesbinder_port))
        self.kafka_proxy, self.postgres_proxy = Proxy(), Proxy()
        self.xero = FakeXeroServer(subprocess=True)
        ports = Ports(directory / "ports.json")
        self._opened.enter_context(self.kafka_proxy)
        self._kafka = EmbeddedKafka(directory / "kafka", ports, advertised_port=self.kafka_proxy.port)
        self._postgres = EmbeddedPostgres(
            directory / "postgres", directory / "password", directory / "postgres.log", ports
        )
        self.struck: Counter[str] = Counter()
        """How often each worker was killed, and each service was away."""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.stop()
        self._opened.close()

    def _start(self) -> None:
        (self._directory / "data").mkdir()
        for each in (self.salesbinder, self.postgres_proxy, self.xero):
            self._opened.enter_context(each)
        self._opened.callback(self._postgres.stop)
        self._postgres.start(no_progress)
        self.postgres_proxy.target = ("127.0.0.1", urlsplit(self.database_url).port or 0)
        self._opened.callback(self._kafka.stop)
        self.kafka_proxy.target = self._address_of_kafka
        self._kafka.start(no_progress)
        migrate(self.database_url)
        create_topics({"bootstrap_servers": self.servers})
        self.xero.admin.set_clock(rate=XERO_RATE)
        self.xero.admin.limits(minute=1_000_000, day=1_000_000)

    def work(self) -> None:
        """Start all workers."""
        for name in WORKERS:
            self._begin(name)

    def _address_of_kafka(self) -> tuple[str, int]:
        host, _, port = self._kafka.bootstrap_servers.partition(":")
        return host, int(port)

    @property
    def database_url(self) -> str:
        """Past the proxy."""
        return self._postgres.database_url

    @property
    def servers(self) -> str:
        """Kafka's, through the proxy: clients get to see no other."""
        return f"127.0.0.1:{self.kafka_proxy.port}"

    @property
    def environment(self) -> Environment:
        """For what is done to the installation from outside."""
        return environment_of(self.database_url, self.xero, self._directory / "data")

    def _begin(self, name: str) -> None:
        url = urlsplit(self.database_url)
        through = url._replace(
            netloc=url.netloc.replace(f":{url.port}", f":{self.postgres_proxy.port}")
        ).geturl()
        environ = own_environ() | {
            "SBX_KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "SBX_DATABASE_URL": through + (FIRST if name == SOURCE else ""),
            "SBX_DATA_DIR": str(self._directory / "data"),
            "SBX_XERO_API_URL": self.xero.api_url,
            "SBX_XERO_IDENTITY_URL": self.xero.identity_url,
            "SBX_SALESBINDER_API_URL": f"http://127.0.0.1:{self.salesbinder.port}/{{account}}/api/2.0",
            "SBX_CLOCK_RATE": str(self._pace if name == SOURCE else XERO_RATE),
            # The same name in its group: what is started anew has its partitions back at once.
            "SBX_WORKER_NAME": f"shops-{name}",
        }
        command = ("-m", "tests.reliability.source_process") if name == SOURCE else ()
        self._processes[name] = StageProcess(name, environ, self._directory, command=command)

    def check(self) -> None:
        """Raise ``Ended`` if a worker has ended by itself."""
        for process in self._processes.values():
            process.check()

    # What strikes

    def kill(self, chance: random.Random) -> None:
        """Kill a worker as a power cut does, and start it anew."""
        [name] = chance.choices([*_KILLED], [*_KILLED.values()])
        self._processes[name].kill()
        self.struck[f"{name} killed"] += 1
        self._begin(name)

    def outages(self, chance: random.Random) -> list[Callable[[], None]]:
        """Return what takes each service away for some seconds, in an order of chance."""
        proxies = {
            "Kafka": self.kafka_proxy,
            "PostgreSQL": self.postgres_proxy,
            "SalesBinder": self.salesbinder,
        }
        acts = [
            (f"{name} {what}", proxy, how)
            for name, proxy in proxies.items()
            for what, how in (("refuses", proxy.refuse), ("hangs", proxy.stall), ("cuts", proxy.cut))
        ]
        chance.shuffle(acts)

        def outage(name: str, proxy: Proxy, how: Callable[[], None]) -> Callable[[], None]:
            def strike() -> None:
                self.struck[name] += 1
                how()
                time.sleep(_AWAY)
                proxy.go_on()
                proxy.cut()

            return strike

        return [outage(*each) for each in acts]

    # What has become of all

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return rows, past the proxy."""
        with psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def is_done(self) -> bool:
        """Return True if all that was published has been through all stages, and Xero has answered."""
        with Broker({"bootstrap_servers": self.servers}) as broker:
            for stage, topics in TOPICS_OF.items():
                if behind(broker.ends([*topics]), broker.committed(group_of(stage)), {}):
                    return False
        open_rows = self.rows(
            "SELECT 1 FROM ledger.commands WHERE state IN ('queued', 'running') "
            "UNION ALL SELECT 1 FROM ledger.outbox LIMIT 1"
        )
        return not open_rows

    def messages(self) -> list[Message]:
        """Return all events, those of each partition in their order."""
        consumer = KafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False)
        parts = [TopicPartition(t, p) for t in EVENT_TOPICS for p in consumer.partitions_for_topic(t) or ()]
        consumer.assign(parts)
        consumer.seek_to_beginning(*parts)
        ends, found = consumer.end_offsets(parts), list[Message]()
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=500).values():
                found += [Message(each.topic, each.key, each.value) for each in records]
        consumer.close()
        return found
