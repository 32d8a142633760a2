"""A fake's own clock: every window, expiry and stamp follows it, and tests move it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

_FAR = 3600.0  # seconds; how long a sleeper on a stopped clock waits before it looks again


class Clock:
    """Starts at the real time and runs at `rate` fake seconds a real second (0 stops it).

    With a moment given it stands still there: the same acts then have the same times, to the microsecond."""

    def __init__(self, moment: datetime | None = None) -> None:
        self._epoch = moment.astimezone(UTC) if moment else datetime.now(UTC)
        self._base = 0.0
        self._anchor = time.monotonic()
        self.rate = 0.0 if moment else 1.0
        self._moved: asyncio.Event | None = None

    def seconds(self) -> float:
        """Return fake seconds since the start."""
        return self._base + (time.monotonic() - self._anchor) * self.rate

    def now(self) -> datetime:
        """Return the fake's time, in UTC."""
        return self._epoch + timedelta(seconds=self.seconds())

    def advance(self, seconds: float) -> None:
        """Jump ahead."""
        self._base += seconds
        self._wake()

    def set_rate(self, rate: float) -> None:
        """Run faster, slower or not at all from now on."""
        self._base, self._anchor = self.seconds(), time.monotonic()
        self.rate = rate
        self._wake()

    def set_now(self, moment: datetime) -> None:
        """Set the date and time. Windows and expiries do not notice: they count seconds (see `advance`)."""
        self._epoch += moment - self.now()
        self._wake()

    async def sleep(self, seconds: float) -> None:
        """Wait that many fake seconds, however the clock is moved meanwhile."""
        until = self.seconds() + seconds
        while (left := until - self.seconds()) > 0:
            self._moved = self._moved or asyncio.Event()
            try:
                await asyncio.wait_for(self._moved.wait(), left / self.rate if self.rate else _FAR)
            except TimeoutError:
                continue

    def _wake(self) -> None:
        if self._moved is not None:
            self._moved.set()
            self._moved = None
