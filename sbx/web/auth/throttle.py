"""Slow down password attempts, counted in the database for all processes together.

Nobody is locked out: an attempt too many waits some seconds, and only others from the same source do so. A
browser in which the user has signed in before is a source of its own, so strangers never make it wait.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final

from psycopg.rows import dict_row

from runtime.secrets import key_hash
from runtime.sql import load_queries
from sbx.actions.actors import Connection

WINDOW_SECONDS: Final = 15 * 60
BROWSER_SECONDS: Final = 365 * 86_400
"""How long a browser counts as known after its last sign-in."""

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many attempts are free in the window, and how many seconds the next ones wait, each twice as long
    as the one before.
    """

    free: int
    longest: float
    first: float = 1.0

    def wait(self, attempts: int, seconds_since: float) -> float:
        """Return how long to wait for the next attempt after so many, the last of them so long ago."""
        if attempts < self.free:
            return 0.0
        pause = min(self.first * 2.0 ** min(attempts - self.free, 10), self.longest)
        return max(0.0, pause - seconds_since)


FOR_ONE_USER: Final = Pace(free=5, longest=60.0)
FOR_ANY_USER: Final = Pace(free=30, longest=5.0)
"""For one source. Shorter, because colleagues may share it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an attempt comes from: a browser that is known for this user, else a network."""

    name: str
    is_known: bool


def network_of(address: str) -> str:
    """Return what one household or server has: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


async def source_of(connection: Connection, user_name: str, address: str, browser: str | None) -> Source:
    """Return the source of an attempt; ``browser`` is the key in the browser's cookie."""
    if browser:
        parameters = {"key_hash": key_hash(browser), "user_name": user_name, "seconds": BROWSER_SECONDS}
        row = await (await connection.execute(_SQL["known"], parameters)).fetchone()
        if row is not None and row[0]:
            return Source(f"browser {key_hash(browser).hex()[:32]}", is_known=True)
    return Source(network_of(address), is_known=False)


async def admit(connection: Connection, user_name: str, source: Source) -> float:
    """Count an attempt before its password is checked, and return 0; or return how many seconds to wait.

    Counting first, so that concurrent attempts cannot slip through between count and check.
    """
    parameters = {"user_name": user_name[:64], "address": source.name, "window": WINDOW_SECONDS}
    async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["lock"], parameters)
        await cursor.execute(_SQL["forget_old"], parameters)
        await cursor.execute(_SQL["count"], parameters)
        found = await cursor.fetchone()
        assert found is not None
        wait = max(
            FOR_ONE_USER.wait(found["both"], found["both_since"]),
            FOR_ANY_USER.wait(found["all_of_source"], found["source_since"]),
        )
        if not wait:
            await cursor.execute(_SQL["note"], parameters)
    return wait


async def forgive(connection: Connection, user_name: str, source: Source) -> None:
    """Reset the user's count from this source after a correct password."""
    await connection.execute(_SQL["forgive"], {"user_name": user_name[:64], "address": source.name})


async def remember(connection: Connection, user_name: str, browser: str | None, new: str) -> str:
    """Note that the user has signed in with a browser; return the key for its cookie.

    Args:
        browser: the key that it has; it keeps that only if we gave it, so that nobody can plant one.
        new: the key that it gets then.
    """
    parameters = {"user_name": user_name, "key_hash": key_hash(browser or ""), "seconds": BROWSER_SECONDS}
    async with connection.transaction():
        await connection.execute(_SQL["forget_browsers"], parameters)
        row = await (await connection.execute(_SQL["given"], parameters)).fetchone()
        key = browser if browser and row is not None and row[0] else new
        await connection.execute(_SQL["remember"], parameters | {"key_hash": key_hash(key)})
    return key
