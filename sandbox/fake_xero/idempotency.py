"""Idempotency keys: kept six minutes from the first call, per app; a repeat gets the stored answer."""

from collections.abc import Callable
from hashlib import sha256
from typing import Generic, TypeVar

KEPT_SECONDS = 360.0
MAX_LENGTH = 128

Answer = TypeVar("Answer")


class KeyReused(Exception):
    """The key came with a different request."""


class IdempotencyStore(Generic[Answer]):
    """Answers by app and key. `seconds` is the fake's clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._stored: dict[tuple[str, str], tuple[float, bytes, Answer]] = {}  # in the order of their time

    def look_up(self, client_id: str, key: str, fingerprint: bytes) -> Answer | None:
        """Return the stored answer, or None for a new key. Raises KeyReused when the request differs."""
        self._expire()
        found = self._stored.get((client_id, key))
        if found is None:
            return None
        if found[1] != fingerprint:
            raise KeyReused(key)
        return found[2]

    def store(self, client_id: str, key: str, fingerprint: bytes, answer: Answer) -> None:
        """Keep an answer, errors too."""
        self._stored[client_id, key] = (self._seconds(), fingerprint, answer)

    def _expire(self) -> None:
        border = self._seconds() - KEPT_SECONDS
        while self._stored:
            oldest = next(iter(self._stored))
            if self._stored[oldest][0] > border:
                return
            del self._stored[oldest]

    def forget(self) -> None:
        """Drop all keys."""
        self._stored.clear()


def fingerprint(method: str, url: bytes, tenant_id: str, body: bytes) -> bytes:
    """Return the parts that Xero compares: URL as it was sent, method and body; the organisation counts as
    part of the URL here.
    """
    return sha256(b"\0".join((method.encode(), url, tenant_id.encode(), body))).digest()
