"""Charts drawn by the server: shapes for an inline SVG, and the same numbers for a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOURS = 24
WIDTH, HEIGHT = 480, 72
_GAP = 3


@dataclass(frozen=True, slots=True)
class Hour:
    """The entries that arrived during one hour, by their current state."""

    at: datetime
    completed: int = 0
    failed: int = 0
    waiting: int = 0

    @property
    def total(self) -> int:
        """Return everything that came in."""
        return self.completed + self.failed + self.waiting


@dataclass(frozen=True, slots=True)
class Bar:
    """One segment of a column, in drawing units; ``kind`` is a state."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A day, one column per hour."""

    hours: Sequence[Hour]
    bars: Sequence[Bar]
    highest: int
    """The largest total of an hour; the top of the drawing."""

    @property
    def total(self) -> int:
        """Return everything that came in during the day."""
        return sum(hour.total for hour in self.hours)

    @property
    def failed(self) -> int:
        """Return how much of it failed."""
        return sum(hour.failed for hour in self.hours)


def day_chart(since: datetime, found: Sequence[Hour]) -> Chart:
    """Return the 24 hours from ``since`` on; hours that were not found are empty.

    A non-empty segment is at least 2 high: one failure among thousands must be visible.
    """
    known = {hour.at: hour for hour in found}
    moments = [since + timedelta(hours=number) for number in range(HOURS)]
    hours = [known.get(moment, Hour(moment)) for moment in moments]
    highest = max(hour.total for hour in hours)
    step = WIDTH / HOURS
    bars = [
        bar
        for number, hour in enumerate(hours)
        for bar in _column(hour, number * step + _GAP / 2, step - _GAP, highest)
    ]
    return Chart(hours, bars, highest)


def _column(hour: Hour, x: float, width: float, highest: int) -> list[Bar]:
    """Yield segments from the bottom up: completed, waiting, failed."""
    counts = (("completed", hour.completed), ("queued", hour.waiting), ("failed", hour.failed))
    pieces = [(kind, max(2.0, HEIGHT * count / highest)) for kind, count in counts if count]
    spare = sum(height for _, height in pieces) - HEIGHT
    if spare > 0:  # the smallest pieces were made visible: the largest gives way
        largest = max(range(len(pieces)), key=lambda place: pieces[place][1])
        kind, height = pieces[largest]
        pieces[largest] = (kind, height - spare)
    bars, bottom = [], float(HEIGHT)
    for kind, height in pieces:
        bottom -= height
        bars.append(Bar(kind, round(x, 1), round(bottom, 1), round(width, 1), round(height, 1)))
    return bars
