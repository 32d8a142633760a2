"""Looks at shops, for set-ups: each takes up to a minute, so it goes on behind the page that asked for it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import structlog

from runtime.environment import Environment
from runtime.trouble import about_the_database
from sbx.actions.actors import Actor
from sbx.actions.refused import ActionRefused
from sbx.actions.setup import shop
from sbx.web.database import Database, own_connection

log = structlog.stdlib.get_logger(__name__)


class Looks:
    """Those that go on in this process. What they find, or why they fail, is kept in the database."""

    def __init__(self, environment: Environment, database: Database) -> None:
        self._environment = environment
        self._database = database
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, actor: Actor, account: str) -> None:
        """Begin one; the set-up says from now on that it goes on."""
        async with self._database.connection() as connection:
            await shop.note_begun(connection, account)
        task = asyncio.create_task(self._look(actor, account))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Let them go on while the block runs; those that have not ended by then are asked for again."""
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self, actor: Actor, account: str) -> None:
        try:
            async with own_connection(self._environment) as connection:
                await shop.take_sample(connection, self._environment, actor, account)
        except ActionRefused as refused:
            log.warning("the shop's documents were not looked at", account=account, problem=str(refused))
        except psycopg.Error as error:
            if not about_the_database(error):
                raise
            log.warning("the shop's documents were not kept", account=account, error=str(error))
        except Exception:
            log.exception("the shop's documents were not looked at", account=account)
