"""Periods of the calendar by name, in UTC."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

Days = tuple[date, date]

_DAY = timedelta(days=1)


def _month(day: date) -> Days:
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _last_month(day: date) -> Days:
    return _month(day.replace(day=1) - _DAY)


PERIODS: dict[str, Callable[[date], Days]] = {
    "today": lambda day: (day, day + _DAY),
    "yesterday": lambda day: (day - _DAY, day),
    "last_7_days": lambda day: (day - 6 * _DAY, day + _DAY),
    "last_30_days": lambda day: (day - 29 * _DAY, day + _DAY),
    "this_month": _month,
    "last_month": _last_month,
    "this_year": lambda day: (day.replace(month=1, day=1), day.replace(year=day.year + 1, month=1, day=1)),
    "last_year": lambda day: (day.replace(year=day.year - 1, month=1, day=1), day.replace(month=1, day=1)),
}
"""The first day, and the day after the last, as seen on a day."""


def within(
    name: str, since: datetime | None, until: datetime | None, now: datetime | None = None
) -> tuple[datetime, datetime]:
    """Return the beginning and the end of what lies in a period, after ``since`` and before ``until``."""
    first, after = PERIODS[name]((now or datetime.now(UTC)).astimezone(UTC).date())
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, after))
    return max(begin, since or begin), min(end, until or end)
