"""Whether an account is still being set up, so that nothing of it may be sent to Xero yet."""

from typing import Final

from runtime.database import fetch_one
from runtime.sql import load_queries
from sbx.actions.actors import Connection

HELD: Final = "it is being set up"
"""Why an account is paused meanwhile; the set-up goes on with ``sbx setup`` or on its page."""
_SQL = load_queries(__file__)


async def is_to_be_held(connection: Connection, account: str) -> bool:
    """Return True if the account is being set up and was not switched on yet."""
    return await fetch_one(connection, _SQL["held"], {"account": account}) is not None
