"""Write batches to PostgreSQL, all or nothing: wait while it is away, and set aside messages that it cannot
hold.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from runtime import schema
from runtime.environment import Environment
from runtime.spells import Spell
from runtime.trouble import whose
from streams.liveness import Liveness

Item = TypeVar("Item")

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0


class Pool(AsyncConnectionPool[psycopg.AsyncConnection[Any]]):
    """A pool that lends a connection only to a database with this program's tables.

    Each new connection is checked, and one that met trouble is checked again: somebody may have migrated or
    restored meanwhile, which ends all sessions, and only the first to use one of them again notices.
    """

    def __init__(self, conninfo: str, **options: Any) -> None:
        super().__init__(conninfo, **options)
        self._checked = WeakSet[psycopg.AsyncConnection[Any]]()

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Lend a connection to a block; its changes are committed at the end of the block.

        Raises:
            SchemaDiffers: the database has other tables.
            psycopg.Error: it is away.
        """
        async with super().connection(timeout) as connection:
            try:
                if connection not in self._checked:
                    await schema.check(connection)
                    self._checked.add(connection)
                yield connection
            except BaseException:
                self._checked.discard(connection)
                raise


def database_pool(environment: Environment, name: str, largest: int) -> Pool:
    """Return a pool that connects when it is entered, and goes on trying while the database is away."""
    arguments = environment.psycopg(name)
    conninfo = arguments.pop("conninfo")
    return Pool(conninfo, kwargs=arguments, min_size=1, max_size=largest, open=False, timeout=10, name=name)


class BatchWriter(Generic[Item]):
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
        self._spell = Spell()

    async def save(self, items: Sequence[Item]) -> list[tuple[Item, Exception]]:
        """Save all items but those that cannot be saved, which are returned with the reason.

        Raises:
            Stopped: the stage was asked to end while the database was away.
        """
        if not items:
            return []
        try:
            await self._save(items)
        except Exception as error:
            if whose(error) != "data":
                raise
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
                self._spell.over()
                return
            except (psycopg.Error, PoolTimeout, OSError) as error:
                # Even for a bug: setting whole batches aside because of it would be worse than waiting.
                if whose(error) == "data":
                    raise
                self._spell.trouble(error)
            await self._liveness.wait(seconds)
            seconds = min(seconds * 2, LONGEST_WAIT_SECONDS)
