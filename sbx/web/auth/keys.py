"""Random keys of sessions, tokens and links, and what is derived from them."""

import hashlib
import hmac
import secrets

_BYTES = 32


def new_key(prefix: str = "") -> str:
    """A key that nobody can guess (256 bits), in letters that addresses and headers take."""
    return prefix + secrets.token_urlsafe(_BYTES)


def key_hash(key: str) -> bytes:
    """As the database keeps it. A key has so many bits that no slow hash is needed."""
    return hashlib.sha256(key.encode()).digest()


def form_token(cookie: str) -> str:
    """What a form must carry to be ours: only our own pages know it, and it does not give the cookie away."""
    return hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(given: str, cookie: str) -> bool:
    """True when ``given`` belongs to the cookie."""
    return hmac.compare_digest(given.encode(), form_token(cookie).encode())
