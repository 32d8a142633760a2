"""Xero's limits for one account: calls per minute, calls per day, calls at once. Pure; time comes in as an
argument.

Xero counts in fixed windows that start with the first call after the previous window (reference:
developer.xero.com, "limits"). Xero does not say when a window began, so the moment of the first response in a
window is taken: never earlier than the truth, so never a call too many.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.reasons import ReasonCode

MINUTE = 60.0
DAY = 86_400.0
CONCURRENT = 5
KEPT_OF_MINUTE = 15
KEPT_OF_DAY = 200
"""Calls that are kept for live work."""
_ASK_DAY_AGAIN = 3_600.0
"""Seconds after which a call finds out whether a new day has begun, when all that is left is kept."""
_MARGIN = 0.3
_UNKNOWN_DAY_RETRY = 3_600.0


@dataclass(slots=True)
class Budget:
    """The calls left within the limits. Times are seconds of one clock that the caller chooses; ``rate`` is
    how many of Xero's seconds pass in one of them (1, except for rehearsals against a stand-in whose clock
    runs faster).
    """

    rate: float = 1.0
    minute_limit: int = 60
    minute_left: int = 60
    day_left: int | None = None
    in_flight: int = 0
    window_opened: float | None = None
    reported: int | None = None
    day_told_at: float | None = None
    closed_until: float = 0.0
    closed_why: ReasonCode = "xero_unavailable"

    def wait(self, now: float) -> float | None:
        """Return seconds until a call may be sent; 0 for at once; None if that depends on the end of a call
        in progress.
        """
        if now < self.closed_until:
            return self.closed_until - now
        if self.in_flight >= CONCURRENT:
            return None
        self._forget_what_is_over(now)
        if self.minute_left > 0:
            return 0.0
        if self.window_opened is None:
            if self.in_flight:
                return None
            self.window_opened = now  # none of its calls got a response: the latest that it can have begun
        return self.window_opened + (MINUTE + _MARGIN) / self.rate - now

    def _is_over(self, now: float) -> bool:
        opened = self.window_opened
        return opened is not None and now >= opened + (MINUTE + _MARGIN) / self.rate

    def _forget_what_is_over(self, now: float) -> None:
        """Give all calls once the window is over; the next one begins with a call that is still to come."""
        if self._is_over(now):
            self.minute_left = self.minute_limit - self.in_flight
            self.window_opened, self.reported = None, None

    def spare(self, now: float) -> bool:
        """Return True if a call may be sent for work that has time, with enough left for new events
        meanwhile.
        """
        if self.wait(now) != 0.0 or self.minute_left <= KEPT_OF_MINUTE:
            return False
        old = self.day_told_at is None or now - self.day_told_at > _ASK_DAY_AGAIN / self.rate
        return self.day_left is None or self.day_left > KEPT_OF_DAY or old

    def sent(self) -> None:
        """Count a call that goes out."""
        self.in_flight += 1
        self.minute_left -= 1
        if self.day_left is not None:
            self.day_left -= 1

    def not_sent(self) -> None:
        """Take back a counted call that did not reach Xero."""
        self.in_flight -= 1
        self.minute_left += 1

    def lost(self) -> None:
        """Note that a call ended without a response."""
        self.in_flight -= 1

    def answered(self, now: float, headers: Mapping[str, str]) -> None:
        """Take over Xero's own count from a response. ``headers`` have lower-case names."""
        self.in_flight -= 1
        left = _number(headers.get("x-minlimit-remaining"))
        if left is not None and left == self.minute_limit:
            # Not even this call is counted: its minute is over, and the next one has not begun.
            self.window_opened = self.reported = None
            self.minute_left = left - self.in_flight
        elif left is not None:
            self.minute_limit = max(self.minute_limit, left + 1)
            # Responses overtake each other: a slightly higher count may only be an older one.
            if self.window_opened is None or self.reported is None or left >= self.reported + CONCURRENT:
                self.window_opened, self.reported = now, left
                self.minute_left = left - self.in_flight
            else:
                self.reported = min(self.reported, left)
                self.minute_left = min(self.minute_left, left - self.in_flight)
        elif self.window_opened is None:
            self.window_opened = now
        day = _number(headers.get("x-daylimit-remaining"))
        if day is not None:
            self.day_left = day - self.in_flight
            self.day_told_at = now
            if day <= 0:
                self.close(now, _UNKNOWN_DAY_RETRY, "xero_day_limit")

    def refused(self, now: float, headers: Mapping[str, str]) -> str:
        """Handle a 429: stop the account's calls for as long as Xero says. Return the reason code of the
        wait.
        """
        problem = headers.get("x-rate-limit-problem", "").lower()
        retry_after = _number(headers.get("retry-after"))
        if problem == "day":
            self.close(now, retry_after if retry_after is not None else _UNKNOWN_DAY_RETRY, "xero_day_limit")
        elif problem == "concurrent":
            self.close(now, retry_after if retry_after is not None else 1.0, "xero_minute_limit")
        else:
            self.close(now, retry_after if retry_after is not None else MINUTE, "xero_minute_limit")
            self.minute_left = self.minute_limit - self.in_flight
            self.window_opened, self.reported = None, None
        return self.closed_why

    def close(self, now: float, xero_seconds: float, why: ReasonCode) -> None:
        """Allow no call for so many of Xero's seconds."""
        self.closed_until = max(self.closed_until, now + (xero_seconds + _MARGIN) / self.rate)
        self.closed_why = why

    def minute_left_at(self, now: float) -> int:
        """Return calls left in the minute, all of them once the window that was counted is over."""
        return self.minute_limit - self.in_flight if self._is_over(now) else self.minute_left

    def pace(self, now: float) -> float:
        """Return the seconds from one call to the next at which the remaining calls last until the minute is
        over; 0 while half of them are left, and calls are plenty.
        """
        if self.minute_left * 2 > self.minute_limit or self.window_opened is None:
            return 0.0
        left = self.window_opened + (MINUTE + _MARGIN) / self.rate - now
        return max(0.0, left) / max(1, self.minute_left)


def _number(text: str | None) -> int | None:
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None
