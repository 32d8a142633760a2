"""Passwords: argon2id with the library's parameters (RFC 9106, low memory: 64 MiB, 3 passes)."""

from functools import cache

import anyio
from anyio.to_thread import run_sync
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MAX_LENGTH = 512
_AT_ONCE = 2
"""A hash takes 64 MiB and some 50 ms of a core: a burst of sign-ins must not take them all."""

_hasher = PasswordHasher()


class WeakPassword(ValueError):
    """A password that is too short or too long; ``str()`` says so."""


def hash_password(password: str) -> str:
    """The hash to keep.

    Raises:
        WeakPassword: it is shorter than 12 characters or longer than 512.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(
            f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters; this one {len(password)}"
        )
    return _hasher.hash(password)


class PasswordCheck:
    """Checks passwords in threads, few at once. Belongs to one event loop."""

    def __init__(self) -> None:
        _nobody()  # made now, not while the first one waits
        self._limit = anyio.CapacityLimiter(_AT_ONCE)

    async def matches(self, password: str, kept: str | None) -> bool:
        """True when ``kept`` is the hash of ``password``. Takes its time for a user without password, too."""
        return await run_sync(_matches, password[: MAX_LENGTH + 1], kept, limiter=self._limit)


def _matches(password: str, kept: str | None) -> bool:
    try:
        _hasher.verify(kept or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobody() -> str:
    """Checked where a user is unknown, so that the answer takes as long as for a known one."""
    return _hasher.hash("nobody has this password")
