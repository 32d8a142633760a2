"""The layers of reading: from changes by ``modified`` each minute to all rows in turn. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sources.schedule.budget import BACKGROUND, WINDOWS
from sources.schedule.deep import deep_period
from sources.schedule.trust import KINDS, Kind, Trust, is_proven, may_relax

Layer = Literal["delta", "log", "newest", "open", "wide", "all"]
Listing = Literal["customers", "suppliers", "invoices", "orders", "log"]
Change = Kind | Literal["correction"]
"""A correction of the day or reference of a payment moves no sum that a row shows."""
CHANGES: Final[tuple[Change, ...]] = (*KINDS, "correction")

PAGE_LIMIT: Final = 200

ACCOUNTS: Final[tuple[Listing, ...]] = ("customers", "suppliers")
DOCUMENTS: Final[tuple[Listing, ...]] = ("invoices", "orders")

LISTINGS: Final[Mapping[Layer, tuple[Listing, ...]]] = {
    "delta": (*ACCOUNTS, *DOCUMENTS),
    "log": ("log",),
    "newest": DOCUMENTS,
    "open": DOCUMENTS,
    "wide": (*ACCOUNTS, *DOCUMENTS, "log"),
    "all": (*ACCOUNTS, *DOCUMENTS),
}
"""Which lists each layer reads."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a layer is read, and how far before its last scan it asks."""

    period: timedelta
    relaxed: timedelta
    """Once ``modified`` is proven to be moved."""
    overlap: timedelta | None = None
    """None for layers that ask for no time."""


PACES: Final[Mapping[Layer, Pace]] = {
    "delta": Pace(timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=10)),
    "log": Pace(timedelta(minutes=1), timedelta(minutes=1), timedelta(hours=1)),
    "newest": Pace(timedelta(minutes=2), timedelta(minutes=10)),
    "open": Pace(timedelta(minutes=10), timedelta(hours=1)),
    "wide": Pace(timedelta(hours=1), timedelta(hours=1), timedelta(days=2)),
    "all": Pace(timedelta(hours=6), timedelta(days=1)),
}
"""``delta`` and ``log``: what changed since the last scan. ``newest``: the first page, where the newest
numbers stand. ``open``: by status. ``wide``: once more what changed in two days, in case the server reads the
time in another zone, or lists lag. ``all``: every row.
"""

BACKGROUND_PER_MINUTE: Final = BACKGROUND[-1][1]
"""Calls of a minute for ``all``, deep reads and history together."""
_PER_MINUTE: Final = WINDOWS[-1][1]
_UNDOING: Final[frozenset[Change]] = frozenset({"payment_applied", "refund_applied", "reset"})
"""What one of these does another can undo before anybody looks: the row is then as before, but for
``modified``, if payments move it.
"""
_UNLISTED: Final[frozenset[Change]] = _UNDOING | {"received", "edited"}
"""And rows may have no lines, nor receipts."""


def period(layer: Layer, trust: Trust) -> timedelta:
    """Return how often the layer is read."""
    pace = PACES[layer]
    return pace.relaxed if may_relax(trust) else pace.period


@dataclass(frozen=True, slots=True)
class Sizes:
    """What there is to read, as far as known."""

    all: int = 0
    """Rows of the lists."""
    wanted: int = 0
    """Details that wait."""
    deep: int = 0
    """Deep reads that are due."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late a change of a kind can be seen at most, while the account answers."""

    listed: timedelta | None
    """One that a list shows; none if no list shows this kind."""
    live: timedelta | None
    """One that no list shows, of a document that is open or changed of late; none if lists show each."""
    most: timedelta
    """Any, of any document."""


def lateness(change: Change, trust: Trust, sizes: Sizes) -> Lateness:
    """Return how late such a change can be seen."""
    details = timedelta(minutes=sizes.wanted / _PER_MINUTE)
    if change != "correction" and is_proven(trust, change):
        shown = period("delta", trust) + _scan(0) + details
        return Lateness(shown, None, shown)
    swept = _scan(sizes.all) + details
    listed = None if change == "correction" else period("all", trust) + swept
    if listed is not None and (
        change not in _UNLISTED or (change in _UNDOING and is_proven(trust, "payment_applied"))
    ):
        return Lateness(listed, None, listed)
    # All rows are read before what is read deep.
    swept += timedelta(minutes=sizes.deep / BACKGROUND_PER_MINUTE)
    live, most = (deep_period(is_live=each, is_relaxed=may_relax(trust)) + swept for each in (True, False))
    return Lateness(listed, live, most)


def _scan(rows: int) -> timedelta:
    """Return how long a scan takes at the background's pace, with one repetition and the details after it."""
    pages = -(-rows // PAGE_LIMIT) + 1
    return timedelta(minutes=2 * pages / BACKGROUND_PER_MINUTE + 1)


def latenesses(trust: Trust, sizes: Sizes) -> dict[Change, Lateness]:
    """Return how late a change of each kind can be seen."""
    return {change: lateness(change, trust, sizes) for change in CHANGES}
