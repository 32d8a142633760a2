"""Checks of passwords, which take their time."""

from functools import cache

import anyio
from anyio.to_thread import run_sync
from argon2.exceptions import InvalidHashError, VerificationError

from sbx.actions.users import HASHER, MAX_LENGTH

_AT_ONCE = 2
"""A hash takes 64 MiB and about 50 ms of a core: a burst of sign-ins must not exhaust either."""
_WAITING = 40
"""How many may wait for their turn: about a second. Those behind are told to come again."""


class TooMany(Exception):
    """More passwords wait to be checked than can be soon."""


class PasswordCheck:
    """Checks passwords in threads, a few at a time. Belongs to one event loop."""

    def __init__(self) -> None:
        _nobody()  # made now, not while the first one waits
        self._limit = anyio.CapacityLimiter(_AT_ONCE)
        self._limit_of_known = anyio.CapacityLimiter(1)

    async def matches(self, password: str, kept: str | None, *, is_known: bool = False) -> bool:
        """Return True if ``kept`` is the hash of ``password``; just as slow for a user without one.

        Args:
            is_known: the user has signed in with this browser before; it does not wait behind strangers.

        Raises:
            TooMany: too many wait already.
        """
        limit = self._limit_of_known if is_known else self._limit
        if limit.statistics().tasks_waiting >= _WAITING:
            raise TooMany
        return await run_sync(_matches, password[: MAX_LENGTH + 1], kept, limiter=limit)


def _matches(password: str, kept: str | None) -> bool:
    try:
        HASHER.verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobody() -> str:
    """Return the hash that is checked if the user is unknown, so that the answer takes as long as for a known
    one.
    """
    return HASHER.hash("nobody has this password")
