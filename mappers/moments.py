"""Dates and times of events as the plain types that commands carry."""

from datetime import UTC, date, datetime


def plain_moment(moment: datetime) -> datetime:
    """Return an aware moment in UTC as a plain ``datetime``."""
    utc = moment.astimezone(UTC)
    return datetime(
        utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond, tzinfo=UTC
    )


def plain_day(day: date) -> date:
    """Return a day as a plain ``date``."""
    return date(day.year, day.month, day.day)
