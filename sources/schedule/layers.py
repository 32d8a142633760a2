"""The layers of reading: from changes by ``modified`` each minute to all rows in turn. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sources.schedule.budget import BACKGROUND
from sources.schedule.trust import KINDS, Kind, Trust, is_proven, may_relax

Layer = Literal["delta", "log", "newest", "open", "wide", "all"]
Listing = Literal["customers", "suppliers", "invoices", "orders", "log"]

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


def period(layer: Layer, trust: Trust) -> timedelta:
    """Return how often the layer is read."""
    pace = PACES[layer]
    return pace.relaxed if may_relax(trust) else pace.period


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many rows the lists have, as far as known."""

    all: int = 0
    open: int = 0


def lateness(kind: Kind, trust: Trust, sizes: Sizes, *, is_open: bool) -> timedelta:
    """Return how late a change of this kind can be seen at most, while the account answers.

    ``is_open``: of a document whose status is open, which a sweep of its own finds sooner.
    """
    if is_proven(trust, kind):
        return period("delta", trust) + _scan(0)
    layer: Layer = "open" if is_open else "all"
    rows = sizes.open if is_open else sizes.all
    return period(layer, trust) + _scan(rows)


def _scan(rows: int) -> timedelta:
    """Return how long a scan takes at the background's pace, with one repetition and the details after it."""
    pages = -(-rows // PAGE_LIMIT) + 1
    return timedelta(minutes=2 * pages / BACKGROUND_PER_MINUTE + 1)


def latenesses(trust: Trust, sizes: Sizes) -> dict[Kind, timedelta]:
    """Return the most that a change of each kind can be late, of any document."""
    return {kind: lateness(kind, trust, sizes, is_open=False) for kind in KINDS}
