"""Refresh an organisation's facts through the account's lane, because only the lane calls Xero."""

import time
import uuid

from sbx.actions import audit
from sbx.actions.accounts import connected, delivering
from sbx.actions.actors import Actor, Connection, Database
from sinks.ledger import requests

_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 75.0
"""A lane that has used up Xero's minute answers when that is over."""
NOBODY = "no deliver worker is running; it will be read from Xero once one is ('sbx up')"


async def ask(database: Database, actor: Actor, account: str) -> uuid.UUID:
    """Have the account's lane read accounts and tax rates from Xero again. The request stays until then.

    Raises:
        ActionRefused: there is no such account.
    """
    async with database.connection() as connection:
        await connected(connection, actor, account)
        async with audit.recorded(connection, actor, "facts", {"account": account}):
            return await requests.ask_facts(connection, account)


async def answered(
    connection: Connection, request_id: uuid.UUID, seconds: float = _PATIENCE_SECONDS
) -> str | None:
    """Wait for the lane's answer. None if the facts were read; otherwise why they were not, in words."""
    await connection.execute("LISTEN sbx_requests")
    if not await delivering(connection):
        return NOBODY
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, error = await requests.answer(connection, request_id)
        if done:
            return None if error is None else str(error)
        async for _ in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1):
            continue
    return (
        f"no response within {seconds:g} s: the account is paused, or Xero's limits are used up; see "
        f"'sbx status'"
    )
