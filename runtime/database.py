"""Rows of a statement as dictionaries by column."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import psycopg
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
