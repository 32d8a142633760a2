"""The day that a document or payment has in Xero, whose books may be locked."""

from datetime import date, timedelta

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.reasons import Refused, warning
from contracts.results import Warning


def open_day(day: date, settings: Settings, facts: OrganisationFacts, warnings: list[Warning]) -> date:
    """Return ``day``, or the first day after the lock if the books are locked up to it and the settings say
    so.

    Raises:
        Refused: ``period_locked``.
    """
    lock = facts.lock_date
    if lock is None or day > lock:
        return day
    if settings.locked_period == "fail":
        raise Refused("period_locked", date=day, lock_date=lock)
    moved = lock + timedelta(days=1)
    warnings.append(warning("date_moved", value=day, sent=moved, lock_date=lock))
    return moved
