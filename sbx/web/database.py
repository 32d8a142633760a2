"""Lend database connections to requests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from runtime import schema
from runtime.environment import Environment
from sbx.web.view.times import nearest_times

_SIZE = 8
_BESIDE = 2
"""Connections for exports, and as many for live updates: pages never wait for those."""
_PATIENCE_SECONDS = 4.0
"""How long a request waits for a connection before it says that the database is unavailable."""
_SCHEMA_SECONDS = 5.0
"""How long the schema version is taken as unchanged; checking costs one small query."""

Connection = psycopg.AsyncConnection[Any]


class Database(AsyncConnectionPool[Connection]):
    """A pool that lends connections to a database of our own schema version, and to no other."""

    _schema_good_until = 0.0

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:
        """Lend a connection to a block.

        Raises:
            SchemaDiffers: the tables have another version than this program; checked again each time.
            PoolTimeout: the database is unavailable.
        """
        async with super().connection(timeout) as connection:
            if monotonic() >= self._schema_good_until:
                await schema.check(connection)
                self._schema_good_until = monotonic() + _SCHEMA_SECONDS
            yield connection


def new_pool(environment: Environment, *, beside: bool = False) -> Database:
    """Return a pool that is not open yet. Connections are tested before they are lent, so that a database
    that came back is used at once.

    Args:
        beside: the pool is for what may take long, beside the one for pages.
    """
    arguments = environment.psycopg("sbx-web")
    conninfo = arguments.pop("conninfo")
    return Database(
        conninfo,
        kwargs={**arguments, "autocommit": True, "connect_timeout": 3},
        min_size=0 if beside else 1,
        max_size=_BESIDE if beside else _SIZE,
        timeout=_PATIENCE_SECONDS * (5 if beside else 1),
        # Short: the pool's waits between its own attempts double, and requests come anyway.
        reconnect_timeout=2,
        open=False,
        configure=_configure,
        check=AsyncConnectionPool.check_connection,
    )


async def _configure(connection: Connection) -> None:
    nearest_times(connection)


@asynccontextmanager
async def opened(pool: Database) -> AsyncIterator[Database]:
    """Open the pool, whether or not the database is available yet."""
    await pool.open(wait=False)
    try:
        yield pool
    finally:
        await pool.close(timeout=2)


@asynccontextmanager
async def own_connection(environment: Environment) -> AsyncIterator[Connection]:
    """Open a connection beside the pool, in autocommit mode: for what takes long, or leaves a session that is
    of no use for anything else.
    """
    opened = await psycopg.AsyncConnection.connect(**environment.psycopg("sbx-web"), autocommit=True)
    async with opened as connection:
        await _configure(connection)
        yield connection
