"""Fresh facts of an organisation: asked of the account's lane, since only the lane calls Xero."""

import time

import psycopg

from runtime.environment import Environment
from runtime.sql import load_queries
from sbx.cli.status import deliver_runs
from sinks.ledger import requests

_SQL = load_queries(__file__)
_LOOK_SECONDS = 1.0

NOBODY = "no deliver worker runs; it is read from Xero as soon as one does ('sbx up')"


async def ask_lane(used: Environment, account: str, seconds: float = 10.0) -> str | None:
    """Have the organisation's facts read anew. None when they were; else why they were not, in words.

    The request stays: a lane that starts later answers it.
    """
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx"), autocommit=True) as connection:
        await connection.execute(_SQL["listen"])
        request_id = await requests.ask_facts(connection, account)
        if not deliver_runs(used):
            return NOBODY
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answered, error = await requests.answer(connection, request_id)
            if answered:
                return None if error is None else str(error)
            async for _ in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                continue
    return (
        f"no answer in {seconds:g} s: the account is paused, or Xero's limits are used up; see 'sbx status'"
    )
