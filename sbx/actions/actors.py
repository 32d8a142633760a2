"""Who acts, and on what database: what every action is given."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg

Connection = psycopg.AsyncConnection[Any]


class Database(Protocol):
    """Where an action takes its connections from: the page's pool, or a command's one connection."""

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection in autocommit mode for a block."""


class OneConnection:
    """A database with a single connection, for a command that does one thing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend it."""
        yield self._connection


class Actor(Protocol):
    """Somebody who acts, and whose accounts these are."""

    @property
    def name(self) -> str:
        """As the history shows it."""

    @property
    def accounts(self) -> tuple[str, ...] | None:
        """Accounts that they see; None means all."""

    def sees(self, account: str) -> bool:
        """True when the account is theirs to see."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """Whoever has the command line has all accounts."""

    name: str
    accounts: tuple[str, ...] | None = None

    def sees(self, account: str) -> bool:
        """True: there is nobody to keep them from it."""
        return self.accounts is None or account in self.accounts
