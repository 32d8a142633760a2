"""Batches into PostgreSQL: all or nothing, waiting while it is away, setting aside what it cannot hold."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import psycopg
import structlog
from psycopg_pool import AsyncConnectionPool

from connections.environment import Environment
from streams.liveness import Liveness

Item = TypeVar("Item")
Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0

_ABOUT_THE_BATCH = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError)
"""Errors that come again however often the same batch is tried. Every other one of psycopg's is about the
database: away, failing over, full, not migrated yet."""

log = structlog.stdlib.get_logger(__name__)


def database_pool(environment: Environment, name: str, largest: int) -> Pool:
    """A pool that connects when it is entered, and goes on trying while the database is away."""
    arguments = environment.psycopg(name)
    conninfo = arguments.pop("conninfo")
    return AsyncConnectionPool(
        conninfo, kwargs=arguments, min_size=1, max_size=largest, open=False, timeout=10, name=name
    )


class Store(Generic[Item]):
    """Writes batches with ``write``, which does its work in one transaction."""

    def __init__(
        self,
        pool: Pool,
        write: Callable[[psycopg.AsyncConnection[Any], Sequence[Item]], Awaitable[object]],
        liveness: Liveness,
    ) -> None:
        self._pool = pool
        self._write = write
        self._liveness = liveness

    async def save(self, items: Sequence[Item]) -> list[tuple[Item, Exception]]:
        """Save all items but those that cannot be saved, which are returned with the reason.

        Raises:
            Stopped: the stage was asked to end while the database was away.
        """
        if not items:
            return []
        try:
            await self._save(items)
        except _ABOUT_THE_BATCH as error:
            if len(items) == 1:
                return [(items[0], error)]
            half = len(items) // 2
            return [*await self.save(items[:half]), *await self.save(items[half:])]
        return []

    async def _save(self, items: Sequence[Item]) -> None:
        seconds = FIRST_WAIT_SECONDS
        while True:
            try:
                async with self._pool.connection() as connection:
                    await self._write(connection, items)
                return
            except (psycopg.DataError, psycopg.IntegrityError):
                raise
            except psycopg.Error as error:
                log.warning(
                    "the database does not take the batch; trying again",
                    error=str(error).strip(),
                    messages=len(items),
                    wait_seconds=seconds,
                )
            await self._liveness.wait(seconds)
            seconds = min(seconds * 2, LONGEST_WAIT_SECONDS)
