"""Write batches to PostgreSQL, all or nothing: wait while it is away, and set aside messages that it cannot
hold.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from runtime import schema
from runtime.environment import Environment
from runtime.spells import Spell
from runtime.trouble import whose
from streams.liveness import Liveness

Item = TypeVar("Item")
Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0


def database_pool(environment: Environment, name: str, largest: int) -> Pool:
    """Return a pool that connects when it is entered, and goes on trying while the database is away."""
    arguments = environment.psycopg(name)
    conninfo = arguments.pop("conninfo")
    return AsyncConnectionPool(
        conninfo, kwargs=arguments, min_size=1, max_size=largest, open=False, timeout=10, name=name
    )


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
        self._schema_checked = False

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

    async def _check_schema(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Check the schema once, and again after trouble: somebody may have migrated or restored
        meanwhile.
        """
        if not self._schema_checked:
            await schema.check(connection)
            self._schema_checked = True

    async def _save(self, items: Sequence[Item]) -> None:
        seconds = FIRST_WAIT_SECONDS
        while True:
            try:
                async with self._pool.connection() as connection:
                    await self._check_schema(connection)
                    await self._write(connection, items)
                self._spell.over()
                return
            except (psycopg.Error, PoolTimeout, OSError) as error:
                # Even for a bug: setting whole batches aside because of it would be worse than waiting.
                if whose(error) == "data":
                    raise
                self._schema_checked = False
                self._spell.trouble(error)
            await self._liveness.wait(seconds)
            seconds = min(seconds * 2, LONGEST_WAIT_SECONDS)
