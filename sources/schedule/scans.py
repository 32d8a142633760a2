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
MAX_PAGES: Final = 20_000
FEW: Final = 20
"""A list of no more rows may be halved by ordinary deletions, one of no more than one row emptied."""

_LEAST: Final = 10
"""Rows of a page that is asked for."""

State = Literal["going", "done", "again"]
Oddity = Literal["page_repeated", "page_empty", "rows_missing", "halved", "emptied"]
CUT: Final = frozenset({"halved", "emptied"})
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
    """Rows that it saw."""
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
    done = Finished(
        started=scan.started,
        asked=scan.asked or answered,
        count=scan.rows,
        newest=scan.newest,
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
        return _ended(scan, "page_repeated")
    now = msgspec.structs.replace(
        scan,
        page=scan.page + 1,
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
        return _ended(now, "page_empty" if promised else None, last_count)
    if scan.layer == "newest" or (page.pages is not None and scan.page >= page.pages) or now.page > MAX_PAGES:
        return _ended(now, None, last_count)
    return Step(state="going", scan=now)


def with_fewer_rows(scan: Scan) -> Scan:
    """Return the scan from its beginning with smaller pages: a page of long documents may be more than
    SalesBinder can show at once.
    """
    return Scan(
        layer=scan.layer,
        listing=scan.listing,
        started=scan.started,
        asked=scan.asked,
        since=scan.since,
        status=scan.status,
        limit=max(scan.limit // 4, _LEAST),
        newest=scan.newest,
    )


def after_no_page(scan: Scan, last_count: int | None) -> Step:
    """Return how the scan ends when a page behind the first one is not there (404)."""
    return _ended(scan, None, last_count)


def _ended(scan: Scan, oddity: Oddity | None, last_count: int | None = None) -> Step:
    whole = scan.layer != "newest"
    missing = whole and scan.count is not None and scan.rows < scan.count
    before = last_count or 0
    if oddity is None and scan.layer == "all" and before > 1 and not scan.rows:
        oddity = "emptied"
    if oddity is None and scan.layer == "all" and before > FEW and 2 * scan.rows < before:
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
            limit=scan.limit,
            newest=scan.newest,
        )
        return Step(state="again", scan=again, oddity=oddity)
    return Step(state="done", scan=scan, oddity=oddity)
