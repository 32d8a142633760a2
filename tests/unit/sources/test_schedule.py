"""Which request is next, within the budget; how a scan goes on while rows move; what is measured."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.salesbinder.answers import Page
from sources.schedule.budget import WINDOWS, blocked_until, free_at
from sources.schedule.choice import (
    DetailRequest,
    ListRequest,
    Pause,
    Standing,
    Wanted,
    is_background,
    next_request,
)
from sources.schedule.deep import deep_period, first_share, is_live
from sources.schedule.layers import LISTINGS, PACES, PAGE_LIMIT, Sizes, lateness, period
from sources.schedule.questions import question
from sources.schedule.scans import (
    Finished,
    Scan,
    Step,
    after_no_page,
    after_page,
    finished,
    scan_key,
)
from sources.schedule.stock import progress, time_left, untaken
from sources.schedule.trust import PROVEN, Evidence, Trust, may_relax, noted

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def fresh(at: datetime = NOON, **changes: Any) -> Standing:
    """An account of which everything has just been read."""
    finished = {
        scan_key(layer, listing): Finished(started=at, asked=at, count=0)
        for layer, listings in LISTINGS.items()
        for listing in listings
    }
    nothing = Standing(sent=[], background=[], finished=finished, scans={}, wanted=[], trust={})
    return replace(nothing, **changes)


# The budget


def test_a_call_waits_until_each_window_has_room() -> None:
    assert free_at([], NOON) == NOON
    burst = [NOON - seconds(n / 2) for n in range(12)]
    assert free_at(burst, NOON) == NOON - seconds(5.5) + seconds(10)
    spread = [NOON - seconds(1.4 * n) for n in range(40)]
    assert free_at(spread, NOON) == NOON - seconds(1.4 * 39) + MINUTE


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_window_ever_holds_more_calls_than_it_may(seed: int) -> None:
    random_ = random.Random(seed)
    sent: list[datetime] = []
    now = NOON
    for _ in range(200):
        now = max(now + seconds(random_.choice([0, 0, 0.1, 3])), free_at(sent, now))
        sent.append(now)
    for length, most in WINDOWS:
        for start in sent:
            assert sum(start <= each < start + length for each in sent) <= most


def test_a_block_is_waited_out_and_longer_each_time() -> None:
    assert blocked_until(NOON, 1, None) == NOON + seconds(75)
    assert blocked_until(NOON, 2, None) == NOON + seconds(150)
    assert blocked_until(NOON, 30, None) == NOON + timedelta(hours=1)
    assert blocked_until(NOON, 1, timedelta(minutes=5)) == NOON + timedelta(minutes=5)
    assert next_request(fresh(NOON - timedelta(days=1), blocked_until=NOON + seconds(75)), NOON) == Pause(
        NOON + seconds(75)
    )


# Priorities


def test_nothing_is_asked_before_it_is_due() -> None:
    assert next_request(fresh(), NOON) == Pause(NOON + MINUTE)
    request = next_request(fresh(), NOON + MINUTE)
    assert isinstance(request, ListRequest)
    assert (request.scan.layer, request.scan.listing) == ("delta", "customers")


def test_what_is_asked_for_begins_before_the_last_scan_by_salesbinders_clock() -> None:
    ahead = NOON + timedelta(hours=3)
    finished = {**fresh().finished, "delta/customers": Finished(started=NOON, asked=ahead, count=0)}
    request = next_request(fresh(finished=finished), NOON + MINUTE)
    assert isinstance(request, ListRequest)
    assert request.scan.since == ahead - timedelta(minutes=10)
    wider = next_request(fresh(finished=finished, widened=timedelta(hours=26)), NOON + MINUTE)
    assert isinstance(wider, ListRequest)
    assert wider.scan.since == ahead - timedelta(minutes=10) - timedelta(hours=26)


def test_the_log_is_asked_for_two_days_each_hour_in_case_it_reads_times_in_another_zone() -> None:
    """Nothing else finds a deletion that its first hour did not show."""
    now = NOON + timedelta(hours=1)
    just = fresh(now).finished
    request = next_request(fresh(finished={**just, "wide/log": fresh().finished["log/log"]}), now)
    assert isinstance(request, ListRequest)
    assert (request.scan.key, request.scan.since) == ("wide/log", NOON - timedelta(days=2))


def order_of(standing: Standing, now: datetime, count: int) -> list[str]:
    """Return why each of the next requests is made, if each is done at once."""
    found = []
    for _ in range(count):
        request = next_request(standing, now)
        if isinstance(request, Pause):
            break
        if isinstance(request, ListRequest):
            key = request.scan.key
            finished = {**standing.finished, key: Finished(started=now, asked=now, count=0)}
            standing = replace(standing, finished=finished)
        else:
            left = [each for each in standing.wanted if each.record_id != request.record_id]
            standing = replace(standing, wanted=left)
        found.append(request.why)
    return found


def test_hints_then_changes_then_details_then_sweeps() -> None:
    whys = ("history", "deep", "again", "changed", "hint")
    wanted = [Wanted(why, why, NOON) for why in whys]  # type: ignore[arg-type]
    now = NOON + 2 * MINUTE
    assert order_of(fresh(wanted=wanted), now, 99) == [
        *["hint", "delta", "delta", "delta", "delta", "log", "changed", "again", "newest", "newest"],
        *["deep", "history"],
    ]


def counted(standing: Standing, request: ListRequest | DetailRequest, now: datetime) -> Standing:
    """Count a call, and forget those of more than a minute ago."""

    def latest(times: Sequence[datetime], *, with_now: bool) -> list[datetime]:
        return [each for each in (*times, *[now] * with_now) if each > now - MINUTE]

    return replace(
        standing,
        sent=latest(standing.sent, with_now=True),
        background=latest(standing.background, with_now=is_background(request)),
        sent_for_hints=latest(standing.sent_for_hints, with_now=request.is_hinted),
    )


def test_a_flood_of_hints_leaves_room_for_all_else() -> None:
    """Each second a hint comes that names a record, for five minutes: 40 calls a minute do not suffice."""
    standing = fresh(wanted=[Wanted(f"c{n:02}", "changed", NOON) for n in range(30)])
    now, asked = NOON, Counter[tuple[int, str]]()
    for second in range(1, 301):
        now = NOON + seconds(second)
        hint = Wanted(f"h{second:03}", "hint", now)
        standing = replace(standing, hinted=now, wanted=[*standing.wanted, hint])
        while not isinstance(request := next_request(standing, now), Pause):
            asked[second // 60, request.why] += 1
            if isinstance(request, ListRequest):
                done = Finished(started=now, asked=now, count=0)
                standing = replace(standing, finished={**standing.finished, request.scan.key: done})
            else:
                left = [each for each in standing.wanted if each.record_id != request.record_id]
                standing = replace(standing, wanted=left)
            standing = counted(standing, request, now)
    for minute in range(1, 5):
        assert asked[minute, "hint"] >= 5
        assert asked[minute, "delta"] >= 4
        assert asked[minute, "log"] >= 1
    assert sum(count for (_, why), count in asked.items() if why == "newest") >= 4
    assert not [each for each in standing.wanted if each.why == "changed"]


def test_details_do_not_starve_what_only_sweeps_find() -> None:
    wanted = [Wanted(f"d{n}", "changed", NOON) for n in range(100)]
    whys = order_of(fresh(wanted=wanted), NOON + 5 * MINUTE, 10)
    assert whys[:8] == ["delta"] * 4 + ["log"] + ["newest"] * 2 + ["changed"]


def test_open_documents_are_swept_by_each_status_that_was_seen() -> None:
    standing = fresh(open_statuses={"invoices": frozenset({"9", "10"})})
    now = NOON + timedelta(minutes=10)
    keys = set()
    while isinstance(request := next_request(standing, now), ListRequest):
        keys.add(request.scan.key)
        done = Finished(started=now, asked=now, count=0)
        standing = replace(standing, finished={**standing.finished, request.scan.key: done})
    assert {"open/invoices/10", "open/invoices/9"} <= keys


def test_a_scan_under_way_goes_on() -> None:
    scan = Scan(layer="all", listing="invoices", started=NOON, page=17)
    request = next_request(fresh(scans={scan.key: scan}), NOON + seconds(1))
    assert request == ListRequest(scan)


def test_a_quiet_hour_of_a_large_shop_is_quiet() -> None:
    """Stock is taken of 20,000 customers and 100,000 invoices; an hour of that stays below 30 a minute."""
    sizes = {"customers": 100, "suppliers": 1, "invoices": 500, "orders": 1, "log": 1}
    standing, now = fresh(NOON - timedelta(days=1)), NOON
    sent: list[tuple[datetime, str]] = []
    while now < NOON + timedelta(hours=1):
        latest = [each for each in sent if each[0] > now - MINUTE]
        standing = replace(
            standing,
            sent=[at for at, _ in latest],
            background=[at for at, why in latest if why == "all"],
            wanted=[Wanted(f"{len(sent)}", "deep", NOON)],
        )
        request = next_request(standing, now)
        if isinstance(request, Pause):
            assert request.until > now
            now = request.until
            continue
        sent.append((now, "all" if request.why in ("all", "deep") else request.why))
        if isinstance(request, ListRequest):
            scan = replace_page(request.scan)
            last = sizes[scan.listing] if scan.layer == "all" else 1
            scans = {**standing.scans, scan.key: scan}
            if scan.page > last:
                del scans[scan.key]
                done = Finished(started=scan.started, asked=now, count=0)
                standing = replace(standing, finished={**standing.finished, scan.key: done})
            standing = replace(standing, scans=scans)
        now += seconds(0.2)
    by_minute = Counter(int((at - NOON) / MINUTE) for at, _ in sent)
    assert sum(by_minute.values()) / 60 <= 30
    assert max(by_minute.values()) <= 40
    assert standing.finished["all/invoices"].started >= NOON


def replace_page(scan: Scan) -> Scan:
    return Scan(
        layer=scan.layer, listing=scan.listing, started=scan.started, since=scan.since, page=scan.page + 1
    )


# Scans


def page(*ids: str, count: int | None = None, pages: int | None = None) -> Page:
    return Page(count, None, pages, tuple({"id": each} for each in ids))


def run(scan: Scan, *pages: Page, last_count: int | None = None) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    for each in pages:
        step = after_page(scan, each, [row["id"] for row in each.rows], NOON, last_count)
        found.append((step.state, step.oddity))
        scan = step.scan
    return found


def whole(layer: Any = "all") -> Scan:
    return Scan(layer=layer, listing="invoices", started=NOON)


def test_a_scan_ends_with_its_last_page_or_with_one_that_is_not_there() -> None:
    assert run(whole(), page("a", "b", count=3, pages=2), page("c", count=3, pages=2)) == [
        ("going", None),
        ("done", None),
    ]
    going = after_page(whole(), page("a", "b", count=2), ["a", "b"], NOON, None)
    assert going.state == "going"
    assert after_no_page(going.scan, None).state == "done"


def test_a_scan_remembers_when_its_newest_record_was_made() -> None:
    scan = Scan(layer="all", listing="invoices", started=NOON, page=1)
    first = after_page(scan, Page(4, 1, 2, ("a", "b")), "ab", NOON, None, NOON)
    last = after_page(first.scan, Page(4, 2, 2, ("c", "d")), "cd", NOON, None, NOON - MINUTE)
    assert (last.state, last.scan.newest) == ("done", NOON)
    # Rows are missing: it is made again, and forgets nothing.
    again = after_page(first.scan, Page(4, 2, 2, ("c",)), "c", NOON, None)
    assert (again.state, again.scan.newest) == ("again", NOON)


def test_a_scan_that_ended_with_few_rows_of_a_page_is_followed_by_one_that_dares_more() -> None:
    done = Finished(started=NOON, asked=NOON, count=9, limit=1)
    for limit in (10, 50, PAGE_LIMIT, PAGE_LIMIT):
        later = fresh(finished={**fresh().finished, "delta/customers": done})
        request = next_request(later, NOON + MINUTE)
        assert isinstance(request, ListRequest)
        assert request.scan.limit == limit
        assert question(request).parameters["pageLimit"] == str(limit)
        done = msgspec.structs.replace(done, limit=limit)


def test_an_empty_list_is_a_whole_scan() -> None:
    assert run(whole(), page(count=0, pages=0)) == [("done", None)]
    assert run(whole(), page(count=0, pages=1)) == [("done", None)]


def test_a_scan_whose_rows_moved_is_made_again_twice_at_most() -> None:
    scan = whole()
    states = []
    for _ in range(3):
        first = after_page(scan, page("a", "b", count=4, pages=2), ["a", "b"], NOON, None)
        last = after_page(first.scan, page("d", count=3, pages=2), ["d"], NOON, None)
        states.append(last.state)
        scan = last.scan
    assert states == ["again", "again", "done"]


def test_a_scan_goes_on_while_records_come() -> None:
    pages = [page("c", "b", count=3, pages=2), page("b", "a", count=4, pages=2)]
    assert run(whole(), *pages) == [("going", None), ("done", None)]


def test_rows_that_are_missing_without_a_move_are_reported() -> None:
    assert run(whole(), page("a", count=2, pages=1)) == [("again", "rows_missing")]


def test_a_list_that_answers_each_page_alike_ends() -> None:
    states = run(whole(), page("a", "b", count=4, pages=9), page("a", "b", count=4, pages=9))
    assert states[-1] == ("again", "page_repeated")


def test_an_empty_page_that_should_have_rows_is_reported() -> None:
    assert run(whole(), page(count=40, pages=1)) == [("again", "page_empty")]


def test_a_list_that_was_halved_is_reported() -> None:
    ids = [f"i{n}" for n in range(10)]
    assert run(whole(), page(*ids, count=10, pages=1), last_count=100) == [("done", "halved")]
    assert run(whole(), page(*ids, count=10, pages=1), last_count=15) == [("done", None)]
    assert run(whole("delta"), page(count=0, pages=0), last_count=100) == [("done", None)]


def test_of_the_newest_one_page_is_read() -> None:
    assert run(whole("newest"), page("a", count=900, pages=450)) == [("done", None)]


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_scan_sees_every_row_that_was_there_throughout_unless_it_says_so(seed: int) -> None:
    """Records come and go between the pages; the newest stand first."""
    random_ = random.Random(seed)
    rows = [f"r{n}" for n in range(random_.randint(0, 30))]
    throughout, scan, added, seen = set(rows), whole(), 0, set[str]()
    for _ in range(400):
        pages = -(-len(rows) // 5)
        shown = rows[5 * (scan.page - 1) : 5 * scan.page]
        seen |= set(shown)
        step = after_page(
            scan, Page(len(rows), None, pages, tuple({"id": r} for r in shown)), shown, NOON, None
        )
        if step.state == "again":
            throughout, seen = set(rows), set()
        scan = step.scan
        if step.state == "done":
            break
        if random_.random() < 0.2:
            added += 1
            rows.insert(0, f"n{added}")
        if random_.random() < 0.2 and rows:
            gone = random_.choice(rows)
            rows.remove(gone)
            throughout.discard(gone)
    assert step.state == "done"
    assert throughout <= seen or scan.moved or step.oddity


# Stock-taking, hints, deep reads


def in_pages(rows: int, scan: Scan) -> Page:
    """A page of a list of so many rows."""
    start = PAGE_LIMIT * (scan.page - 1)
    shown = tuple({"id": f"{n}"} for n in range(start, min(rows, start + PAGE_LIMIT)))
    return Page(rows, scan.page, -(-rows // PAGE_LIMIT), shown)


def test_stock_is_taken_first_at_the_whole_budget_and_nothing_is_asked_besides() -> None:
    sizes = {"customers": 20_000, "suppliers": 300, "invoices": 100_000, "orders": 0}
    finished: dict[str, Finished] = {}
    scans: dict[str, Scan] = {}
    sent: list[datetime] = []
    now = NOON
    while untaken(finished, {}, now):
        latest = [at for at in sent if at > now - MINUTE]
        standing = Standing(latest, latest, finished, scans, [], {})
        request = next_request(standing, now)
        if isinstance(request, Pause):
            now = request.until
            continue
        assert isinstance(request, ListRequest)
        assert request.why == "all"
        sent.append(now)
        scan = request.scan
        page = in_pages(sizes[scan.listing], scan)
        step = after_page(scan, page, [row["id"] for row in page.rows], now, None)
        scans.pop(scan.key, None)
        if step.state == "done":
            finished[scan.key] = Finished(started=scan.started, asked=now, count=step.scan.rows)
        else:
            scans[scan.key] = step.scan
            halfway = progress(finished, scans)
            assert halfway[scan.listing].rows == PAGE_LIMIT * scan.page
            if len(sent) == 400:
                left = time_left(halfway)
                assert left is not None
                assert timedelta(minutes=4) < left < timedelta(minutes=8)
    assert len(sent) <= 620
    assert now - NOON < timedelta(minutes=17)
    assert {each.is_done for each in progress(finished, scans).values()} == {True}


def test_a_list_that_is_refused_is_not_waited_for_when_stock_is_taken() -> None:
    standing = fresh()
    key = scan_key("all", "suppliers")
    finished = {name: done for name, done in standing.finished.items() if name != key}
    held = replace(standing, finished=finished, held={key: NOON + MINUTE})
    request = next_request(held, NOON + seconds(65))
    assert isinstance(request, ListRequest)
    assert request.scan.key == key
    later = replace(held, held={key: NOON + timedelta(minutes=10)})
    assert next_request(later, NOON + seconds(65)).why == "delta"  # type: ignore[union-attr]
    assert time_left(progress({}, {})) is None


def test_a_hint_brings_the_next_delta_forward_but_not_twice_in_five_seconds() -> None:
    hinted = fresh(hinted=NOON + seconds(2))
    assert next_request(hinted, NOON + seconds(3)) == Pause(NOON + seconds(5))
    assert next_request(hinted, NOON + seconds(5)).why == "delta"  # type: ignore[union-attr]
    told_before = fresh(hinted=NOON - seconds(1))
    assert next_request(told_before, NOON + seconds(30)) == Pause(NOON + MINUTE)


def test_live_documents_are_read_deep_more_often_and_all_less_often_once_modified_is_proven() -> None:
    assert is_live(is_open=True, told=NOON - timedelta(days=400), now=NOON)
    assert is_live(is_open=False, told=NOON - timedelta(days=29), now=NOON)
    assert not is_live(is_open=False, told=NOON - timedelta(days=31), now=NOON)
    days = [
        deep_period(is_live=live, is_relaxed=relaxed).days
        for live in (True, False)
        for relaxed in (False, True)
    ]
    assert days == [1, 7, 7, 30]
    shares = [first_share(str(number)) for number in range(500)]
    assert all(0 <= share < 1 for share in shares)
    assert 0.4 < sum(shares) / 500 < 0.6


# What is measured


def test_sweeps_relax_once_payments_are_proven_and_return_with_one_exception() -> None:
    trust: dict[Any, Evidence] = {}
    for _ in range(PROVEN):
        assert not may_relax(trust)
        trust = noted(trust, frozenset({"payment_applied"}), True)
    assert may_relax(trust)
    assert period("open", trust) == PACES["open"].relaxed
    doubtful = noted(trust, frozenset({"refund_applied"}), False)
    assert not may_relax(doubtful)
    assert may_relax(noted(doubtful, frozenset({"refund_applied"}), True))
    assert not may_relax(noted(trust, frozenset({"payment_applied"}), False))


@pytest.mark.parametrize("actions", [{"payment_applied", "edited"}, {"edited"}, {"created"}, set()])
def test_only_a_look_of_one_kind_is_evidence(actions: set[Any]) -> None:
    assert noted({}, frozenset(actions), True) == {}


def test_how_late_a_change_can_be_is_what_the_layer_that_finds_it_takes() -> None:
    sizes = Sizes(all=100_000, open=400)
    proven: Trust = {"payment_applied": Evidence(moved=20, run=20)}
    assert lateness("payment_applied", proven, sizes, is_open=False) < timedelta(minutes=3)
    assert lateness("payment_applied", {}, sizes, is_open=True) < timedelta(minutes=12)
    assert timedelta(hours=6) < lateness("refund_applied", {}, sizes, is_open=False) < timedelta(hours=7)
    assert (
        timedelta(hours=24) < lateness("refund_applied", proven, sizes, is_open=False) < timedelta(hours=26)
    )


def test_a_request_says_why_it_is_made() -> None:
    assert DetailRequest("a", "hint").why == "hint"
    assert ListRequest(whole()).why == "all"


def last_of(step: Step, last: Finished | None, day: int) -> Finished:
    at = NOON + timedelta(days=day)
    scan = msgspec.structs.replace(step.scan, started=at)
    return finished(msgspec.structs.replace(step, scan=scan), at, last)


@pytest.mark.parametrize(("before", "after", "oddity"), [
    (2, 0, "emptied"), (500, 0, "emptied"), (1, 0, None), (0, 0, None),
    (100, 49, "halved"), (100, 50, None), (20, 9, None),
])  # fmt: skip
def test_a_list_that_is_cut_is_measured_by_what_it_had_for_a_week(
    before: int, after: int, oddity: str | None
) -> None:
    def look(last: Finished) -> Step:
        rows = [f"r{n}" for n in range(after)]
        return after_page(whole(), page(*rows, count=after, pages=min(after, 1)), rows, NOON, last.whole)

    last = Finished(started=NOON, asked=NOON, count=before)
    for day in range(1, 8):
        step = look(last)
        assert step.oddity == oddity
        last = last_of(step, last, day)
        assert last.count == after
        assert last.whole == (before if oddity else after)
    last = last_of(look(last), last, 8)
    assert last.whole == after, "so many may have been archived"
    assert look(last).oddity is None
