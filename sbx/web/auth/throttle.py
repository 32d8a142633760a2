"""Limit password attempts, counted in the database for all processes together."""

from psycopg.rows import dict_row

from runtime.sql import load_queries
from sbx.actions.actors import Connection

WINDOW_SECONDS = 15 * 60
LIMITS = {"both": 5, "address": 30, "user_name": 50}
"""Wrong passwords allowed per window: for one user from one address, from one address, for one user."""

_SQL = load_queries(__file__)


async def admit(connection: Connection, user_name: str, address: str) -> bool:
    """Count an attempt before its password is checked; return False if there were too many.

    Counting first, so that concurrent attempts cannot slip through between count and check.
    """
    parameters = {"user_name": user_name[:64], "address": address, "window": WINDOW_SECONDS}
    async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["lock"])
        await cursor.execute(_SQL["forget_old"], parameters)
        await cursor.execute(_SQL["count"], parameters)
        found = await cursor.fetchone()
        if found is None or any(found[name] >= limit for name, limit in LIMITS.items()):
            return False
        await cursor.execute(_SQL["note"], parameters)
    return True


async def forgive(connection: Connection, user_name: str, address: str) -> None:
    """Reset the user's count from this address after a correct password."""
    await connection.execute(_SQL["forgive"], {"user_name": user_name[:64], "address": address})
