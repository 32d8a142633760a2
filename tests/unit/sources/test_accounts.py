"""What one look at a row tells of a customer or supplier."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sources.diff.accounts import diff_account, diff_deleted_account, take_stock_of_account
from sources.diff.known import KnownAccount
from sources.diff.look import Outcome
from sources.events import Event
from sources.salesbinder.accounts import AccountEntity, read_account
from sources.salesbinder.deleted import Deletion
from tests.unit.sources.records import ACCOUNT, CUSTOMER, NOON, customer, look, wire

Found = Outcome[KnownAccount | None]
LATER = "2026-03-02T11:00:00+00:00"


def seen(
    before: KnownAccount | None,
    record: dict[str, Any],
    at: datetime = NOON,
    entity: AccountEntity = "customer",
) -> Found:
    return diff_account(before, read_account(wire(record), entity, ACCOUNT), look(at))


def test_an_answer_with_an_old_date_makes_no_edit_older_than_it_is() -> None:
    """Else what documents told of the customer since would count as newer."""
    before, hour_ago = known(customer()), datetime(2026, 3, 2, 10, tzinfo=UTC)
    row = read_account(wire(customer(billing_city="Victoria", modified=LATER)), "customer", ACCOUNT)
    (edited,) = diff_account(
        before, row, look(hour_ago, ours=datetime(2026, 3, 2, 11, 0, 2, tzinfo=UTC))
    ).events
    assert edited.time == datetime(2026, 3, 2, 11, tzinfo=UTC)
    (edited,) = diff_account(before, row, look(hour_ago, ours=hour_ago)).events
    assert edited.time < datetime(2026, 3, 2, 11, tzinfo=UTC), "neither clock has come so far"


def known(record: dict[str, Any]) -> KnownAccount:
    found = seen(None, record).known
    assert found is not None
    return found


def types(found: Outcome[Any]) -> list[str]:
    return [event.type.removeprefix("salesbinder.") for event in found.events]


def test_an_unknown_account_is_created_in_its_own_list() -> None:
    assert types(seen(None, customer())) == ["customer.created"]
    assert types(seen(None, customer(context_id=10), entity="supplier")) == ["supplier.created"]
    assert seen(None, customer()).events == seen(None, customer()).events


def test_what_was_there_when_stock_was_taken_is_not_told() -> None:
    before = take_stock_of_account(read_account(customer(), "customer", ACCOUNT), look())
    assert seen(before, customer()).events == ()
    assert types(seen(before, customer(name="Renamed", modified=LATER))) == ["customer.edited"]


def test_a_named_field_makes_an_edit_and_nothing_else_does() -> None:
    before = known(customer())
    quiet = customer(
        modified=LATER, last_invoiced=LATER, label_name="x", archived=False, url="www.widgets.example"
    )
    assert seen(before, quiet).events == ()
    found = seen(before, customer(billing_city="Victoria", modified=LATER))
    assert types(found) == ["customer.edited"]
    assert found.events[0].time == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert seen(found.known, customer(billing_city="Victoria", modified=LATER)).events == ()


def test_a_field_that_is_absent_or_newly_blank_says_nothing() -> None:
    record = customer(modified=LATER)
    del record["office_email"]
    found = seen(known(customer()), {**record, "shipping_city": ""})
    assert found.events == ()
    assert types(seen(found.known, customer(office_email="", modified=LATER))) == ["customer.edited"]


def test_a_change_and_its_return_within_a_second_are_two_edits() -> None:
    first = seen(known(customer()), customer(name="A"))
    second = seen(first.known, customer())
    assert types(first) == types(second) == ["customer.edited"]


def test_an_older_row_waits_until_it_has_stayed_for_a_minute() -> None:
    before = known(customer(name="New", modified=LATER))
    old = customer(name="Old")
    first = seen(before, old)
    assert (first.events, first.again) == ((), True)
    assert seen(first.known, old, NOON + timedelta(seconds=59)).events == ()
    late = seen(first.known, old, NOON + timedelta(seconds=60))
    assert types(late) == ["customer.edited"]
    told = msgspec.json.decode(late.events[0].value)["data"]["customer"]
    assert datetime.fromisoformat(told["modified"]) == datetime.fromisoformat(LATER)


def test_what_was_modified_is_never_older_than_the_record() -> None:
    """Servers' clocks differ: else what an order told of it when it was new would count as newer for ever."""
    made = datetime(2026, 3, 2, 11, 0, 3, tzinfo=UTC)
    record = customer(created=made.isoformat(), modified=LATER)
    (created,) = seen(None, record).events
    assert modified_of(created) == made and created.time == NOON, "its edit may be as late as the answer"
    stock = take_stock_of_account(read_account(record, "customer", ACCOUNT), look())
    for before in (known(record), stock):
        edited = customer(created=made.isoformat(), modified="2026-03-02T11:00:02+00:00", billing_city="Hope")
        waits = seen(before, edited)
        (event,) = seen(waits.known, edited, NOON + timedelta(minutes=1)).events
        assert modified_of(event) == made and event.time > made


def test_a_creation_ahead_of_the_answer_moves_no_stamp_ahead() -> None:
    record = customer(created="2026-03-02T13:00:00+00:00", modified=LATER)
    (created,) = seen(None, record).events
    assert (created.time, modified_of(created)) == (NOON, NOON)


def modified_of(event: Event) -> datetime:
    return datetime.fromisoformat(msgspec.json.decode(event.value)["data"]["customer"]["modified"])


def test_only_the_log_deletes_and_only_once() -> None:
    deletion = Deletion(CUSTOMER, None)
    found = diff_deleted_account(known(customer()), deletion, look())
    assert types(found) == ["customer.deleted"]
    assert found.events[0].time == NOON
    assert diff_deleted_account(found.known, deletion, look()).events == ()
    again = seen(found.known, customer(name="Renamed"))
    assert (again.events, [each.code for each in again.problems]) == ((), ["deleted_yet_visible"])


def test_what_is_known_survives_the_database() -> None:
    stored = msgspec.json.encode(known(customer()))
    assert msgspec.json.decode(stored, type=KnownAccount) == known(customer())
