"""Calls that are made beside the reader's, which share the account's limits with it."""

from datetime import datetime, timedelta

from runtime.database import Connection, fetch_all, fetch_one
from runtime.sql import load_queries
from sources.schedule.budget import ALL, HINTS, free_at
from sources.store.store import add_call

_SQL = load_queries(__file__)


async def reserve_call(connection: Connection, account: str) -> timedelta:
    """Count a call beside the reader's, within the account's limits; return how long to wait if none is free.

    Raises:
        LookupError: the account is not connected.
    """
    name = {"account": account}
    async with connection.transaction():
        row = await fetch_one(connection, _SQL["lock"], name)
        if row is None:
            raise LookupError(account)
        sent = [each["at"] for each in await fetch_all(connection, _SQL["sent"], name)]
        now: datetime = row["now"]
        free = max(
            free_at(sent, now, HINTS if row["hinted_at"] is not None else ALL), row["held_until"] or now
        )
        if free > now:
            return free - now
        await add_call(connection, account, now, background=True)
    return timedelta(0)


async def count_made(connection: Connection, account: str, calls: int) -> None:
    """Count calls that were made just now without asking whether any was free; nothing of an account that is
    not connected.
    """
    await connection.execute(_SQL["count_made"], {"account": account, "calls": calls})
