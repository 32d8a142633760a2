"""Rows of a statement as dictionaries by column, and reads that need no transaction."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, LiteralString

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed

Connection = psycopg.AsyncConnection[Any]
Row = dict[str, Any]
Statement = LiteralString | SQL | Composed
Parameters = Mapping[str, Any] | Sequence[Any]


async def fetch_all(
    connection: Connection,
    statement: Statement,
    parameters: Parameters | None = None,
    *,
    prepare: bool | None = None,
) -> list[Row]:
    """Return all rows.

    Args:
        prepare: False if the statement is to be planned for these values each time, so that a filter that is
            left out does not cost a filter's plan.

    Raises:
        psycopg.Error: the database is away, or refuses the statement.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, parameters, prepare=prepare)
        return await cursor.fetchall()


async def fetch_one(
    connection: Connection, statement: Statement, parameters: Parameters | None = None
) -> Row | None:
    """Return the first row, or None if there is none.

    Raises:
        psycopg.Error: the database is away, or refuses the statement.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement, parameters)
        return await cursor.fetchone()


@asynccontextmanager
async def single_reads(lent: AbstractAsyncContextManager[Connection]) -> AsyncIterator[Connection]:
    """Use a pool's connection for reads that stand alone: each is one round trip, and not three, with BEGIN
    before and COMMIT behind it. A connection whose transaction is another's stays in it.
    """
    async with lent as connection:
        if connection.autocommit or connection.info.transaction_status != TransactionStatus.IDLE:
            yield connection
            return
        await connection.set_autocommit(True)
        try:
            yield connection
        finally:
            # In any other state the pool closes the connection.
            if connection.info.transaction_status == TransactionStatus.IDLE:
                await connection.set_autocommit(False)
