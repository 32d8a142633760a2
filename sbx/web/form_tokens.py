"""The key that a form must carry to be ours."""

import hashlib
import hmac


def form_token(cookie: str) -> str:
    """Return our forms' token: only our own pages know it, and it does not reveal the cookie."""
    return hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(given: str, cookie: str) -> bool:
    """Return True if ``given`` belongs to the cookie."""
    return hmac.compare_digest(given.encode(), form_token(cookie).encode())
