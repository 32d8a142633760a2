"""What the status of an answer means. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal

Verdict = Literal[
    "answered", "not_there", "key_refused", "not_permitted", "blocked", "unavailable", "redirected"
]
"""``not_there`` proves nothing: deleted, archived, not permitted, and a page behind the last answer alike."""

_VERDICTS: Final[dict[int, Verdict]] = {
    401: "key_refused",
    403: "not_permitted",
    404: "not_there",
    410: "not_there",
    429: "blocked",
}


_OF_LIMITS: Final = re.compile("rate-?limit|retry-after|quota", re.IGNORECASE)
_LONGEST_WAIT: Final = timedelta(days=1)
"""What an answer asks for beyond it is taken for a mistake: nobody would notice changes meanwhile."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came."""

    status: int
    body: bytes
    date: datetime | None
    """SalesBinder's clock; none if it does not say."""
    retry_after: timedelta | None
    limits: tuple[tuple[str, str], ...] = ()
    """Headers that say something of limits: SalesBinder promises none."""

    @property
    def verdict(self) -> Verdict:
        """Return what the status means."""
        if 200 <= self.status < 300:
            return "answered"
        if 300 <= self.status < 400:
            return "redirected"
        return _VERDICTS.get(self.status, "unavailable")


def read_limits(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the headers about limits, by name and value."""
    return tuple((name, value) for name, value in headers.items() if _OF_LIMITS.search(name))


def read_date(value: str | None) -> datetime | None:
    """Return the moment of a ``Date`` header; none if it is missing or is not one."""
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else None


def read_retry_after(value: str | None, now: datetime | None) -> timedelta | None:
    """Return how long a ``Retry-After`` header says to wait, a day at most: seconds, or a date; none if it is
    neither.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 7:
        return min(timedelta(seconds=int(text)), _LONGEST_WAIT)
    moment = read_date(text)
    if moment is None or now is None:
        return None
    return min(max(moment - now, timedelta(0)), _LONGEST_WAIT)
