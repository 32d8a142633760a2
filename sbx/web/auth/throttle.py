"""How often a password may be tried, counted in the database for all processes together."""

from psycopg.rows import dict_row

from runtime.sql import load_queries
from sbx.actions.actors import Connection

WINDOW_SECONDS = 15 * 60
LIMITS = {"both": 5, "address": 30, "user_name": 50}
"""Wrong passwords within the window: of one user from one address, from one address, for one user."""

_SQL = load_queries(__file__)


async def admit(connection: Connection, user_name: str, address: str) -> bool:
    """Count an attempt before its password is checked; false when there were too many.

    Counted first, so that many at once cannot slip through between counting and checking.
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
    """The right password was given: what was counted for the user from there does not count any more."""
    await connection.execute(_SQL["forgive"], {"user_name": user_name[:64], "address": address})
