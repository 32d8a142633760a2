"""What holds for an account while an answer is read: what is new, and when it is looked at again. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from contracts.commands import Entity
from sources.diff.known import KnownDocument
from sources.diff.look import Look
from sources.salesbinder.answers import SentRow
from sources.salesbinder.statuses import is_settled
from sources.salesbinder.values import moment_or_none
from sources.schedule.deep import deep_period, first_share, is_live
from sources.schedule.layers import Listing
from sources.schedule.scans import Finished

_SERVERS_APART: Final = timedelta(seconds=5)
"""A record that is made right after the connection may have a stamp from before it."""
_CLOCKS_APART: Final = timedelta(minutes=5)
"""By so much SalesBinder's clock may differ from ours and still be believed."""
_FUTURE: Final = timedelta(minutes=5)
"""No record is made so long after the answer that shows it: its stamp is of another time zone."""
_ZONES: Final = timedelta(hours=14)
"""By so much a stamp in the time of any zone differs from UTC at most."""


class Followed(Protocol):
    """What decides of a known document whether it is read deep."""

    @property
    def entity(self) -> Entity: ...
    @property
    def digest(self) -> str:
        """Blank while only a row was seen."""

    @property
    def status(self) -> str: ...
    @property
    def revision(self) -> int: ...
    @property
    def deleted(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for the account."""

    look: Look
    connected: datetime
    """By SalesBinder's clock: what was created before it is not new."""
    stock_taken: frozenset[Listing] = frozenset()
    unseen: frozenset[Listing] = frozenset()
    """Those of which stock is taken but for rows that SalesBinder failed to show."""
    delta_asked: datetime | None = None
    """When the last whole ``delta`` of this list began, by SalesBinder's clock."""
    newest_then: datetime | None = None
    """When the newest document of this list was made that was there at the last whole sweep."""
    now: datetime | None = None
    """By our clock, by which all goes that is due; none: SalesBinder's is ours."""
    is_relaxed: bool = False
    """Whether ``modified`` is proven to be moved."""
    cut_off: datetime | None = None
    """Documents created before it are not synced; none: the account is not connected to Xero."""

    def is_old(self, created: datetime, listing: Listing) -> bool:
        """Return True for what was made before the account was connected.

        Clocks of several servers aside, if it was not there when stock was taken. Stamps may be in the shop's
        own time, whatever they say: what is newer than all that was there then is new, and what was there is
        not new by a stamp of the future.
        """
        if listing not in self.stock_taken:
            return created < self.connected or created > self.look.at + _FUTURE
        if self.newest_then is not None and created >= self.newest_then:
            return False
        return created < self.connected - _SERVERS_APART

    @property
    def due(self) -> datetime:
        """Return the moment that it is by our clock."""
        return self.now or self.look.at


def moment_of_connection(known: datetime | None, answered: datetime, ours: datetime) -> datetime:
    """Return the moment of the connection by SalesBinder's clock, after an answer with this one.

    No answer is from before it. One that says so, as our clock does, shows that the clock of the first one
    was ahead; one that contradicts ours is old, or of a server whose clock is behind.
    """
    is_sure = abs(answered - ours) <= _CLOCKS_APART
    if known is None or (is_sure and max(answered, ours) < known):
        return answered
    return known


def newest_of(rows: Iterable[Any]) -> datetime | None:
    """Return when the newest record of a page was made, as far as its rows say so.

    Texts of one form are compared as they stand: reading each as a moment costs as much as all else about an
    unchanged row.
    """
    stamps = [_created(row) for row in rows]
    made = [each for each in stamps if isinstance(each, str)]
    latest: dict[tuple[str, str, str], str] = {}
    for each in made:
        # All but the digits down to the second, or minute: where this is alike, texts are in order of time.
        form = (each[10:11], each[16:17], each[19:] if each[16:17] == ":" else each[17:])
        if each > latest.get(form, ""):
            latest[form] = each
    found = [moment_or_none(each) for each in latest.values()]
    if None in found:  # It is greater than texts that may be moments.
        found = [moment_or_none(each) for each in made]
    return max(filter(None, found), default=None)


def _created(row: Any) -> Any:
    if isinstance(row, SentRow):
        return row.created
    return row.get("created") if isinstance(row, dict) else None


def newest_then(stock: Finished | None, connected: datetime) -> datetime | None:
    """Return when the newest record of a list was made that its last whole sweep showed; none: nobody knows.

    To a list that was empty, or showed old records alone, all is new that comes, in whatever zone its stamp
    is; but not all that was ever made, which the key's user may only not have been permitted to see. If the
    clock of the first answer was far ahead, ours says when the sweep was.
    """
    if stock is None:
        return None
    earliest = min(connected, stock.started) - _ZONES
    if stock.count == 0:
        return earliest
    return None if stock.newest is None else max(stock.newest, earliest)


def next_deep(known: KnownDocument, created: datetime | None, context: Context) -> datetime | None:
    """Return when a document whose detail was just read is read again though nothing hints at a change; none
    if it is gone, or left out.
    """
    is_over = known.deleted or is_left_out(known, created, context)
    return None if is_over else context.due + _deep_period(known, context)


def keeps_deep(known: Followed, created: datetime | None, deep: datetime | None, context: Context) -> bool:
    """Return True if the deep reads of a document that is as before stay: no cut-off has moved past it."""
    if created is None or known.deleted:
        return True
    if is_left_out(known, created, context):
        return deep is None
    return deep is not None or _was_settled_before(known)


def first_deep(known: KnownDocument, created: datetime | None, context: Context) -> datetime | None:
    """Return when a document of which only a row was read is read deep first; none if it is left out, or was
    settled before anybody looked.
    """
    if is_left_out(known, created, context) or _was_settled_before(known):
        return None
    return context.due + first_share(known.id) * _deep_period(known, context)


def _was_settled_before(known: Followed) -> bool:
    return not known.digest and is_settled(known.entity, known.status)


def is_left_out(known: Followed, created: datetime | None, context: Context) -> bool:
    """Return True for a document from before the cut-off of which nothing was told: no change that only a
    deep read finds would be synced. One that was told may be in Xero, and the cut-off have moved since.
    """
    is_old = created is not None and context.cut_off is not None and created < context.cut_off
    return is_old and not known.revision


def _deep_period(known: KnownDocument, context: Context) -> timedelta:
    live = is_live(is_open=not is_settled(known.entity, known.status), told=known.time, now=context.look.at)
    return deep_period(is_live=live, is_relaxed=context.is_relaxed)
