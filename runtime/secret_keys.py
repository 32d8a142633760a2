"""Keys that encrypt secrets at rest. A key may have an id, which stands before everything that it encrypts.

A key with an id is its id and a Fernet key: ``sbxkey.3f8a1c20.…``. Programs from before there were ids refuse
such a key when they start, so no value with an id ever meets one that cannot read it.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.fernet import Fernet

_WITH_ID: Final = re.compile(r"sbxkey\.([0-9a-f]{8})\.(.+)", re.DOTALL)
_VALUE: Final = re.compile(rb"([0-9a-f]{8})\.")


class SecretKeyError(Exception):
    """The key cannot be used, or is not the one that a secret was encrypted with."""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One key."""

    id: str
    """Blank for a plain Fernet key: what it encrypts does not say so."""
    fernet: Fernet = field(repr=False)
    origin: str
    """Where it came from: a variable or a file."""

    @classmethod
    def read(cls, text: str, origin: str) -> "SecretKey":
        """Return the key that ``text``, from ``origin``, is.

        Raises:
            SecretKeyError: it is none; the text is not shown.
        """
        parts = _WITH_ID.fullmatch(text)
        key_id, key = parts.groups() if parts else ("", text)
        try:
            fernet = Fernet(key)
        except ValueError:
            raise SecretKeyError(
                f"{origin} is not a key: it must be one that 'sbx secrets new-key' prints, or 32 bytes in "
                "url-safe base64 (44 characters)"
            ) from None
        if key_id and key_id != _id_of(key):
            raise SecretKeyError(
                f"{origin} is not a key any more: a character of it has changed, because it does not fit its "
                f"id {key_id}; copy it again"
            )
        return cls(key_id, fernet, origin)

    def __str__(self) -> str:
        """Return what errors call it."""
        return f"{self.origin} is the key {self.id}" if self.id else f"{self.origin} is a key without an id"

    def encrypt(self, text: str) -> bytes:
        """Return ``text`` encrypted, behind the id."""
        token = self.fernet.encrypt(text.encode())
        return f"{self.id}.".encode() + token if self.id else token


def new_secret_key() -> str:
    """Return a new key with an id."""
    key = Fernet.generate_key().decode()
    return f"sbxkey.{_id_of(key)}.{key}"


def split(encrypted: bytes) -> tuple[str, bytes]:
    """Return the id of the key that a value needs, blank if it names none, and its Fernet token."""
    found = _VALUE.match(encrypted)
    return (found[1].decode(), encrypted[found.end() :]) if found else ("", encrypted)


def _id_of(key: str) -> str:
    """Return the id of a Fernet key: a check sum, from which nobody finds 256 random bits."""
    return hashlib.sha256(b"sbx key id\0" + key.encode()).hexdigest()[:8]
