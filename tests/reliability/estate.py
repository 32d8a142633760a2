"""A whole installation whose every part can be taken away: Kafka, PostgreSQL, Xero and workers, with a proxy
before each service.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psutil
import psycopg
from kafka import KafkaProducer

from contracts.events.reader import event_to_kafka
from sandbox.fake_xero.server import FakeXeroServer
from sandbox.kafka import EmbeddedKafka
from sandbox.postgres import EmbeddedPostgres
from sandbox.process import Ports, no_progress
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, connect, environment_of
from tests.reliability.proxy import Proxy
from tests.reliability.sales import assert_books, sales

EVENTS_A_SALE = 4


class Estate:
    """Everything, as a context manager; one connected account, ``acme``, whose sales are numbered on."""

    def __init__(self, directory: Path, xero: FakeXeroServer, clock_rate: float = 1.0) -> None:
        """``clock_rate``: how much faster the workers take Xero's windows to pass."""
        self.xero = xero
        self._clock_rate = clock_rate
        self.published: list[dict[str, Any]] = []
        self.data_dir = directory / "data"
        self.data_dir.mkdir()
        self._maker = Maker()
        self._sold = 0
        self._opened = ExitStack()
        ports = Ports(directory / "ports.json")
        url = urlsplit(xero.api_url)
        assert url.hostname and url.port
        self.xero_proxy = Proxy((url.hostname, url.port))
        self.kafka_proxy, self.postgres_proxy = Proxy(), Proxy()
        for proxy in (self.xero_proxy, self.kafka_proxy, self.postgres_proxy):
            self._opened.enter_context(proxy)
        self.kafka = EmbeddedKafka(directory / "kafka", ports, advertised_port=self.kafka_proxy.port)
        self.postgres = EmbeddedPostgres(
            directory / "postgres", directory / "password", directory / "postgres.log", ports
        )
        self._said = directory / "up.log"
        self._workers: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self._opened.callback(self.postgres.stop)
            self.start_postgres()
            self._opened.callback(self.kafka.stop)
            self.kafka_proxy.target = self._address_of_kafka
            self.start_kafka()
            self._up()
            self.connect()
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def connect(self) -> None:
        """Connect the account, with settings that serve most tests."""
        asyncio.run(connect(self.shop))

    @property
    def maker(self) -> Maker:
        """Makes events of the account."""
        return self._maker

    @property
    def shop(self) -> Shop:
        """The account, past the proxies."""
        environment = environment_of(self.postgres.database_url, self.xero, self.data_dir)
        return Shop("acme", environment, self.xero)

    def _address_of_kafka(self) -> tuple[str, int]:
        """Its own address, chosen at each start, which already speaks to the advertised one."""
        host, _, port = self.kafka.bootstrap_servers.partition(":")
        return host, int(port)

    # Services

    def start_kafka(self) -> None:
        self.kafka.start(no_progress)

    def start_postgres(self) -> None:
        self.postgres.start(no_progress)
        address = urlsplit(self.postgres.database_url)
        assert address.port
        self.postgres_proxy.target = ("127.0.0.1", address.port)

    def end_kafka(self, how: signal.Signals) -> None:
        """The broker's own process gets the signal."""
        [broker] = self._brokers()
        broker.send_signal(how)
        broker.wait(PATIENCE)
        self.kafka.stop()

    def end_postgres(self, how: signal.Signals) -> None:
        [server] = self._servers()
        server.send_signal(how)
        server.wait(PATIENCE)
        self.postgres.stop()

    def start_what_ended(self) -> None:
        """Start Kafka and PostgreSQL again where they ended by themselves, as a supervisor does."""
        if not self._brokers():
            self.kafka.stop()
            self.start_kafka()
        if not self._servers():
            self.postgres.stop()
            self.start_postgres()

    def _brokers(self) -> list[psutil.Process]:
        mark = f"-Dsbx.data_dir={self.kafka._directory}"
        return [p for p in children() if _is(p, mark, "java")]

    def _servers(self) -> list[psutil.Process]:
        mark = f"--sbx.data_dir={self.postgres._directory}"
        servers = [p for p in children() if _is(p, mark, "postgres")]
        return [p for p in servers if _lives(p) and _parent(p) not in {other.pid for other in servers}]

    # Workers

    @property
    def environment(self) -> dict[str, str]:
        address = urlsplit(self.postgres.database_url)
        through = f"127.0.0.1:{self.postgres_proxy.port}"
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("SBX_")},
            "SBX_DATA_DIR": str(self.data_dir),
            "SBX_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self.kafka_proxy.port}",
            "SBX_DATABASE_URL": f"postgresql://{address.netloc.rpartition('@')[0]}@{through}{address.path}",
            "SBX_XERO_API_URL": f"http://127.0.0.1:{self.xero_proxy.port}",
            "SBX_XERO_IDENTITY_URL": f"http://127.0.0.1:{self.xero_proxy.port}",
            "SBX_CLOCK_RATE": str(self._clock_rate),
        }

    def _up(self) -> None:
        with self._said.open("wb") as said:
            up = subprocess.Popen([sbx_path(), "up"], env=self.environment, stderr=said)
        self._opened.callback(_end, up)
        self.wait("up", lambda: "ready" in self._said.read_text().splitlines())

    @property
    def page(self) -> str:
        """Where ``sbx up`` serves the page."""
        found = re.search(r"^page +(\S+)$", self._said.read_text(), re.MULTILINE)
        assert found is not None
        return found[1]

    def add_worker(self, stage: str) -> int:
        """Another process of a stage, beside those of ``sbx up``; its process id."""
        process = subprocess.Popen(
            [sbx_path(), "worker", stage],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._workers[process.pid] = process
        self._opened.callback(_end, process)
        return process.pid

    def remove_worker(self, pid: int) -> None:
        _end(self._workers[pid])

    def worker(self, stage: str) -> psutil.Process:
        """The process of a stage that ``sbx up`` runs."""
        [found] = [p for p in children() if arguments(p)[-2:] == ["sbx.cli.local.child", stage]]
        return found

    # Traffic

    def sell(self, count: int) -> None:
        """Publish so many sales more."""
        self.publish(sales(self._maker, count, first=self._sold + 1))
        self._sold += count

    def publish(self, events: Iterable[dict[str, Any]]) -> None:
        """Publish; returns when the broker has stored all."""
        servers = self.kafka.bootstrap_servers
        with KafkaProducer(bootstrap_servers=servers, retries=100, delivery_timeout_ms=240_000) as producer:
            for event in events:
                self.published = [*self.published, event]
                topic, key, value, headers = event_to_kafka(event)
                producer.send(topic, key=key, value=value, headers=list(headers))
            producer.flush(PATIENCE)

    def finish(self, seconds: float = PATIENCE) -> None:
        """Until the log shows every sale as completed; then the books must show each of them once."""
        wanted = {"completed": self._sold * EVENTS_A_SALE}
        self.wait(f"the log's {wanted}", lambda: self.states() == wanted, seconds)
        assert_books(self.xero.admin.state(self.xero.tenant_id), self._sold)

    def states(self) -> dict[str, int]:
        """Entries of the log by state."""
        statement = "SELECT state, count(*) FROM integrations_log.entries GROUP BY state"
        return {str(state): int(count) for state, count in self.rows(statement)}

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a query, past the proxy."""
        with psycopg.connect(self.postgres.database_url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchall()

    def status(self) -> dict[str, Any]:
        """What ``sbx status --json`` says."""
        asked = subprocess.run(
            [sbx_path(), "status", "--json"],
            env=self.environment,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        assert asked.stdout, asked.stderr.decode()
        return dict(json.loads(asked.stdout))

    def says(self, *words: str) -> bool:
        """True when the status is not ready and its problems have all these words."""
        status = self.status()
        problems = " ".join(status["problems"])
        return not status["ready"] and all(word in problems for word in words)

    def wait(self, what: str, holds: Callable[[], bool], seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, f"not in {seconds:.0f} s: {what}; {self._found()}"
            time.sleep(0.2)

    def _found(self) -> object:
        try:
            return self.states(), self._said.read_text()[-1500:]
        except psycopg.Error as error:
            return error, self._said.read_text()[-1500:]


def sbx_path() -> str:
    return str(Path(sys.executable).with_name("sbx"))


def children() -> Iterable[psutil.Process]:
    return [p for p in psutil.Process().children(recursive=True) if _lives(p)]


def _is(process: psutil.Process, mark: str, program: str) -> bool:
    """True for a process of this program with this argument; one that has just ended is none."""
    try:
        return mark in process.cmdline() and program in process.name()
    except psutil.NoSuchProcess:
        return False


def arguments(process: psutil.Process) -> list[str]:
    """Its command line; that of a process that has just ended is empty."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _parent(process: psutil.Process) -> int | None:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:  # a session that has just ended
        return None


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(45)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
