"""Kafka and PostgreSQL for every test that asks: real ones, started once a run in a directory of their own.

``SBX_TEST_STACK=docker`` takes them from containers (testcontainers) instead of the embedded ones.
"""

import importlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from sandbox import EmbeddedStack

_TEMPLATE = "sbx_template"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder ``shared`` beside the repository: contract, examples, specifications."""
    return Path(__file__).resolve().parents[1].parent / "shared"


class _Stack:
    """Starts each service when the first test asks for it: a run without Kafka tests starts no Kafka."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open = ExitStack()
        self._docker = os.environ.get("SBX_TEST_STACK") == "docker"

    def kafka(self) -> str:
        if self._docker:
            from testcontainers.kafka import KafkaContainer

            container = self._open.enter_context(KafkaContainer("apache/kafka:4.3.1").with_kraft())
            return str(container.get_bootstrap_server())
        return self._open.enter_context(
            EmbeddedStack(self._directory / "k", postgres=False)
        ).bootstrap_servers

    def postgres(self) -> str:
        if self._docker:
            from testcontainers.postgres import PostgresContainer

            container = self._open.enter_context(PostgresContainer("postgres:18", driver=None))
            return str(container.get_connection_url())
        return self._open.enter_context(EmbeddedStack(self._directory / "p", kafka=False)).database_url

    def close(self) -> None:
        self._open.close()


@pytest.fixture(scope="session")
def _stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Stack]:
    stack = _Stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stack.close()


@pytest.fixture(scope="session")
def kafka(_stack: _Stack) -> str:
    """Bootstrap servers of a real Kafka, shared by the whole run: use names of your own (``unique``)."""
    return _stack.kafka()


@pytest.fixture
def unique() -> str:
    """A short text no other test has, for topics, groups and accounts."""
    return uuid.uuid4().hex[:10]


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
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)
        return self.at(database)

    def drop(self, database: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


@pytest.fixture(scope="session")
def _server(_stack: _Stack) -> _Server:
    return _Server(_stack.postgres())


@pytest.fixture(scope="session")
def _migrated(_server: _Server) -> str:
    """Name of the template database with all migrations applied."""
    url = _server.create(_TEMPLATE)
    migrate: Callable[[str], object] = importlib.import_module("ops.migrations").migrate
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
