"""Connections as one actor may see them; pages and API read them only through this."""

from connections import store
from runtime.sql import load_queries
from sbx.actions.actors import Actor, Connection
from sbx.actions.refused import ActionRefused

_SQL = load_queries(__file__)


async def delivering(connection: Connection) -> int:
    """Return how many deliver processes work: without one nothing is sent, and nobody asks Xero."""
    row = await (await connection.execute(_SQL["workers"])).fetchone()
    assert row is not None
    return int(row[0])


async def connected(connection: Connection, actor: Actor, account: str) -> store.Connection:
    """Return the account's connection.

    Raises:
        ActionRefused: the account is not connected or not theirs; both look the same.
    """
    found = await store.load_connection(connection, account) if actor.sees(account) else None
    if found is None:
        if actor.accounts is None:
            problem, remedy = (
                f"'{account}' is not connected to Xero",
                f"connect it first: sbx connect {account}",
            )
            raise ActionRefused("not_found", problem, remedy)
        message = "There is no such connection, or it belongs to an account that you cannot see."
        raise ActionRefused("not_found", message)
    return found
