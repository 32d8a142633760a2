"""What a form must carry to be ours."""

import hashlib
import hmac


def form_token(cookie: str) -> str:
    """What a form must carry to be ours: only our own pages know it, and it does not give the cookie away."""
    return hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(given: str, cookie: str) -> bool:
    """True when ``given`` belongs to the cookie."""
    return hmac.compare_digest(given.encode(), form_token(cookie).encode())
