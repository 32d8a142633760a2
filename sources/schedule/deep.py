"""When a document's detail is read again though nothing hints at a change. Pure.

A payment that is returned in full by a row below zero leaves status, sum paid and, in some accounts,
``modified`` as they were: no list shows it. The same holds for a corrected day or reference of a payment, and
for receipts where rows have no lines.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

_RECENT: Final = timedelta(days=30)
_OFTEN: Final = (timedelta(days=1), timedelta(days=7))
_SELDOM: Final = (timedelta(days=7), timedelta(days=30))
"""Period, and the period once ``modified`` is proven to be moved."""


def deep_period(*, is_live: bool, is_relaxed: bool) -> timedelta:
    """Return how often the detail is read. ``is_live``: the document is open, or changed of late."""
    return (_OFTEN if is_live else _SELDOM)[is_relaxed]


def is_live(*, is_open: bool, told: datetime, now: datetime) -> bool:
    """Return True for a document of which a change is likely."""
    return is_open or now - told < _RECENT


def first_share(record_id: str) -> float:
    """Return after which part of the period a record is read first, so that they do not come all at once."""
    return int.from_bytes(sha256(record_id.encode()).digest()[:4]) / 2**32
