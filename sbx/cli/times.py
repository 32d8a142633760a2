"""Times and days as people write them: ``2026-01-31``, ``today``, ``yesterday``, ``2h`` for two hours ago."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from sbx.cli.errors import BadUsage

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS_AGO = {"today": 0, "yesterday": 1}
_HOW = "write {example}, today, yesterday, or 2h for two hours ago"


def moment(option: str, value: str | None) -> datetime | None:
    """Parse a time, or how long ago; None for None. Without an offset it is this machine's time.

    Raises:
        BadUsage: the value is neither.
    """
    if value is None:
        return None
    try:
        found = spoken(value) or datetime.fromisoformat(value)
        return found if found.tzinfo else found.astimezone()
    except (ValueError, OverflowError) as error:
        raise BadUsage(
            f"{option} {value}: not a time", _HOW.format(example="2026-01-31T09:00:00Z")
        ) from error


def day(option: str, value: str | None) -> date | None:
    """Parse a day of UTC; None for None.

    Raises:
        BadUsage: the value is none.
    """
    if value is None:
        return None
    try:
        found = spoken(value, UTC)
        return found.astimezone(UTC).date() if found else date.fromisoformat(value)
    except (ValueError, OverflowError) as error:
        raise BadUsage(f"{option} {value}: not a day", _HOW.format(example="2026-01-31")) from error


def spoken(value: str, zone: tzinfo | None = None) -> datetime | None:
    """Return the time that a word means; None if it is no such word.

    Args:
        zone: where days begin; None for this machine's.
    """
    word = value.strip().lower()
    now = datetime.now(UTC)
    if word in _DAYS_AGO:
        there = now.astimezone(zone).replace(tzinfo=None) - timedelta(days=_DAYS_AGO[word])
        midnight = there.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight.replace(tzinfo=zone) if zone else midnight.astimezone()
    ago = re.fullmatch(r"(\d{1,6})([smhdw])", word)
    return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else None
