"""Kafka and PostgreSQL for every test that asks: real ones, started once a run in a directory of their own.

``SBX_TEST_STACK=docker`` takes them from containers (testcontainers) instead of the embedded ones.
``SBX_TEST_RANDOM=1`` draws hypothesis' examples anew.
"""

import importlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from sandbox import EmbeddedStack
from sandbox.fake_xero.strict import VARIABLE

ROOT = Path(__file__).resolve().parents[1]
_TEMPLATE = "sbx_template"
_XERO_DESCRIPTION = ROOT.parent / "shared" / "spec" / "xero_accounting.yaml.gz"


# How long an example takes, or is drawn, says how busy the machine is. The examples are the same each time:
# no change is refused for what another one has brought in.
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="SBX_TEST_RANDOM" not in os.environ,
    print_blob=True,
)
hypothesis.settings.load_profile("any machine")


def pytest_configure() -> None:
    """Every fake Xero of the run, in whatever process, refuses bodies that Xero's description does not know,
    and those that are started with ``FakeXeroServer`` fail their tests for it.
    """
    if _XERO_DESCRIPTION.is_file():
        os.environ[VARIABLE] = str(_XERO_DESCRIPTION)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if VARIABLE not in os.environ:
        terminalreporter.write_line(
            f"The fake Xero was not strict: {_XERO_DESCRIPTION} is missing", yellow=True
        )


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder ``shared`` beside the repository: contract, examples, specifications."""
    directory = ROOT.parent / "shared"
    assert directory.is_dir(), f"{directory} is missing: put the folder shared beside the checkout"
    return directory


class _Embedded:
    """Starts each service when the first test asks for it: a run without Kafka tests starts no Kafka."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started = ExitStack()

    def kafka(self) -> str:
        return self._start("k", postgres=False).bootstrap_servers

    def postgres(self) -> str:
        return self._start("p", kafka=False).database_url

    def _start(self, name: str, **services: bool) -> EmbeddedStack:
        return self._started.enter_context(EmbeddedStack(self._directory / name, **services))

    def close(self) -> None:
        self._started.close()


class _Containers:
    """Kafka and PostgreSQL of ``docker-compose.yml``, under a project name of their own."""

    def __init__(self) -> None:
        from testcontainers.compose import DockerCompose

        os.environ |= {
            "COMPOSE_PROJECT_NAME": "sbx-test",
            "SBX_DB_PASSWORD": "test",
            "SBX_SECRET_KEY": "unused",
        }
        self._compose = DockerCompose(ROOT, services=["kafka", "postgres"])
        self._compose.start()

    def kafka(self) -> str:
        return "localhost:9092"

    def postgres(self) -> str:
        return "postgresql://sbx:test@localhost:5432/sbx"

    def close(self) -> None:
        self._compose.stop()


@pytest.fixture(scope="session")
def _stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Embedded | _Containers]:
    in_docker = os.environ.get("SBX_TEST_STACK") == "docker"
    stack = _Containers() if in_docker else _Embedded(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def kafka(_stack: _Embedded | _Containers) -> str:
    """Bootstrap servers of a real Kafka, shared by the whole run: use names of your own (``unique``)."""
    return _stack.kafka()


@pytest.fixture
def unique() -> str:
    """A short text no other test has, for topics, groups and accounts."""
    return uuid.uuid4().hex[:10]


def renew_ledger(database_url: str) -> None:
    """Make a new database the ledger at work for the run's one broker, which has seen others."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE ledger.generation SET number = %s, id = gen_random_uuid()", [time.time_ns() // 1_000_000]
        )


@dataclass(frozen=True)
class _Server:
    """A PostgreSQL server and its migrated template database."""

    url: str

    def at(self, database: str) -> str:
        return self.url.rpartition("/")[0] + f"/{database}"

    def create(self, database: str, template: str | None = None) -> str:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(database), sql.Identifier(template or "template0")
        )
        self._execute(statement)
        if template is not None:
            renew_ledger(self.at(database))
        return self.at(database)

    def drop(self, database: str) -> None:
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _execute(self, statement: sql.Composed) -> None:
        """The server gives sessions that it ends five seconds, which a busy machine may not give them."""
        until = time.monotonic() + 120
        with psycopg.connect(self.url, autocommit=True) as connection:
            while True:
                try:
                    connection.execute(statement)
                    return
                except psycopg.errors.ObjectInUse:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.2)


@pytest.fixture(scope="session")
def _server(_stack: _Embedded | _Containers) -> _Server:
    return _Server(_stack.postgres())


@pytest.fixture(scope="session")
def _migrated(_server: _Server) -> str:
    """Name of the template database with all migrations applied."""
    url = _server.create(_TEMPLATE)
    migrate: Callable[[str], object] = importlib.import_module("sbx.migrations").migrate
    migrate(url)
    return _TEMPLATE


@pytest.fixture
def empty_database_url(_server: _Server) -> Iterator[str]:
    """URL of a database of this test's own, without any table."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    yield _server.create(name)
    _server.drop(name)


@pytest.fixture
def database_url(_server: _Server, _migrated: str) -> Iterator[str]:
    """URL of a database of this test's own, migrated (copied from a template: 30 ms)."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield _server.create(name, _migrated)
    _server.drop(name)


@pytest.fixture(scope="module")
def module_database_url(_server: _Server, _migrated: str) -> Iterator[str]:
    """Like ``database_url``, one for all tests of a module."""
    name = f"module_{uuid.uuid4().hex[:12]}"
    yield _server.create(name, _migrated)
    _server.drop(name)
