"""Publish to Kafka the results that were committed together with their states, then remove them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from runtime.crash_points import crash_point
from runtime.spells import Spell
from runtime.trouble import about_the_database
from sinks.lanes.session import Pool

log = structlog.stdlib.get_logger(__name__)

CHANNEL = "sbx_outbox"
_BATCH = 500
_POLL = 1.0
_AFTER_TROUBLE = 1.0

Publish = Callable[[Sequence[tuple[str, bytes]]], Awaitable[None]]


class Outbox:
    """Publishes the outbox. Any number of workers may: each locks the rows that it takes."""

    def __init__(self, pool: Pool, publish: Publish, spell: Spell) -> None:
        self.wake = asyncio.Event()
        self._pool = pool
        self._publish = publish
        self._spell = spell
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> None:
        """Publish results as they come, until cancelled."""
        while True:
            try:
                await self.drain()
                await asyncio.wait_for(self.wake.wait(), _POLL)
            except TimeoutError:
                continue
            except Exception as error:
                if about_the_database(error):
                    self._spell.trouble(error)
                else:
                    log.exception("results could not be published; they stay in the outbox")
                await asyncio.sleep(_AFTER_TROUBLE)

    async def drain(self) -> None:
        """Publish until nothing is left."""
        async with self._one_at_a_time:
            self.wake.clear()
            while await self._some():
                continue

    async def _some(self) -> bool:
        """Publish one batch. Rows go only after the broker has them: a crash in between publishes them twice,
        which is harmless, since a result is a version.
        """
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(_TAKE, [_BATCH], binary=True)
            rows = await cursor.fetchall()
            if rows:
                crash_point("outbox.before_publish")
                await self._publish(still_news([(row[1], bytes(row[2])) for row in rows]))
                await connection.execute(_REMOVE, [[row[0] for row in rows]])
                crash_point("outbox.before_commit")
        if rows:
            crash_point("outbox.after_commit")
        return len(rows) == _BATCH


class _Told(msgspec.Struct):
    """The part of a result that decides whether anybody needs it."""

    entry_id: str = ""
    """Blank for the hold of an account."""
    state: str = ""
    version: int = 0
    made: msgspec.Raw = msgspec.Raw()
    """Attempts, which no later version repeats; nothing if there are none."""
    at: str = ""
    """When it was taken up again: no later version repeats that, either."""


_decoder = msgspec.json.Decoder(_Told)


def still_news(results: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return results without those that say that an entry runs, where a later one tells its result, and when
    it was taken up: in a backlog an entry runs for no longer than a batch waits.
    """
    told = [_decoder.decode(value) for _, value in results]
    newest: dict[str, int] = {}
    for one in told:
        newest[one.entry_id] = max(newest.get(one.entry_id, 0), one.version)
    return [
        result
        for result, one in zip(results, told, strict=True)
        if one.state != "running" or bytes(one.made) or one.at or one.version == newest[one.entry_id]
    ]


_TAKE = "SELECT id, key, value FROM ledger.outbox ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
_REMOVE = "DELETE FROM ledger.outbox WHERE id = ANY(%s)"
