"""Fresh facts of an organisation: asked of the account's lane, since only the lane calls Xero."""

import time
import uuid
from typing import Any

import psycopg

from connections.environment import Environment
from connections.sql import load_queries
from ops.status import deliver_runs

_SQL = load_queries(__file__)
_LOOK_SECONDS = 1.0

NOBODY = "no deliver worker runs; it is read from Xero as soon as one does ('sbx up')"


async def ask_lane(used: Environment, account: str, seconds: float = 10.0) -> str | None:
    """Have the organisation's facts read anew. None when they were; else why they were not, in words.

    The request stays: a lane that starts later answers it.
    """
    request = {"request_id": uuid.uuid4(), "account": account}
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx"), autocommit=True) as connection:
        await connection.execute(_SQL["listen"])
        await connection.execute(_SQL["ask"], request)
        await connection.execute(_SQL["wake"], request)
        if not deliver_runs(used):
            return NOBODY
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answered, error = await _answer(connection, request)
            if answered:
                return None if error is None else str(error)
            async for _ in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                continue
    return (
        f"no answer in {seconds:g} s: the account is paused, or Xero's limits are used up; see 'sbx status'"
    )


async def _answer(
    connection: psycopg.AsyncConnection[Any], request: dict[str, Any]
) -> tuple[bool, str | None]:
    row = await (await connection.execute(_SQL["answer"], request)).fetchone()
    return (False, None) if row is None else (row[0], row[1])
