"""One scan of a list, page by page, while rows move between the pages. Pure.

A new record shifts all rows down by one, a deleted one up: a row may be seen twice, or skipped. So ``count``
is compared from page to page, and a scan that may have skipped a row is made again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from sources.salesbinder.answers import Page
from sources.schedule.layers import PAGE_LIMIT, Layer, Listing

MAX_REPEATS: Final = 2
"""Scans that are made again because rows moved, until the next one of the layer."""
MAX_ROWS: Final = 4_000_000
FEW: Final = 20
"""A list of no more rows may be halved by ordinary deletions, one of no more than one row emptied."""
SIZES: Final = (PAGE_LIMIT, 50, 10, 1)
"""Rows of a page that are asked for: fewer once SalesBinder fails to show so many, down to the one that it
fails at. Each divides the ones before it, so that the scan goes on at the same row.
"""
_DARE: Final = 4
"""Pages in a row that are shown until more rows are asked for again; doubled each time that was in vain."""
_DARE_LATEST: Final = 6
"""Doubled so often at most."""

State = Literal["going", "done", "again"]
Oddity = Literal["page_repeated", "page_empty", "rows_missing", "halved", "emptied"]
CUT: Final = frozenset({"halved", "emptied"})
_LOG_BEFORE: Final = timedelta(days=1)
"""From so long before the connection the log is asked for."""
_BELIEVED_AFTER: Final = timedelta(days=7)
"""A list that stays cut for so long is believed: half of its records may have been archived."""


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A scan under way."""

    layer: Layer
    listing: Listing
    started: datetime
    """By our clock: what is due goes by it."""
    asked: datetime | None = None
    """By SalesBinder's clock, the moment of the first page: what is asked for next goes by it."""
    since: datetime | None = None
    status: str | None = None
    """The id of the status that is asked for."""
    page: int = 1
    """The page to ask for next."""
    limit: int = PAGE_LIMIT
    """Rows of a page: fewer once SalesBinder has failed to show so many."""
    widest: int = PAGE_LIMIT
    """Rows of a page at most."""
    is_fixed: bool = False
    """Whether SalesBinder shows so many rows of a page however few are asked for."""
    failed: int = 0
    """Times in a row that the page could not be shown."""
    good: int = 0
    """Pages in a row that were shown."""
    shrunk: int = 0
    """Times that fewer rows were asked for, since a page was skipped last: then it was not their number."""
    skipped: tuple[tuple[int, int], ...] = ()
    """Rows that SalesBinder does not show: how many come before them, and how many they are."""
    blind: int = 0
    """Pages in a row that were skipped."""
    count: int | None = None
    """Of the first page."""
    latest: int | None = None
    """Of the last page."""
    moved: bool = False
    """Whether ``count`` fell between two pages: a record that went may have hidden another from the next
    page. One that came only shows another twice.
    """
    repeats: int = 0
    rows: int = 0
    """Rows so far, those not counted that the page before had shown, too: what shifts, shifts to the next."""
    last: tuple[str, ...] = ()
    """Ids of the last page's rows."""
    strange: bool = False
    """Whether one of its rows was none of this list's records."""
    newest: datetime | None = None
    """When the newest of its records was made, by SalesBinder's stamps."""

    @property
    def offset(self) -> int:
        """Return how many rows of the list come before the page to ask for."""
        return (self.page - 1) * self.limit

    @property
    def unseen(self) -> int:
        """Return how many rows were skipped."""
        return sum(rows for _, rows in self.skipped)

    @property
    def key(self) -> str:
        """Return what distinguishes this scan's kind from others."""
        return scan_key(self.layer, self.listing, self.status)


def scan_key(layer: Layer, listing: Listing, status: str | None = None) -> str:
    """Return the key of a kind of scan."""
    return f"{layer}/{listing}" + (f"/{status}" if status else "")


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """The last whole scan of a kind."""

    started: datetime
    """By our clock."""
    asked: datetime
    """By SalesBinder's clock."""
    count: int
    """Rows that it saw, and those that it skipped."""
    unseen: int = 0
    """Rows that it skipped: SalesBinder failed to show them."""
    expected: int | None = None
    """Rows before the list was cut; none if it was not."""
    cut_since: datetime | None = None
    limit: int = PAGE_LIMIT
    """Rows of a page that it asked for."""
    newest: datetime | None = None
    """When the newest of its records was made, by SalesBinder's stamps."""

    @property
    def whole(self) -> int:
        """Return how many rows the list had when it was last whole."""
        return self.count if self.expected is None else self.expected


