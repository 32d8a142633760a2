"""Convert query strings to filters of the log, and back; shared by page, API and export."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from log_projection.paging import Cursor, Order
from log_projection.queries import Filters, Row, cursor
from sbx.actions import filters as actions
from sbx.actions.scoped_log import NEWEST_FIRST
from sbx.web.problems import Problem

NAMES = (
    "account",
    "state",
    "entity",
    "action",
    "reason",
    "issue",
    "number",
    "record",
    "text",
    "since",
    "until",
    "period",
    "id",
    "topic",
    "partition",
    "offset",
)
"""Filters by their names in addresses; the same as in ``sbx log``."""

SORT = "sort"
"""Name of the parameter that says in which order entries are listed."""

VIEW = "view"
"""Name of the parameter that names a view that the user has kept."""

CURSORS = ("cursor", "before")
"""Names of the parameters that say where a page begins: after an entry, or right before one."""

LAST_PAGE = 1_000_000
"""The highest page number."""
_NO_KEY = "-"
_KEY = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,20})?")
_LONGEST = 255
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_filters(pairs: Iterable[tuple[str, str]], others: Sequence[str] = ()) -> Filters:
    """Return the filters of a query string. A blank value counts as not given, since forms send it.

    Args:
        pairs: names and values.
        others: names that mean something else there.

    Raises:
        Problem, ActionRefused: 400 with the name of what is unknown, given twice, or has a value that it
            cannot have.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in others:
            continue
        if name not in NAMES:
            raise _wrong(name, f"There is no filter '{name}'. There are: {', '.join(NAMES)}.")
        if name in given:
            raise _wrong(name, f"The filter '{name}' is given twice.")
        if value.strip():
            given[name] = _checked(name, value.strip())
    since = read_moment("since", given.get("since"))
    until = read_moment("until", given.get("until"), whole_day=True)
    return actions.read(given, since, until, _partition(given.get("partition")))


def _partition(value: str | None) -> int | None:
    return None if value is None else read_number("partition", value, 0, 0, 2**31 - 1)


def given_filters(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the filters as in the address, without blank ones, for links and forms."""
    return {name: value.strip() for name, value in pairs if name in NAMES and value.strip()}


def encode_cursor(row: Row, order: Order = NEWEST_FIRST) -> str:
    """Return a cursor for the list after this entry, safe for addresses."""
    place = cursor(row, order)
    text = f"{place.queued_at.astimezone(UTC).isoformat()} {place.entry_id}"
    if order.key is not None:
        text = f"{_NO_KEY if place.key is None else f'{place.key:f}'} {text}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursors(
    parameters: Mapping[str, str], order: Order = NEWEST_FIRST
) -> tuple[Cursor | None, Cursor | None]:
    """Return where a page of this order begins: after ``cursor``, or right before ``before``.

    Raises:
        Problem: 400, one is not one of ours, or both are given.
    """
    after, before = (_cursor(name, parameters.get(name), order) for name in CURSORS)
    if after is not None and before is not None:
        raise _wrong("before", "'cursor' and 'before' cannot be combined: give one of them.")
    return after, before


def _cursor(name: str, text: str | None, order: Order) -> Cursor | None:
    if not text:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        key, _, place = place.partition(" ") if order.key is not None else (_NO_KEY, "", place)
        moment, entry_id = place.split(" ", 1)
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None or "\0" in entry_id:
            raise ValueError("no offset, or a NUL")
        if key != _NO_KEY and not _KEY.fullmatch(key):
            raise ValueError("neither an amount nor a number")
        return Cursor(at.astimezone(UTC), entry_id, None if key == _NO_KEY else Decimal(key))
    except (binascii.Error, UnicodeError, ValueError, OverflowError) as error:
        message = (
            "The cursor is not one of ours, or of another order. Take it from 'next' or 'previous' of an "
            "answer, or leave it out."
        )
        raise _wrong(name, message) from error


def read_number(name: str, text: str | None, default: int, least: int, most: int) -> int:
    """Return a whole number from the address.

    Raises:
        Problem: 400, it is not one, or out of bounds.
    """
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
        raise _wrong(name, f"'{name}' must be a whole number from {least} to {most}.")
    return int(text)


def read_moment(name: str, value: str | None, whole_day: bool = False) -> datetime | None:
    """Parse a day (UTC, its beginning, or its end if ``whole``), or a time with a UTC offset; None for None.

    Raises:
        Problem: 400, the value is neither.
    """
    if value is None:
        return None
    try:
        if _DAY.fullmatch(value):
            day = date.fromisoformat(value) + timedelta(days=1 if whole_day else 0)
            return datetime.combine(day, time(), UTC)
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise _wrong(name, f"'{value}' has no offset. Write {found.isoformat()}Z for UTC.")
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _wrong(name, f"'{value}' is not a time. Write 2026-01-31 or 2026-01-31T09:00:00Z.") from error


def _checked(name: str, value: str) -> str:
    if len(value) > _LONGEST or "\0" in value:
        raise _wrong(name, f"The value of '{name}' is longer than {_LONGEST} characters, or contains a NUL.")
    return value


def _wrong(name: str, message: str) -> Problem:
    return Problem(400, "bad_request", message, name)
