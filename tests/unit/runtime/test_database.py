"""Reads that stand alone, on a connection that notes in which mode it was used."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg.pq import TransactionStatus

from runtime.database import single_reads

IDLE, INTRANS, ACTIVE = TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.ACTIVE


@dataclass
class Connection:
    autocommit: bool = False
    info: Any = field(default_factory=lambda: SimpleNamespace(transaction_status=IDLE))
    reads: list[bool] = field(default_factory=list)
    """Whether each of them was in autocommit mode."""

    async def set_autocommit(self, value: bool) -> None:
        assert self.info.transaction_status == IDLE, "psycopg refuses that"
        self.autocommit = value

    def read(self) -> None:
        self.reads.append(self.autocommit)


@asynccontextmanager
async def lent(connection: Connection) -> AsyncIterator[Any]:
    yield connection


async def read(connection: Connection, ends: Exception | None = None, leaves: Any = IDLE) -> None:
    async with single_reads(lent(connection)) as used:
        used.read()  # type: ignore[attr-defined]
        connection.info.transaction_status = leaves
        if ends is not None:
            raise ends


def test_a_read_has_no_transaction_around_it_and_the_next_user_has_one_again() -> None:
    connection = Connection()
    asyncio.run(read(connection))
    assert (connection.reads, connection.autocommit) == ([True], False)


def test_a_transaction_of_somebody_else_is_left_alone() -> None:
    connection = Connection(info=SimpleNamespace(transaction_status=INTRANS))
    asyncio.run(read(connection, leaves=INTRANS))
    assert (connection.reads, connection.autocommit) == ([False], False)


def test_a_connection_that_is_in_autocommit_mode_stays_so() -> None:
    connection = Connection(autocommit=True)
    asyncio.run(read(connection))
    assert (connection.reads, connection.autocommit) == ([True], True)


@pytest.mark.parametrize("leaves", [IDLE, ACTIVE, TransactionStatus.UNKNOWN])
def test_a_read_that_fails_tells_its_own_error(leaves: TransactionStatus) -> None:
    connection = Connection()
    with pytest.raises(ConnectionError, match="away"):
        asyncio.run(read(connection, ConnectionError("away"), leaves))
    assert connection.autocommit is (leaves != IDLE)  # the pool closes what is not idle