def finished(step: "Step", answered: datetime, last: Finished | None) -> Finished:
    """Return the scan that a step ended; ``last`` is the one before of its kind. One that was cut is measured
    by what the list had before.
    """
    scan = step.scan
    asked = scan.asked or answered
    if scan.listing == "log" and scan.skipped:
        # No other list shows what the log does: it is asked for from the same moment again.
        asked = last.asked if last is not None else asked - _LOG_BEFORE
    done = Finished(
        started=scan.started,
        asked=asked,
        count=scan.rows + scan.unseen,
        unseen=scan.unseen,
        newest=None if any(not before for before, _ in scan.skipped) else scan.newest,
        limit=scan.limit,
    )
    if step.oddity not in CUT or last is None:
        return done
    since = last.cut_since or scan.started
    if scan.started - since >= _BELIEVED_AFTER:
        return done
    return msgspec.structs.replace(done, expected=last.whole, cut_since=since)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What follows from a page."""

    state: State
    scan: Scan
    oddity: Oddity | None = None


def after_page(
    scan: Scan,
    page: Page,
    ids: Iterable[str],
    answered: datetime,
    last_count: int | None,
    newest: datetime | None = None,
) -> Step:
    """Return how the scan goes on after a page with rows of these ids.

    ``answered`` is the moment of the answer by SalesBinder's clock. ``last_count`` is how many rows the list
    had when it was last whole, to notice one that was cut. ``newest`` is when the page's newest record was
    made.
    """
    shown = frozenset(ids)
    fresh = shown - frozenset(scan.last)
    if scan.page > 1 and shown and not fresh:
        return ended(scan, "page_repeated")
    limit = _shown_at_once(scan, page, len(shown))
    if limit > scan.limit and scan.page > 1:
        # SalesBinder shows another page than was asked for. Its rows count for nothing.
        fixed = msgspec.structs.replace(scan, widest=limit, is_fixed=True)
        return Step(state="going", scan=at_row(fixed, scan.offset, limit))
    now = msgspec.structs.replace(
        scan,
        page=scan.page + 1,
        limit=limit,
        widest=limit if limit != scan.limit else scan.widest,
        is_fixed=scan.is_fixed or limit > scan.limit,
        failed=0,
        good=scan.good + 1,
        blind=0,
        asked=scan.asked or answered,
        count=page.count if scan.page == 1 else scan.count,
        latest=page.count if page.count is not None else scan.latest,
        moved=scan.moved or (page.count is not None and scan.latest is not None and page.count < scan.latest),
        rows=scan.rows + len(fresh),
        last=tuple(sorted(shown)),
        newest=max(filter(None, (scan.newest, newest)), default=None),
    )
    if not page.rows:
        promised = (page.count or 0) > 0 and (page.pages or 0) >= scan.page
        return ended(now, "page_empty" if promised else None, last_count)
    if is_enough(now) or (page.pages is not None and scan.page >= page.pages):
        return ended(now, None, last_count)
    return Step(state="going", scan=at_row(now, now.offset, _dared(now)))


def _shown_at_once(scan: Scan, page: Page, shown: int) -> int:
    """Return how many rows of a page SalesBinder shows, which may be other than was asked for."""
    if shown > scan.limit:
        return shown
    if scan.page > 1 or not shown:
        return scan.limit
    if page.count is not None and page.pages is not None and page.pages <= -(-page.count // scan.limit):
        return scan.limit
    return shown


def _dared(scan: Scan) -> int:
    """Return how many rows of a page are asked for next: more again once so many pages were shown."""
    if scan.is_fixed or scan.good < _DARE << min(scan.shrunk, _DARE_LATEST):
        return scan.limit
    more = {size for size in (*SIZES, scan.widest) if scan.limit < size <= scan.widest}
    return max((size for size in more if not scan.offset % size), default=scan.limit)


def at_row(scan: Scan, before: int, limit: int) -> Scan:
    """Return the scan with its next page where so many rows come before, or a little earlier."""
    return msgspec.structs.replace(scan, page=before // limit + 1, limit=limit)


def is_enough(scan: Scan) -> bool:
    """Return True if no more rows of the list are to be read, even if there are more."""
    return scan.offset >= (scan.widest if scan.layer == "newest" else MAX_ROWS)


def after_no_page(scan: Scan, last_count: int | None) -> Step:
    """Return how the scan ends when a page behind the first one is not there (404)."""
    return ended(scan, None, last_count)


def ended(scan: Scan, oddity: Oddity | None, last_count: int | None = None) -> Step:
    """Return that the scan is done, or is made again. What SalesBinder fails to show is not missing."""
    whole = scan.layer != "newest"
    rows = scan.rows + scan.unseen
    missing = whole and scan.count is not None and rows < scan.count
    before = last_count or 0
    if oddity is None and scan.layer == "all" and before > 1 and not rows:
        oddity = "emptied"
    if oddity is None and scan.layer == "all" and before > FEW and 2 * rows < before:
        oddity = "halved"
    if oddity is None and missing and not scan.moved:
        oddity = "rows_missing"
    if whole and (missing or scan.moved) and scan.repeats < MAX_REPEATS:
        again = Scan(
            layer=scan.layer,
            listing=scan.listing,
            started=scan.started,
            asked=scan.asked,
            since=scan.since,
            status=scan.status,
            repeats=scan.repeats + 1,
            limit=scan.widest,
            widest=scan.widest,
            newest=scan.newest,
        )
        return Step(state="again", scan=again, oddity=oddity)
    return Step(state="done", scan=scan, oddity=oddity)
