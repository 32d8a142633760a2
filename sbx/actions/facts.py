"""Fresh facts of an organisation: asked of the account's lane, since only the lane calls Xero."""

import time
import uuid

from sbx.actions import audit
from sbx.actions.accounts import connected, delivering
from sbx.actions.actors import Actor, Connection, Database
from sinks.ledger import requests

_LOOK_SECONDS = 1.0
NOBODY = "no deliver worker runs; it is read from Xero as soon as one does ('sbx up')"


async def ask(database: Database, actor: Actor, account: str) -> uuid.UUID:
    """Have Xero asked for accounts and tax rates anew, by the account's lane. The request stays until then.

    Raises:
        ActionRefused: there is no such account.
    """
    async with database.connection() as connection:
        await connected(connection, actor, account)
        async with audit.recorded(connection, actor, "facts", {"account": account}):
            return await requests.ask_facts(connection, account)


async def answered(connection: Connection, request_id: uuid.UUID, seconds: float = 10.0) -> str | None:
    """Wait for the lane's answer. None when the facts were read; else why they were not, in words."""
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
        f"no answer in {seconds:g} s: the account is paused, or Xero's limits are used up; see 'sbx status'"
    )
