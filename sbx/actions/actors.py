"""Who acts, and on which database: the arguments of every action."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg

Connection = psycopg.AsyncConnection[Any]


class Database(Protocol):
    """Where an action gets its connections: the page's pool, or a command's single connection."""

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection in autocommit mode to a block."""


class OneConnection:
    """A database with a single connection, for a command that does one thing and ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend the one connection."""
        yield self._connection


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: who they are, whose accounts they see, and where they are."""

    name: str
    """Their name, as the history shows it."""
    accounts: tuple[str, ...] | None = None
    """Accounts that they can see; None means all, as for the command line's user."""
    address: str = "cli"
    """The address of a browser or a program, ``cli`` for the command line."""

    def sees(self, account: str) -> bool:
        """Return True if they can see the account."""
        return self.accounts is None or account in self.accounts
