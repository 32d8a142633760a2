"""Calls that are made beside the reader's, which share the account's limits and its blocks with it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from runtime.database import Connection, fetch_all, fetch_one
from runtime.sql import load_queries
from sources.schedule.budget import ALL, HINTS, blocked_until, free_at
from sources.store import keeping
from sources.store.store import add_call

_SQL = load_queries(__file__)
BLOCKED: Final = "salesbinder_blocked"


@dataclass(frozen=True, slots=True)
class Wait:
    """No call may be made yet."""

    time: timedelta
    trouble: str | None
    """Why the account is left alone, a reason code; none if its limits are used up for the moment."""


async def reserve_call(
    connection: Connection, account: str, *, with_another_key: bool = False
) -> Wait | None:
    """Count a call beside the reader's, within the account's limits; return how long to wait if none is free.

    ``with_another_key``: only a block is waited out, not what the account's present key is in trouble with.

    Raises:
        LookupError: the account is not connected.
    """
    async with _locked(connection, account) as row:
        sent = await _sent(connection, account)
        now: datetime = row["now"]
        is_held = not with_another_key or row["trouble"] == BLOCKED
        held = (row["held_until"] if is_held else None) or now
        if held > now:
            return Wait(held - now, row["trouble"])
        free = free_at(sent, now, HINTS if row["hinted_at"] is not None else ALL)
        if free > now:
            return Wait(free - now, None)
        await add_call(connection, account, now, background=True)
    return None


async def reserve_first_call(connection: Connection, account: str) -> Wait | None:
    """Count a call about an account that is not connected yet, within the limits that it will have; return
    how long to wait if none is free.
    """
    name = {"account": account}
    async with connection.transaction():
        row = await fetch_one(connection, _SQL["lock_name"], name)
        assert row is not None
        now: datetime = row["now"]
        free = free_at(await _sent(connection, account), now)
        if free > now:
            return Wait(free - now, None)
        await add_call(connection, account, now, background=False)
    return None


async def _sent(connection: Connection, account: str) -> list[datetime]:
    return [each["at"] for each in await fetch_all(connection, _SQL["sent"], {"account": account})]


async def note_block(connection: Connection, account: str, retry_after: timedelta | None) -> None:
    """Keep that a call beside the reader's was answered with a block: nobody asks until it is over.

    Raises:
        LookupError: the account is not connected.
    """
    async with _locked(connection, account) as row:
        until = blocked_until(row["now"], row["failures"] + 1, retry_after)
        await keeping.keep_trouble(connection, account, BLOCKED, "429", until)


@asynccontextmanager
async def _locked(connection: Connection, account: str) -> AsyncIterator[Mapping[str, Any]]:
    name = {"account": account}
    async with connection.transaction():
        await fetch_one(connection, _SQL["lock_lease"], name)
        row = await fetch_one(connection, _SQL["lock"], name)
        if row is None:
            raise LookupError(account)
        yield row
