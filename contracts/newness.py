"""Which of two snapshots of a record is the newer one. Pure."""

from datetime import datetime, timedelta
from typing import NamedTuple

_AHEAD = timedelta(minutes=5)


class Stamp(NamedTuple):
    """How new a snapshot is: stamps are compared as they stand, the greater is the newer.

    SalesBinder's stamps have whole seconds, so two that differ in their position alone say nothing of which
    is which but the order in which they came: whether anything is to be done is decided by content.
    """

    moment: datetime
    """The earlier of ``modified`` and the event's ``time``: a clock that goes ahead must not win for ever."""
    time: datetime
    """The event's ``time``."""
    position: int = 0
    """Of the action that brought it, in its record."""

    def equals(self, other: "Stamp") -> bool:
        """Return True if only their positions distinguish the two."""
        return self[:2] == other[:2]


def stamp(modified: datetime, time: datetime, position: int = 0) -> Stamp:
    """Return the stamp of a snapshot of a record that was ``modified`` then, from an event of
    that ``time``.
    """
    return Stamp(min(modified, time), time, position)


def is_in_future(modified: datetime, time: datetime) -> bool:
    """Return True if ``modified`` is more than five minutes ahead of its event's ``time``: a
    clock is wrong.
    """
    return modified - time > _AHEAD
