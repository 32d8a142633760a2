"""Stock-taking: every row is read once before anything else, at the whole budget. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sources.schedule.budget import WINDOWS
from sources.schedule.layers import LISTINGS, PAGE_LIMIT, Listing
from sources.schedule.scans import Finished, Scan, scan_key


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a list has been read."""

    rows: int
    count: int | None
    """Rows that it has; none before its first answer."""
    is_done: bool
    unseen: int = 0
    """Rows that SalesBinder fails to show."""


def untaken(
    finished: Mapping[str, Finished], held: Mapping[str, datetime], now: datetime
) -> frozenset[Listing]:
    """Return the lists that have not been read whole yet; one that SalesBinder refuses is not waited for."""
    return frozenset(
        listing
        for listing in LISTINGS["all"]
        if (key := scan_key("all", listing)) not in finished and held.get(key, now) <= now
    )


def progress(finished: Mapping[str, Finished], scans: Mapping[str, Scan]) -> dict[Listing, Progress]:
    """Return how far each list has been read for the stock-taking."""
    found: dict[Listing, Progress] = {}
    for listing in LISTINGS["all"]:
        key = scan_key("all", listing)
        if (done := finished.get(key)) is not None:
            found[listing] = Progress(done.count - done.unseen, done.count, True, done.unseen)
        elif (scan := scans.get(key)) is not None:
            found[listing] = Progress(scan.rows, scan.count, False, scan.unseen)
        else:
            found[listing] = Progress(0, None, False)
    return found


def time_left(lists: Mapping[Listing, Progress]) -> timedelta | None:
    """Return how long the stock-taking still takes at the whole budget; none before each list was asked."""
    left = [each for each in lists.values() if not each.is_done]
    if any(each.count is None for each in left):
        return None
    pages = sum(ceil(max((each.count or 0) - each.rows - each.unseen, 0) / PAGE_LIMIT) for each in left)
    length, calls = WINDOWS[-1]
    return length * (pages / calls)
