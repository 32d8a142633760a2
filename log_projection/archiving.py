"""The log's part of what goes to the archive: entries of archived actions, their steps and calls."""

from collections.abc import Sequence

from runtime.database import Connection, Row, fetch_all
from runtime.sql import load_queries

_SQL = load_queries(__file__)


async def entries(connection: Connection, ids: Sequence[str]) -> list[Row]:
    """Return these entries, as they are in the log."""
    return await fetch_all(connection, _SQL["entries"], [list(ids)])


async def attempts(connection: Connection, ids: Sequence[str]) -> list[Row]:
    """Return the calls that were made for these entries."""
    return await fetch_all(connection, _SQL["attempts"], [list(ids)])


async def steps(connection: Connection, ids: Sequence[str]) -> list[Row]:
    """Return the steps of these entries that their own rows do not tell."""
    return await fetch_all(connection, _SQL["steps"], [list(ids)])


async def forget(connection: Connection, ids: Sequence[str]) -> None:
    """Take these entries, their steps and their calls out of the log."""
    await connection.execute(_SQL["forget_steps"], [list(ids)])
    await connection.execute(_SQL["forget_attempts"], [list(ids)])
    await connection.execute(_SQL["forget_entries"], [list(ids)])
