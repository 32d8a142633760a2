"""Contradictions within an event that do not keep it from being done: shown as warnings on its entry."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from contracts.commands import Command
from contracts.reasons import warning
from contracts.results import Warning

_CLOCKS_DIFFER = timedelta(days=1)
"""One day: a publisher's clock, or its offset, may be wrong by that much without anybody having noticed."""
_BEFORE = timedelta(days=3653)
_AFTER = timedelta(days=366)
_DUE_AFTER = timedelta(days=3653)


def contradictions(command: Command, now: datetime) -> tuple[Warning, ...]:
    """Return warnings for things that a bookkeeper would ask about, although they can be done: a time in the
    future, days far from the day of the change (2206 for 2026), a document that is cancelled by its own
    status.
    """
    return tuple(_found(command, now))


def _found(command: Command, now: datetime) -> Iterator[Warning]:
    event_time = command.event.time
    if event_time > now + _CLOCKS_DIFFER:
        yield warning("event_from_future", time=event_time.isoformat(timespec="seconds"))
    if command.says_cancelled:
        yield warning("status_says_cancelled")
    day = event_time.date()
    for field, value, after in _days(command):
        if not day - _BEFORE <= value <= day + after:
            yield warning("date_unusual", field=field, value=value, day=day)


def _days(command: Command) -> Iterator[tuple[str, date, timedelta]]:
    """Yield the days that are sent to Xero, by their name, and how far ahead they may lie."""
    if command.transaction is not None:
        yield "date of the transaction", command.transaction.date, _AFTER
    elif command.document is not None:
        yield "issue date", command.document.issue_date, _AFTER
        if command.document.due_date is not None:
            yield "due date", command.document.due_date, _DUE_AFTER
