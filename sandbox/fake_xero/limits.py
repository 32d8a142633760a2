"""Xero's rate limits: by minute, by day and at a time per organisation and app; by minute per app.

Windows are fixed and start with the first call."""

from collections.abc import Callable
from dataclasses import dataclass, field

MINUTE = 60.0
DAY = 86_400.0


@dataclass(slots=True)
class Limits:
    """How much is allowed; Xero's numbers unless a test says otherwise."""

    minute: int = 60
    day: int = 5000
    concurrent: int = 5
    app_minute: int = 10_000


@dataclass(slots=True)
class Window:
    """Calls since the window's first one."""

    length: float
    start: float | None = None
    used: int = 0

    def current(self, now: float) -> int:
        """Return calls used in the window that `now` is in."""
        if self.start is None or now >= self.start + self.length:
            self.start, self.used = None, 0
        return self.used

    def take(self, now: float) -> None:
        """Count a call; the first one opens the window."""
        if self.start is None:
            self.start = now
        self.used += 1

    def ends_in(self, now: float) -> float:
        """Return the seconds until the window is over."""
        return self.length if self.start is None else max(0.0, self.start + self.length - now)


@dataclass(slots=True)
class Usage:
    """The calls that one app has used on one organisation."""

    minute: Window = field(default_factory=lambda: Window(MINUTE))
    day: Window = field(default_factory=lambda: Window(DAY))
    in_flight: int = 0
    peak_in_flight: int = 0


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Why a call was refused: X-Rate-Limit-Problem, and Retry-After in fake seconds for minute and day."""

    problem: str
    retry_after: int | None


class Limiter:
    """Counts calls. `seconds` is the fake's clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._usage: dict[tuple[str, str], Usage] = {}
        self._apps: dict[str, Window] = {}
        self.defaults = Limits()
        self.special: dict[tuple[str, str], Limits] = {}

    def usage(self, client_id: str, tenant_id: str) -> Usage:
        """Return the calls that this app has used on this organisation."""
        return self._usage.setdefault((client_id, tenant_id), Usage())

    def limits(self, client_id: str, tenant_id: str) -> Limits:
        """Return the limits of this app on this organisation."""
        return self.special.get((client_id, tenant_id), self.defaults)

    def _app(self, client_id: str) -> Window:
        return self._apps.setdefault(client_id, Window(MINUTE))

    def enter(self, client_id: str, tenant_id: str) -> Exceeded | None:
        """Count a call that begins, or say which limit refuses it. Refused calls do not count."""
        now, limits, usage = (
            self._seconds(),
            self.limits(client_id, tenant_id),
            self.usage(client_id, tenant_id),
        )
        app = self._app(client_id)
        if usage.in_flight >= limits.concurrent:
            return Exceeded("concurrent", None)
        if usage.day.current(now) >= limits.day:
            return Exceeded("day", _whole_seconds(usage.day.ends_in(now)))
        if usage.minute.current(now) >= limits.minute:
            return Exceeded("minute", _whole_seconds(usage.minute.ends_in(now)))
        if app.current(now) >= limits.app_minute:
            return Exceeded("appminute", None)
        for window in (usage.day, usage.minute, app):
            window.take(now)
        usage.in_flight += 1
        usage.peak_in_flight = max(usage.peak_in_flight, usage.in_flight)
        return None

    def leave(self, client_id: str, tenant_id: str) -> None:
        """Note that a call that was let in has ended."""
        self.usage(client_id, tenant_id).in_flight -= 1

    def headers(self, client_id: str, tenant_id: str) -> dict[str, str]:
        """Return the X-…Limit-Remaining headers of every answer."""
        now, limits, usage = (
            self._seconds(),
            self.limits(client_id, tenant_id),
            self.usage(client_id, tenant_id),
        )
        return {
            "X-MinLimit-Remaining": str(max(0, limits.minute - usage.minute.current(now))),
            "X-DayLimit-Remaining": str(max(0, limits.day - usage.day.current(now))),
            "X-AppMinLimit-Remaining": str(max(0, limits.app_minute - self._app(client_id).current(now))),
        }

    def forget(self) -> None:
        """Restart all windows; calls in flight stay counted."""
        for usage in self._usage.values():
            usage.minute, usage.day = Window(MINUTE), Window(DAY)
        self._apps.clear()


def _whole_seconds(seconds: float) -> int:
    return max(1, -int(-seconds // 1))
