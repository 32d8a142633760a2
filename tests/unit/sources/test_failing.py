"""Pages that always fail: how a scan comes to all rows but those that cannot be shown, and that it ends."""

import random
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from sources.salesbinder.answers import Page
from sources.schedule.failing import after_failure
from sources.schedule.layers import PAGE_LIMIT, Layer, Listing
from sources.schedule.scans import (
    SIZES,
    Finished,
    Scan,
    Step,
    after_no_page,
    after_page,
    finished,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Asked = Callable[[int], int]


@dataclass
class Shelf:
    """A list of rows, some of which break each page that they are on."""

    rows: list[str]
    bad: Set[str]
    most: int = 10**9
    """Rows of a page that it can show at once."""
    asked: Asked = lambda limit: limit
    """How many rows of a page it shows, of those that are asked for."""
    counts: bool = True
    deep: int = 10**9
    """Row from which on it shows none."""
    seen: set[str] = field(default_factory=set)
    calls: int = 0
    failures: int = 0

    def page(self, scan: Scan) -> Page | str | None:
        self.calls += 1
        limit = self.asked(scan.limit)
        before = (scan.page - 1) * limit
        if before >= len(self.rows) and scan.page > 1:
            return None
        shown = self.rows[before : before + limit]
        if self.bad & set(shown) or len(shown) > self.most or before + len(shown) > self.deep:
            self.failures += 1
            return "fails"
        self.seen |= set(shown)
        count = len(self.rows) if self.counts else None
        pages = -(-len(self.rows) // limit) if self.counts else None
        return Page(count, None, pages, tuple({"id": each} for each in shown))


def scanned(shelf: Shelf, scan: Scan, last_count: int | None = None) -> Step:
    for _ in range(5000):
        page = shelf.page(scan)
        if isinstance(page, str):
            step = after_failure(scan, last_count)
        elif page is None:
            step = after_no_page(scan, last_count)
        else:
            step = after_page(scan, page, [row["id"] for row in page.rows], NOON, last_count)
        if step.state == "done":
            return step
        scan = step.scan
    raise AssertionError("the scan does not end")


def scan_of(layer: Layer = "all", listing: Listing = "invoices", **changes: object) -> Scan:
    return msgspec.structs.replace(Scan(layer=layer, listing=listing, started=NOON), **changes)


def rows_of(count: int) -> list[str]:
    return [f"r{n:05}" for n in range(count)]


@pytest.mark.parametrize("seed", range(60))
def test_all_rows_are_seen_but_those_that_cannot_be_shown(seed: int) -> None:
    chance = random.Random(seed)
    rows = rows_of(chance.choice([1, 3, 10, 11, 199, 200, 201, 950, 2000]))
    bad = set(chance.sample(rows, min(len(rows) - 1, chance.choice([0, 1, 1, 2, 5]))))
    if len(rows) > 4:
        bad -= set(rows[:1])
    shelf = Shelf(rows, bad, counts=seed % 4 > 0)
    step = scanned(shelf, scan_of(), len(rows))
    assert shelf.seen == set(rows) - bad
    assert (step.scan.unseen, step.scan.rows, step.oddity) == (len(bad), len(shelf.seen), None)
    skipped = [rows[first + n] for first, count in step.scan.skipped for n in range(count)]
    assert skipped == sorted(bad)
    assert shelf.failures <= 8 * len(bad)
    assert shelf.calls <= len(rows) // PAGE_LIMIT + 2 + 40 * len(bad)


def test_the_newest_row_that_cannot_be_shown_hides_none_of_the_others() -> None:
    shelf = Shelf(rows_of(300), {"r00000"})
    step = scanned(shelf, scan_of())
    assert step.scan.skipped == ((0, 1),)
    assert len(shelf.seen) == 299
    newest = Shelf(rows_of(300), {"r00000", "r00003"})
    step = scanned(newest, scan_of("newest"))
    assert newest.seen == set(rows_of(PAGE_LIMIT)) - newest.bad, "as many as it reads else"


def test_where_so_many_rows_are_too_many_none_is_skipped_and_larger_pages_are_tried_ever_more_seldom() -> (
    None
):
    shelf = Shelf(rows_of(20_000), set(), most=60)
    step = scanned(shelf, scan_of())
    assert (step.scan.skipped, len(shelf.seen)) == ((), 20_000)
    assert shelf.failures <= 2 * 8
    assert shelf.calls <= 20_000 // 50 + shelf.failures


def test_a_stretch_that_cannot_be_shown_is_left_behind_in_ever_larger_steps() -> None:
    shelf = Shelf(rows_of(100_000), set(), deep=40_000)
    step = scanned(shelf, scan_of())
    assert shelf.seen == set(rows_of(40_000))
    assert step.scan.skipped == ((40_000, 60_000),)
    assert shelf.failures <= 50
    done = finished(step, NOON, None)
    assert (done.count, done.unseen) == (100_000, 60_000)


def test_a_list_of_which_nothing_can_be_shown_is_begun_again_and_nothing_is_skipped_for_good() -> None:
    scan = scan_of(since=NOON, status="9")
    pages = []
    for _ in range(40):
        step = after_failure(scan, 100)
        assert step.state == "going"
        scan = step.scan
        pages.append((scan.page, scan.limit))
        assert scan.unseen <= 3
    assert pages.count((1, PAGE_LIMIT)) >= 3
    assert (scan.since, scan.status) == (NOON, "9")


@pytest.mark.parametrize("own", [20, 100])
@pytest.mark.parametrize("counts", [True, False])
def test_a_salesbinder_that_shows_pages_of_its_own_size_loses_no_row(own: int, counts: bool) -> None:
    """Whether it shows so many at most, or always."""
    rows = rows_of(1000)
    for asked in (lambda limit: min(limit, own), lambda _: own):
        shelf = Shelf(rows, {"r00345"}, asked=asked, counts=counts)
        step = scanned(shelf, scan_of())
        assert step.scan.unseen in (1, own)
        unseen = {rows[n] for before, count in step.scan.skipped for n in range(before, before + count)}
        assert shelf.seen >= set(rows) - unseen
        assert "r00345" in unseen


def test_a_list_with_rows_that_cannot_be_shown_is_neither_cut_nor_incomplete() -> None:
    rows = rows_of(100)
    shelf = Shelf(rows, set(rows[40:]))
    step = scanned(shelf, scan_of(), 100)
    assert (step.state, step.oddity) == ("done", None)
    done = finished(step, NOON, None)
    assert (done.count, done.unseen, done.whole) == (100, 60, 100)


@pytest.mark.parametrize("bad", ["r00000", "r00002"])
def test_which_record_is_the_newest_nobody_knows_if_the_first_row_was_not_seen(bad: str) -> None:
    step = scanned(Shelf(rows_of(9), {bad}), scan_of(newest=NOON))
    assert finished(step, NOON, None).newest == (None if bad == "r00000" else NOON)


def test_the_log_is_asked_for_again_from_the_same_moment_as_long_as_a_row_of_it_is_not_seen() -> None:
    """No other list shows that a record was deleted."""
    last = Finished(started=NOON, asked=NOON, count=3)
    shelf = Shelf(rows_of(9), {"r00004"})
    later = NOON + timedelta(hours=5)
    log = msgspec.structs.replace(scanned(shelf, scan_of("log", "log", asked=later)), state="done")
    assert finished(log, later, last).asked == NOON
    assert finished(log, later, None).asked == later - timedelta(days=1)
    delta = scanned(shelf, scan_of("delta", asked=later))
    assert finished(delta, later, last).asked == later, "sweeps ask for the others again"


def test_each_size_divides_those_before_it() -> None:
    for larger, smaller in pairwise(SIZES):
        assert larger % smaller == 0
    assert SIZES[-1] == 1
