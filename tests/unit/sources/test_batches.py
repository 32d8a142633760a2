"""What one answer changes: pages with odd rows, rows that differ from details, details that are not there."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from sources.batch import AGAIN, Batch, Kept, Key, LogRow, Wish
from sources.context import Context, newest_then
from sources.details import (
    ask_once_more,
    not_there,
    nothing_is_there,
    put_off,
    read_any_detail,
    read_document,
    subject_of,
)
from sources.diff.look import SETTLED
from sources.problems import storable
from sources.reading import ids_of, read_page, with_strange_rows
from sources.salesbinder.answers import Page
from sources.schedule.layers import Layer, Listing
from sources.schedule.scans import Finished, Scan
from tests.unit.sources.records import (
    CUSTOMER,
    INVOICE,
    NOON,
    customer,
    document,
    line,
    look,
    paid,
    wire,
    with_paid,
)

BEFORE = NOON - timedelta(days=30)
LIVE = Context(look(), BEFORE, frozenset({"customers", "suppliers", "invoices", "orders"}))
A_MINUTE_LATER = replace(LIVE, now=NOON + SETTLED)
NEW = Context(look(), NOON)
WISH = Wish(INVOICE, "changed", NOON, "row")
KEY: Key = ("invoice", INVOICE)


def page(*rows: Any) -> Page:
    return Page(len(rows), 1, 1, tuple(wire(rows)))


def scan(listing: Listing, layer: Layer = "all") -> Scan:
    return Scan(layer=layer, listing=listing, started=NOON)


def row(**changes: Any) -> dict[str, Any]:
    record = document(**changes)
    del record["transactions"]
    return record


def types(batch: Batch) -> list[str]:
    return [event.type.removeprefix("salesbinder.") for event in batch.events]


def after(batch: Batch) -> Kept:
    return batch.kept[KEY]


def seen(record: dict[str, Any], before: Kept | None = None, wish: Wish = WISH) -> Batch:
    return read_document(wire(record), wish, before, LIVE)


def test_one_odd_row_is_one_problem_and_all_others_are_read() -> None:
    rows = [
        7,
        customer(id="a"),
        {"id": "b"},
        customer(id="c", context_id=10),
        customer(id="d", name="\ud800"),
    ]
    batch = read_page(scan("customers"), page(*rows, customer()), {}, LIVE)
    assert types(batch) == ["customer.created", "customer.created"]
    assert [(each.record_id, each.field) for each in batch.problems] == [
        ("all rows", "record"),
        ("b", "customer.name"),
        ("all rows", "customer.context_id"),
        ("d", "name"),
    ]
    # What is none of this list's records is a matter of the list, until a whole scan has none of it.
    assert [each.entity for each in batch.problems] == ["customers", "customer", "customers", "customer"]
    assert with_strange_rows(scan("customers"), batch).strange
    assert not with_strange_rows(scan("customers"), Batch()).strange


@pytest.mark.parametrize("odd", ["a\0b", "x" * 256, "a\nb"])
def test_what_no_database_takes_for_an_id_is_none(odd: str) -> None:
    for listing, shown in (
        ("customers", customer(id=odd)),
        ("invoices", row(id=odd)),
        ("log", {"record_id": odd}),
    ):
        found = page(shown)
        batch = read_page(scan(listing), found, {}, LIVE)  # type: ignore[arg-type]
        assert (batch.wanted, batch.kept, ids_of(found.rows, listing)) == ([], {}, set())  # type: ignore[arg-type]
        (problem,) = batch.problems
        assert problem.field in ("id", "record_id")
        assert problem.record_id == "all rows"


def test_a_problem_of_a_row_is_over_once_the_row_is_as_before() -> None:
    key: Key = ("customer", CUSTOMER)
    good = read_page(scan("customers"), page(customer()), {}, LIVE).kept
    odd = read_page(scan("customers"), page(customer(name=None)), good, LIVE)
    assert [(each.entity, each.record_id) for each in odd.problems] == [key]
    again_ = read_page(scan("customers"), page(customer()), odd.kept or good, LIVE)
    assert (key in again_.seen, again_.problems, types(again_)) == (True, [], [])
    assert again_.kept == good


def test_a_row_that_is_there_twice_is_told_once() -> None:
    batch = read_page(scan("customers"), page(customer(), customer()), {}, LIVE)
    assert types(batch) == ["customer.created"]


def test_a_uuid_is_the_same_id_in_capitals() -> None:
    """Of a UUID case says nothing (RFC 4122): a record is neither told twice for it nor missed in the log."""
    capital = INVOICE.upper()
    told = seen(with_paid(paid(1)))
    assert (
        read_page(scan("invoices"), page(row(total_transactions=50.0, id=capital)), told.kept, LIVE).wanted
        == []
    )
    loud = with_paid(paid(1, id=paid(1)["id"].upper(), document_id=capital), id=capital)
    loud |= {"customer_id": CUSTOMER.upper(), "customer": customer(id=CUSTOMER.upper())}
    loud["document_items"] = [line(item_id=line()["item_id"].upper())]
    again_ = seen(loud, after(told))
    assert (types(again_), again_.problems) == ([], [])
    assert types(read_page(scan("customers"), page(customer(), customer(id=CUSTOMER.upper())), {}, LIVE)) == [
        "customer.created"
    ]
    (wish,) = read_page(scan("log"), deleted_rows(record_id=capital), told.kept, LIVE).wanted
    assert wish.record_id == INVOICE


@pytest.mark.parametrize(("seconds", "is_new"), [(-6, False), (-3, True), (0, True), (1, True)])
def test_what_was_created_before_the_connection_is_taken_stock_of(seconds: int, is_new: bool) -> None:
    stamp = (BEFORE + timedelta(seconds=seconds)).isoformat()
    batch = read_page(scan("invoices"), page(row(created=stamp)), {}, LIVE)
    assert ([wish.record_id for wish in batch.wanted] == [INVOICE]) is is_new
    assert (KEY in batch.kept) is not is_new


HOURS = timedelta(hours=8)
NEWEST = BEFORE - HOURS - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("stamp", "is_new"), [(BEFORE - HOURS, True), (NEWEST, True), (NEWEST - timedelta(seconds=1), False)]
)
def test_what_is_newer_than_all_that_was_there_is_new_in_whatever_zone_stamps_are(
    stamp: datetime, is_new: bool
) -> None:
    """A shop whose stamps are eight hours behind what they say: its first day must not be lost."""
    context = replace(LIVE, newest_then=NEWEST)
    batch = read_page(scan("invoices"), page(row(created=stamp.isoformat())), {}, context)
    assert ([wish.record_id for wish in batch.wanted] == [INVOICE]) is is_new


def test_what_comes_first_into_a_list_that_was_empty_may_have_a_stamp_of_any_zone() -> None:
    empty = Finished(started=NOON, asked=NOON, count=0)
    assert newest_then(empty, NOON) == NOON - timedelta(hours=14)
    assert newest_then(msgspec.structs.replace(empty, count=3), NOON) is newest_then(None, NOON) is None
    lately = NOON - HOURS
    assert newest_then(msgspec.structs.replace(empty, count=3, newest=lately), NOON) == lately


def test_old_documents_that_come_into_sight_are_not_new_though_those_in_sight_before_were_older() -> None:
    """The user of the key saw a few documents of years ago, and sees all from now on."""
    few = Finished(started=NOON, asked=NOON, count=3, newest=BEFORE)
    assert newest_then(few, NOON) == NOON - timedelta(hours=14)
    far_ahead = NOON + timedelta(days=400)
    assert newest_then(few, far_ahead) == NOON - timedelta(hours=14), "a wrong clock at first hides nothing"
    context = replace(LIVE, connected=NOON, newest_then=newest_then(few, NOON))
    stamp = (NOON - timedelta(days=3)).isoformat()
    assert KEY in read_page(scan("invoices"), page(row(created=stamp)), {}, context).kept


def test_a_stamp_of_the_future_is_of_another_zone_and_does_not_make_what_was_there_new() -> None:
    stamp = (NOON + HOURS).isoformat()
    assert KEY in read_page(scan("invoices"), page(row(created=stamp)), {}, NEW).kept
    assert KEY not in read_page(scan("invoices"), page(row(created=stamp)), {}, LIVE).kept
    soon = (NOON + timedelta(seconds=30)).isoformat()
    assert KEY not in read_page(scan("invoices"), page(row(created=soon)), {}, NEW).kept


def test_what_stock_taking_finds_from_just_before_the_connection_is_old() -> None:
    stamp = (NOON - timedelta(seconds=1)).isoformat()
    assert KEY in read_page(scan("invoices"), page(row(created=stamp)), {}, NEW).kept


def test_customers_are_taken_stock_of_until_all_rows_were_seen() -> None:
    first = read_page(scan("customers"), page(customer()), {}, NEW)
    assert (types(first), set(first.kept)) == ([], {("customer", CUSTOMER)})
    renamed = customer(name="Renamed", modified=NOON.isoformat())
    assert types(read_page(scan("customers"), page(renamed), first.kept, NEW)) == ["customer.edited"]
    assert types(read_page(scan("customers"), page(customer()), {}, LIVE)) == ["customer.created"]


def test_a_detail_is_read_where_a_row_shows_a_change_and_not_again() -> None:
    first = seen(document())
    quiet = read_page(scan("invoices"), page(row()), first.kept, LIVE)
    assert quiet.wanted == []
    changed = read_page(scan("invoices"), page(row(total_transactions=50)), first.kept, LIVE)
    assert [wish.record_id for wish in changed.wanted] == [INVOICE]
    second = seen(with_paid(paid(1, 50)), after(first), changed.wanted[0])
    assert types(second) == ["invoice.payment_applied"]
    assert read_page(scan("invoices"), page(row(total_transactions=50)), second.kept, LIVE).wanted == []


def test_a_row_that_always_differs_costs_two_details_and_hides_nothing_once_it_agrees() -> None:
    first = seen(document())
    odd = row(total_tax2=1)
    wish = read_page(scan("invoices"), page(odd), first.kept, LIVE).wanted[0]
    second = seen(document(), after(first), wish)
    assert second.events == []
    assert read_page(scan("invoices"), page(odd), second.kept, LIVE).wanted == []
    (wish,) = second.wanted
    third = seen(document(), after(second), wish)
    assert (third.events, third.wanted) == ([], [])
    assert read_page(scan("invoices"), page(odd), third.kept, LIVE).wanted == []
    agreed = read_page(scan("invoices"), page(row()), third.kept, LIVE)
    assert read_page(scan("invoices"), page(odd), agreed.kept, LIVE).wanted != []


def test_a_detail_that_comes_later_than_its_row_is_read_once_more() -> None:
    first = seen(document())
    paid_row = row(total_transactions=50)
    wish = read_page(scan("invoices"), page(paid_row), first.kept, LIVE).wanted[0]
    late = seen(document(), after(first), wish)
    assert late.events == []
    (wish,) = late.wanted
    assert (wish.record_id, wish.at) == (INVOICE, NOON + AGAIN[0])
    assert types(seen(with_paid(paid(1, 50)), after(late), wish)) == ["invoice.payment_applied"]
    # Nor is the row passed over at once if the second detail is not there.
    gone = not_there(wish, after(late), LIVE)
    assert [wish.at for wish in gone.wanted] == [NOON + AGAIN[1]]
    while gone.wanted:
        gone = not_there(gone.wanted[0], after(gone), LIVE)
    assert gone.kept["invoice", INVOICE].deep == NOON + timedelta(days=1)
    assert read_page(scan("invoices"), page(paid_row), gone.kept, LIVE).wanted == []
    assert read_page(scan("invoices"), page(row(total_transactions=60)), gone.kept, LIVE).wanted != []


def test_a_row_that_was_read_before_a_change_does_not_excuse_the_same_row_after_its_return() -> None:
    first = seen(document())
    paid_row = row(total_transactions=50)
    wish = read_page(scan("invoices"), page(paid_row), first.kept, LIVE).wanted[0]
    second = seen(with_paid(paid(1, 70)), after(first), wish)
    assert types(second) == ["invoice.payment_applied"]
    assert read_page(scan("invoices"), page(paid_row), second.kept, LIVE).wanted != []


def deleted_rows(at: datetime = NOON, record_id: str = INVOICE) -> Page:
    rows: list[Any] = [
        {"record_id": record_id, "context_id": 4, "created": at.isoformat()},
        {"record_id": "s", "context_id": 5, "created": at.isoformat()},
        {"record_id": "nobody"},
        7,
    ]
    return page(*rows)


def in_the_log() -> tuple[dict[Key, Kept], Batch]:
    """An invoice and a supplier that are known, and a page of the log with both."""
    suppliers = read_page(scan("suppliers"), page(customer(id="s")), {}, LIVE).kept
    kept = {**seen(document()).kept, **suppliers}
    batch = read_page(scan("log", "log"), deleted_rows(), kept, LIVE)
    return {**kept, **batch.kept}, batch


def test_a_row_of_the_log_deletes_what_is_known_once_its_detail_is_not_there() -> None:
    kept, batch = in_the_log()
    assert types(batch) == []
    assert [(wish.record_id, wish.of_account) for wish in batch.wanted] == [(INVOICE, False), ("s", True)]
    assert [(each.entity, each.code) for each in batch.problems] == [("log", "record_unclear")]
    assert read_page(scan("log", "log"), deleted_rows(), kept, LIVE).wanted == []
    for wish, told in zip(batch.wanted, ("invoice.deleted", "supplier.deleted"), strict=True):
        first = read_any_detail(True, b"", wish, kept, LIVE)
        assert types(first) == []
        assert [each.at for each in first.wanted] == [NOON + SETTLED]
        gone = read_any_detail(True, b"", first.wanted[0], {**kept, **first.kept}, A_MINUTE_LATER)
        assert types(gone) == [told]
        later = {**kept, **gone.kept}
        assert types(read_any_detail(True, b"", wish, later, A_MINUTE_LATER)) == []
        assert read_page(scan("log", "log"), deleted_rows(NOON + timedelta(hours=1)), later, LIVE).wanted == [
            each for each in batch.wanted if each is not wish
        ]


def test_what_was_archived_is_not_deleted_because_its_detail_is_missing_for_a_moment() -> None:
    kept, batch = in_the_log()
    (wish, _) = batch.wanted
    missing = read_any_detail(True, b"", wish, kept, LIVE)
    shown = seen(document(), missing.kept[KEY], missing.wanted[0])
    again = read_any_detail(True, b"", shown.wanted[0], shown.kept, A_MINUTE_LATER)
    assert (types(missing), types(shown), types(again)) == ([], [], [])
    assert [each.at for each in again.wanted] == [NOON + 2 * SETTLED]


def test_while_lists_are_not_there_either_the_minute_of_a_detail_that_is_missing_begins_again() -> None:
    told = seen(document())
    named = read_page(scan("log"), deleted_rows(record_id=INVOICE), told.kept, LIVE)
    missing = not_there(WISH, after(named), LIVE)
    (wish,) = missing.wanted
    unsure = nothing_is_there(wish, missing.kept, A_MINUTE_LATER)
    assert types(unsure) == []
    (wish,) = unsure.wanted
    later = not_there(wish, after(unsure), A_MINUTE_LATER)
    assert (types(later), len(later.wanted)) == ([], 1)
    at_last = replace(LIVE, now=NOON + 2 * SETTLED)
    assert types(not_there(wish, after(later), at_last)) == ["invoice.deleted"]


def test_what_the_log_names_and_its_detail_shows_was_archived_and_may_be_deleted_later() -> None:
    kept, batch = in_the_log()
    wish = batch.wanted[0]
    for wait in AGAIN:
        shown = seen(document(), kept[KEY], wish)
        assert types(shown) == []
        kept |= shown.kept
        (wish,) = shown.wanted
        assert wish.at == NOON + wait
    kept |= seen(document(), kept[KEY], wish).kept
    assert read_page(scan("log", "log"), deleted_rows(), kept, LIVE).wanted == []
    assert types(read_any_detail(True, b"", WISH, kept, LIVE)) == []
    later = read_page(scan("log", "log"), deleted_rows(NOON + timedelta(hours=2)), kept, LIVE)
    first = read_any_detail(True, b"", later.wanted[0], later.kept, LIVE)
    assert types(read_any_detail(True, b"", first.wanted[0], first.kept, A_MINUTE_LATER)) == [
        "invoice.deleted"
    ]


def test_what_is_due_goes_by_our_clock_however_wrong_theirs_is() -> None:
    context = replace(LIVE, now=NOON - timedelta(hours=5))
    (wish,) = read_page(scan("invoices"), page(row(created=NOON.isoformat())), {}, context).wanted
    assert wish.at == NOON - timedelta(hours=5)
    kept = read_document(wire(document()), wish, None, context).kept[KEY]
    assert kept.deep == NOON - timedelta(hours=5) + timedelta(days=1)
    (later,) = not_there(wish, None, context).wanted
    assert later.at == NOON - timedelta(hours=5) + AGAIN[0]


def test_old_settled_documents_are_not_read_deep_and_archived_ones_not_over_and_over() -> None:
    old = {"created": (BEFORE - timedelta(days=1)).isoformat()}
    rows = page(row(id="a", status={"id": 12, "name": "paid in full"}, **old), row(id="b", **old))
    kept = read_page(scan("invoices"), rows, {}, NEW).kept
    assert kept["invoice", "a"].deep is None
    due = kept["invoice", "b"].deep
    assert due is not None
    assert NOON <= due < NOON + timedelta(days=1)
    gone = read_any_detail(True, b"", Wish("b", "deep", NOON, entity="invoice"), kept, NEW)
    assert gone.kept["invoice", "b"].deep == NOON + timedelta(days=1)


def test_a_detail_that_shows_an_estimate_still_is_a_problem_only_if_it_stays() -> None:
    estimate = document(context_id=4)
    first = seen(estimate)
    assert first.problems == []
    (wish,) = first.wanted
    assert [each.code for each in seen(estimate, None, wish).problems] == ["record_foreign"]
    assert types(seen(document(), None, wish)) == ["invoice.created"]


def test_history_is_told_whole_once_and_then_goes_on_as_all_else() -> None:
    old = {"created": (BEFORE - timedelta(days=1)).isoformat()}
    shown = with_paid(paid(1, 50), **old)
    listed_row = {name: value for name, value in shown.items() if name != "transactions"}
    stocked = read_page(scan("invoices"), page(listed_row), {}, NEW).kept[KEY]
    assert stocked.created == BEFORE - timedelta(days=1)
    asked = msgspec.structs.replace(stocked, history=True)
    wish = Wish(INVOICE, "history", NOON, entity="invoice")
    told = read_document(wire(shown), wish, asked, LIVE)
    assert types(told) == ["invoice.created", "invoice.payment_applied"]
    assert (told.has_evidence, after(told).history) == (False, False)
    assert types(read_document(wire(shown), wish, after(told), LIVE)) == []
    gone = not_there(replace(wish, tries=len(AGAIN)), asked, LIVE)
    assert (types(gone), after(gone).history) == ([], False)


def test_an_account_whose_row_has_not_all_fields_is_told_from_its_detail() -> None:
    whole = customer()
    partial = {name: value for name, value in whole.items() if not name.startswith("billing_")}
    key: Key = ("customer", CUSTOMER)
    listed = read_page(scan("customers"), page(partial), {}, LIVE)
    assert (types(listed), listed.kept) == ([], {})
    (wish,) = listed.wanted
    body = msgspec.json.encode({"customer": whole})
    created = read_any_detail(False, body, wish, {}, LIVE)
    assert types(created) == ["customer.created"]
    assert b'"billing_city":"Vancouver"' in created.events[0].value
    assert read_page(scan("customers"), page(partial), created.kept, LIVE).wanted == []
    # The detail may be older than its row, so it is read once more.
    assert [each.at for each in created.wanted] == [NOON + AGAIN[0]]
    settled = read_any_detail(False, body, created.wanted[0], created.kept, LIVE)
    assert (types(settled), settled.wanted) == ([], [])
    assert read_page(scan("customers"), page(partial), settled.kept, LIVE).wanted == []
    newer = msgspec.json.encode({"customer": {**whole, "billing_city": "Leeds"}})
    assert types(read_any_detail(False, newer, created.wanted[0], created.kept, LIVE)) == ["customer.edited"]
    moved = page({**partial, "modified": NOON.isoformat()})
    (again_,) = read_page(scan("customers"), moved, created.kept, LIVE).wanted
    edited = msgspec.json.encode({"customer": {**whole, "billing_city": "Leeds"}})
    assert types(read_any_detail(False, edited, again_, created.kept, LIVE)) == ["customer.edited"]
    foreign = msgspec.json.encode({"customer": {**whole, "id": "x"}})
    assert [each.code for each in read_any_detail(False, foreign, again_, created.kept, LIVE).problems] == [
        "record_foreign"
    ]
    # A field that no detail has either is not asked for again and again.
    bare = {name: value for name, value in whole.items() if name != "office_fax"}
    first = read_any_detail(False, msgspec.json.encode({"customer": bare}), wish, {}, LIVE)
    renamed = {**bare, "name": "Renamed"}
    assert types(read_page(scan("customers"), page(renamed), first.kept, LIVE)) == ["customer.edited"]
    assert key in first.kept


def test_what_is_not_there_is_looked_at_again_and_deletes_nothing() -> None:
    wish = replace(WISH, entity="invoice")
    for wait in AGAIN:
        batch = not_there(wish, None, LIVE)
        assert (batch.events, batch.kept) == ([], {})
        (wish,) = batch.wanted
        assert wish.at == NOON + wait
    for count in range(7):
        batch = not_there(wish, None, LIVE)
        (wish,) = batch.wanted
        assert wish.at == NOON + timedelta(days=1)
        assert (batch.problems, batch.seen) == ([], set() if count else {KEY})
    assert not_there(wish, None, LIVE).unwanted == {INVOICE}
    once_more = Batch()
    ask_once_more(KEY, None, LIVE, once_more)
    (wish,) = once_more.wanted
    over = not_there(wish, None, LIVE)
    assert (over.unwanted, over.problems, over.seen) == ({INVOICE}, [], {KEY})
    deep = replace(WISH, row="")
    assert not_there(deep, after(seen(document())), LIVE).unwanted == {INVOICE}


@pytest.mark.parametrize("row", ["", "a row"])
def test_a_backfill_tells_a_document_that_is_not_there_for_a_moment_and_leaves_it_out_after_hours(
    row: str,
) -> None:
    wish = Wish(INVOICE, "history", NOON, row, entity="invoice")
    before = msgspec.structs.replace(after(seen(document())), history=True)
    for wait in AGAIN:
        batch = not_there(wish, before, LIVE)
        before = batch.kept.get(KEY, before)
        (wish,) = batch.wanted
        assert (before.history, wish.at) == (True, NOON + wait)
    over = not_there(wish, before, LIVE)
    assert (over.unwanted, after(over).history, after(over).left_out) == ({INVOICE}, False, True)
    assert [each.code for each in over.problems] == ["history_left_out"]


def test_all_that_is_reported_of_a_document_is_told_together_when_its_list_shows_it_again() -> None:
    """A problem that is not told with the others of its record is over."""
    edited = row(name="Edited")
    first = read_page(scan("invoices"), page(edited), {KEY: after(seen(document()))}, LIVE)
    (wish,) = first.wanted
    hidden = msgspec.structs.replace(after(seen(document())), history=True)
    for _ in range(len(AGAIN) + 1):
        batch = not_there(wish, hidden, LIVE)
        hidden = after(batch)
        wish = next(iter(batch.wanted), wish)
    assert [each.code for each in batch.problems] == ["history_left_out"]
    again = read_page(scan("invoices"), page(edited), {KEY: hidden}, LIVE)
    assert {each.code for each in again.problems} == {"record_refused", "history_left_out"}


def test_a_document_that_was_deleted_while_its_backfill_waited_is_not_left_to_be_told() -> None:
    log = LogRow(created=NOON, missing=NOON - timedelta(hours=1))
    before = msgspec.structs.replace(after(seen(document())), history=True, log=log)
    gone = not_there(Wish(INVOICE, "history", NOON, entity="invoice"), before, LIVE)
    assert types(gone) == ["invoice.deleted"]
    assert not after(gone).history


def test_a_detail_that_was_not_answered_is_put_off_later_each_time_and_never_given_up() -> None:
    wish, waits = replace(WISH, entity="invoice"), []
    for _ in range(6):
        wish = put_off(wish, NOON)
        waits.append(wish.at - NOON)
        assert not_there(wish, None, LIVE).wanted
    assert waits == [*AGAIN, AGAIN[-1], AGAIN[-1]]


def test_a_problem_of_a_known_document_is_over_once_it_was_not_there_for_long() -> None:
    told = after(seen(document()))
    shown = Wish(INVOICE, "changed", NOON, "row", len(AGAIN), "invoice")
    for wish in (shown, replace(shown, why="deep", row="")):
        assert KEY in not_there(wish, told, LIVE).seen


@pytest.mark.parametrize("entity", [None, "invoice", "customer"])
def test_a_problem_of_an_answer_is_over_once_its_record_was_read_or_was_not_there_for_long(
    entity: Any,
) -> None:
    wish = Wish(INVOICE if entity != "customer" else CUSTOMER, "again", NOON, "row", len(AGAIN), entity)
    assert subject_of(wish) in not_there(wish, None, LIVE).seen
    name, record = ("customer", customer()) if entity == "customer" else ("document", document())
    assert (
        subject_of(wish) in read_any_detail(False, msgspec.json.encode({name: record}), wish, {}, LIVE).seen
    )


def test_a_detail_that_cannot_be_read_or_does_not_agree_is_looked_at_later_each_time() -> None:
    wish = WISH
    for wait in (*AGAIN, AGAIN[-1]):
        batch = seen(document(total_transactions=5), after(seen(document())), wish)
        assert [each.code for each in batch.problems] == ["sums_disagree"]
        (wish,) = batch.wanted
        assert (wish.why, wish.at) == ("again", NOON + wait)
    unreadable = seen(document(customer=[]), None)
    assert ([each.field for each in unreadable.problems], len(unreadable.wanted)) == (["customer"], 1)


def test_a_change_that_a_sweep_finds_too_late_is_noted() -> None:
    first = seen(document())
    changed = page(row(total_price=1, modified=NOON.isoformat()))
    soon = replace(LIVE, delta_asked=NOON + timedelta(minutes=1))
    late = replace(LIVE, delta_asked=NOON + timedelta(minutes=3))
    assert not read_page(scan("invoices"), changed, first.kept, soon).missed
    assert read_page(scan("invoices"), changed, first.kept, late).missed
    assert not read_page(scan("invoices", "delta"), changed, first.kept, late).missed
    unmoved = page(row(total_transactions=50))
    assert not read_page(scan("invoices"), unmoved, first.kept, late).missed


def test_statuses_that_are_not_settled_are_learnt_by_their_ids() -> None:
    rows = [
        row(id="a", status={"id": 9, "name": "Unpaid"}),
        row(id="b", status={"id": "77", "name": "odd one"}),
        row(id="c", status={"id": 12, "name": "paid in full"}),
        row(id="d", status={"id": 15, "name": "cancelled"}),
        row(id="e", status="unpaid", status_id=8),
        row(id="f", status={"id": "9&s=1", "name": "unpaid"}),
    ]
    assert read_page(scan("invoices"), page(*rows), {}, LIVE).statuses == {"9", "77", "8"}


def test_the_first_detail_is_no_evidence_about_modified() -> None:
    first = seen(with_paid(paid(1, 50)))
    assert not first.has_evidence
    second = seen(with_paid(paid(1, 50), paid(2, 5)), after(first))
    assert (second.has_evidence, second.moved, set(second.told)) == (True, False, {"payment_applied"})


def test_a_text_with_half_a_character_hides_no_other_document() -> None:
    batch = read_page(scan("invoices"), page(row(id="a", name="\ud800"), row()), {}, LIVE)
    assert [wish.record_id for wish in batch.wanted] == ["a", INVOICE]
    found = seen(document(name="\ud800"))
    assert [each.field for each in found.problems] == ["name"]


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\ud800", "a\nb"])
@pytest.mark.parametrize("listing", ["customers", "suppliers", "invoices", "orders", "log"])
def test_an_id_by_which_nothing_can_be_kept_is_a_problem_of_its_row_alone(listing: Listing, odd: str) -> None:
    """PostgreSQL takes no NUL and no half of a character, which JSON may hold."""
    name = "record_id" if listing == "log" else "id"
    rows = [{name: odd}, {name: "right"}]
    assert ids_of(rows, listing) == {"right"}
    batch = read_page(scan(listing), page(rows[0]), {}, LIVE)
    (problem,) = batch.problems
    assert problem.field == name
    assert storable(problem.value) == problem.value
    assert (batch.kept, batch.wanted) == ({}, [])


def test_what_is_kept_survives_the_database() -> None:
    accounts = read_page(scan("customers"), page(customer()), {}, LIVE).kept
    stocked = read_page(scan("invoices"), page(row()), {}, NEW).kept
    for kept in (*accounts.values(), *stocked.values(), after(seen(with_paid(paid(1, 50))))):
        assert msgspec.json.decode(msgspec.json.encode(kept), type=Kept) == kept
