"""When trouble of an account needs somebody, and when it is likely to pass. Pure."""

from datetime import datetime, timedelta
from typing import Final

SOON_OVER: Final = timedelta(minutes=15)
"""Trouble that lasts longer needs somebody; a refused key does at once."""


def lasts(code: str, since: datetime, now: datetime) -> bool:
    """Return True if this trouble, a reason code of the catalogue, will not pass by itself."""
    return code == "salesbinder_key_refused" or now - since >= SOON_OVER
