"""Live updates: one database listener for the whole process, and its followers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import psycopg
import structlog

from log_projection.projection import CHANNEL
from log_projection.queries import Filters, Row
from runtime.environment import Environment
from runtime.spells import Spell
from runtime.trouble import about_the_database
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.sessions import User
from sbx.web.database import Database

MOST = 500
"""Changes per message. A page further behind than that is better off reloading the list."""
FOLLOW_SECONDS = 300.0
"""After this the stream ends and the browser reconnects: its session may have ended meanwhile."""
_LOOK_EVERY = 15.0
"""A wake-up may get lost with a connection; a check costs one index access."""
_PAUSE = 0.25
"""Pause between messages, so that a backlog being processed becomes a few large ones."""
_AGAIN_SECONDS = 2.0

log = structlog.stdlib.get_logger(__name__)


class Feed:
    """Wakes its followers whenever the log changes."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self.closing = False

    def next_change(self) -> asyncio.Event:
        """Return an event set at the next change. Get it before reading, so that nothing is missed."""
        return self._changed

    def wake(self) -> None:
        """Wake all followers: something may have changed."""
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """Let all followers finish."""
        self.closing = True
        self.wake()

    @asynccontextmanager
    async def listening(self, environment: Environment) -> AsyncIterator[None]:
        """Listen while the block runs, whether or not the database is available."""
        task = asyncio.create_task(self._listen(environment))
        try:
            yield
        finally:
            self.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self, environment: Environment) -> None:
        arguments = environment.psycopg("sbx-web-listener")
        spell = Spell()
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    spell.over()
                    self.wake()
                    async for _ in connection.notifies():
                        self.wake()
            except (psycopg.Error, OSError) as error:
                if not about_the_database(error):
                    raise
                spell.trouble(error)
            await asyncio.sleep(_AGAIN_SECONDS)


@dataclass(frozen=True, slots=True)
class News:
    """The changes up to ``position``."""

    position: int
    rows: list[tuple[int, Row]]
    """Matching entries, each with the position of its change, oldest change first."""
    gone: list[str]
    """Entries that changed and do not match (any longer)."""
    too_many: bool = False
    """True if there are more changes than these: reload the list."""


async def follow(
    database: Database, feed: Feed, user: User, filters: Filters, after: int
) -> AsyncIterator[News]:
    """Yield the changes after a position, until the stream's time is up or the process ends."""
    loop = asyncio.get_running_loop()
    until = loop.time() + FOLLOW_SECONDS
    while not feed.closing and loop.time() < until:
        change = feed.next_change()
        try:
            news = await _look(database, user, filters, after)
        except psycopg.Error as error:
            if not about_the_database(error):
                raise
            await asyncio.sleep(_AGAIN_SECONDS)
            continue
        after = news.position
        if news.rows or news.gone or news.too_many:
            yield news
            await asyncio.sleep(_PAUSE)
            continue
        try:
            await asyncio.wait_for(change.wait(), min(_LOOK_EVERY, max(0.0, until - loop.time())))
        except TimeoutError:
            continue


async def _look(database: Database, user: User, filters: Filters, after: int) -> News:
    async with database.connection() as connection:
        visible = VisibleLog(connection, user)
        # Read first: later queries see everything up to here, because positions appear in order.
        newest = await visible.position()
        changes = await visible.changes(after, MOST + 1)
        if len(changes) > MOST:
            return News(newest, [], [], too_many=True)
        if not changes:
            return News(max(newest, after), [], [])
        positions = {str(change["entry_id"]): int(change["position"]) for change in changes}
        named = replace(filters, entry_ids=tuple(positions))
        rows = [row async for row in visible.entries(named)]
    found = sorted(((positions[row["entry_id"]], row) for row in rows), key=lambda pair: pair[0])
    gone = sorted(set(positions) - {row["entry_id"] for row in rows})
    return News(max(newest, *positions.values()), found, gone)
