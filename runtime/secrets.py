"""Secrets: random keys; at rest encrypted with a key that is kept elsewhere; masked where text is shown."""

import base64
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, quote_plus

from cryptography.fernet import InvalidToken, MultiFernet

from runtime.environment import Environment
from runtime.secret_keys import SecretKey, new_secret_key, split
from runtime.secret_keys import SecretKeyError as SecretKeyError

KEY_FILE = "secret.key"
OLD_KEY_FILE = "secret.key.old"
_KEY_BYTES = 32


def new_key(prefix: str = "") -> str:
    """Return a key that nobody can guess (256 bits), in letters that addresses and headers take."""
    return prefix + secrets.token_urlsafe(_KEY_BYTES)


def key_hash(key: str) -> bytes:
    """Return the hash that the database keeps of a key. A key has so many bits that a fast hash is enough."""
    return hashlib.sha256(key.encode()).digest()


class SecretBox:
    """Encrypts texts with one key (Fernet: AES-128-CBC with HMAC-SHA256); decrypts with it or an old one."""

    def __init__(self, key: SecretKey | str, old: SecretKey | None = None) -> None:
        """Make a box of ``key``; what was encrypted with ``old`` can be read, too.

        Raises:
            SecretKeyError: ``key`` is a text that is no key.
        """
        self._key = key if isinstance(key, SecretKey) else SecretKey.read(key, "SBX_SECRET_KEY")
        self._keys = [self._key] if old is None else [self._key, old]
        self._reads = MultiFernet([each.fernet for each in self._keys])

    @classmethod
    def of(cls, environment: Environment) -> "SecretBox":
        """Return the box of the environment's keys; raises as ``open``."""
        return cls.open(environment.data_dir, environment.secret_key, environment.secret_key_old)

    @classmethod
    def open(cls, data_dir: Path, secret_key: str | None, old: str | None = None) -> "SecretBox":
        """Return the box of ``secret_key`` (``SBX_SECRET_KEY``), else of ``secret.key`` in the data
        directory; with the old key, if there is one: ``SBX_SECRET_KEY_OLD``, else ``secret.key.old``.

        The file is created if it is missing; if several processes create it at once, one wins and all use its
        key.

        Raises:
            SecretKeyError: a key is invalid, or others may read its file.
            OSError: the data directory cannot be written.
        """
        file, old_file = data_dir / KEY_FILE, data_dir / OLD_KEY_FILE
        before = None if old is None else SecretKey.read(old, "SBX_SECRET_KEY_OLD")
        if before is None and os.path.exists(old_file):  # false, too, in a directory that we may not enter
            before = SecretKey.read(_read_key(old_file), str(old_file))
        if secret_key is not None:
            return cls(SecretKey.read(secret_key, "SBX_SECRET_KEY"), before)
        return cls(SecretKey.read(_read_key(file), str(file)), before)

    @property
    def has_old(self) -> bool:
        """True if an old key is at hand."""
        return len(self._keys) > 1

    def encrypt(self, text: str) -> bytes:
        """Return ``text`` encrypted; differs each time."""
        return self._key.encrypt(text)

    def decrypt(self, encrypted: bytes) -> str:
        """Return the text that was encrypted.

        Raises:
            SecretKeyError: it was encrypted with another key, or is damaged.
        """
        wanted, token = split(encrypted)
        try:
            return self._reads.decrypt(token).decode()
        except InvalidToken:
            needs = f"the key {wanted}" if wanted else "another key, one without an id"
            raise SecretKeyError(
                f"a stored secret needs {needs}, but {' and '.join(map(str, self._keys))}; set "
                f"SBX_SECRET_KEY_OLD to the key that it needs (or put it into the data directory as "
                f"{OLD_KEY_FILE}), or connect the account again"
            ) from None

    def is_current(self, encrypted: bytes) -> bool:
        """Return True for what is encrypted as it would be today: with the key and its id."""
        wanted, token = split(encrypted)
        try:
            self._key.fernet.decrypt(token)
        except InvalidToken:
            return False
        return wanted == self._key.id


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without secrets: ``***`` stands for each.

    Replaced are the given ``secrets``, also where they are quoted as in an address, and anything that has the
    form of a credential: the values of ``Authorization`` and of fields called token, secret or password,
    bearer tokens, Basic credentials, JSON Web Tokens and addresses for webhooks.
    """
    forms = {
        form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))
    }
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    plain = text.casefold()
    if not any(hint in plain for hint in _HINTS):  # ten times as fast as the expressions
        return text
    text = _FIELD.sub(r"\1***", text)
    text = _BEARER.sub(r"\1 ***", text)
    text = _BASIC.sub(lambda found: "Basic ***" if _is_basic(found[1]) else found[0], text)
    text = _HOOK.sub(r"\1***", text)
    return _JWT.sub(r"\1***", text)


def mask_head(text: str, most: int, secrets: Iterable[str] = ()) -> str:
    """Return the first ``most`` characters of ``text`` without secrets, at a cost that depends on ``most``
    alone.

    A secret at the cut would be half there and perhaps not be known for one: so more than ``most`` is looked
    at, up to the end of a word.
    """
    head = text[: most + _LONGEST]
    if len(head) < len(text):
        end = max(head.rfind(sign, most) for sign in ' \n"')
        head = head[:end] if end > 0 else head
    return mask(head, secrets)[:most]


_LONGEST = 8_192
"""Characters of the longest secret that there may be: a token with many claims."""
_HINTS = ("bearer", "basic", "authorization", "token", "secret", "password", "eyj", "/hooks/")
_NAMES = "access_token|refresh_token|id_token|client_secret|client_assertion|authorization|password"
# As in JSON, in a form or a header: name, separator, value. A header's value may be two words.
_FIELD = re.compile(
    rf"""(\b(?:{_NAMES})\b(?:\\?["'])?\s*[:=]\s*(?:\\?["'])?)(?:(?:bearer|basic)\s+)?[^\s"'&,;<>\\}}\]]+""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer)\s+[A-Za-z0-9._~+/-]{20,}=*", re.IGNORECASE)
_BASIC = re.compile(r"\bbasic\s+([A-Za-z0-9+/]{8,}={0,2})", re.IGNORECASE)
_HOOK = re.compile(r"(/hooks/)[A-Za-z0-9._~%-]{20,}", re.IGNORECASE)
# Begins where a run of its characters does and gives nothing back: each character is looked at only once.
_JWT = re.compile(
    r"(?<![\w-])((?:(?!\beyJ[\w-]{8})[\w-])*+)eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?", re.ASCII
)


def _is_basic(text: str) -> bool:
    """Return True for the base64 of ``user:password``, unlike the second word of "Basic installation"."""
    try:
        return ":" in base64.b64decode(text, validate=True).decode()
    except ValueError:
        return False


def _read_key(path: Path) -> str:
    if not path.exists():
        _make_key(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SecretKeyError(f"{path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")
    return path.read_text(encoding="utf-8", errors="replace").strip()


def _make_key(path: Path) -> None:
    """Write a whole key beside ``path``, then link it there: nobody reads half a key, the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(new_secret_key().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if not path.exists():
            os.link(draft, path)
    except FileExistsError:
        return  # another process was first: its key is the key
    finally:
        draft.unlink()
