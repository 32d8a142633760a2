"""What one look at a detail tells of an invoice or order, apart from its money."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts.events.envelope import MAX_VALUE_BYTES
from contracts.events.reader import event_to_kafka
from sources.diff.documents import diff_deleted_document, diff_document
from sources.diff.known import KnownDocument
from sources.diff.look import Outcome
from sources.problems import Unreadable
from sources.salesbinder.deleted import Deletion
from tests.unit.sources.records import (
    INVOICE,
    NOON,
    customer,
    detail,
    document,
    line,
    look,
    order,
    paid,
    with_paid,
)

Found = Outcome[KnownDocument | None]
LATER = "2026-03-02T11:00:00+00:00"


def seen(before: KnownDocument | None, record: dict[str, Any], at: datetime = NOON) -> Found:
    return diff_document(before, detail(record), look(at))


def known(record: dict[str, Any]) -> KnownDocument:
    found = seen(None, record).known
    assert found is not None
    return found


def actions(found: Found) -> list[str]:
    return [event.type.rpartition(".")[2] for event in found.events]


def codes(found: Found) -> list[str]:
    return [each.code for each in found.problems]


def status(name: str) -> dict[str, Any]:
    return {"status": {"id": 77, "name": name}}


# Events


def test_a_reset_is_told_before_an_edit_that_payments_would_have_kept_out_of_xero() -> None:
    before = known(with_paid(paid(1, 50), paid(2, 20)))
    found = seen(before, with_paid(status={"id": 9, "name": "unpaid"}, modified=LATER, total_price=90))
    assert actions(found) == ["reset", "edited"]
    assert found.events[0].time <= found.events[1].time


@pytest.mark.parametrize(
    ("changed", "time"),
    [
        ("2026-03-01T10:00:00+00:00", "2026-03-02T09:05:00+00:00"),
        ("2026-03-02T10:00:00+00:00", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02T18:00:00+00:00", NOON.isoformat()),
    ],
)
def test_an_event_is_not_older_than_the_customer_that_it_tells(changed: str, time: str) -> None:
    """Else the pipeline would take a customer who was changed after the document for a clock gone wrong."""
    found = seen(None, document(modified="2026-03-02T09:05:00+00:00", customer=customer(modified=changed)))
    assert [event.time.isoformat() for event in found.events] == [time]


def test_every_event_is_taken_by_the_pipeline_under_its_own_key() -> None:
    found = seen(None, with_paid(paid(1), paid(2, -20), **status("Cancelled")))
    assert actions(found) == ["created", "payment_applied", "refund_applied", "cancelled"]
    for event in found.events:
        topic, key, _, _ = event_to_kafka(event.value)
        assert (
            (topic, key) == (event.topic, event.key) == ("salesbinder.invoices", f"acme/{INVOICE}".encode())
        )


def test_the_same_look_is_the_same_events() -> None:
    one, other = (seen(None, with_paid(paid(1))) for _ in range(2))
    assert one.events == other.events
    assert len({event.id for event in one.events}) == 2


def test_events_of_other_content_have_other_ids() -> None:
    before = known(document())
    first = seen(before, document(name="A", modified=LATER))
    second = seen(before, document(name="B", modified=LATER))
    assert first.events[0].id != second.events[0].id


def test_a_change_back_and_forth_within_one_second_is_three_events() -> None:
    one, other = document(name="A"), document(name="B")
    found = [seen(None, one)]
    for record in (other, one, other):
        found.append(seen(found[-1].known, record))
    assert [actions(each) for each in found] == [["created"], ["edited"], ["edited"], ["edited"]]
    assert len({each.events[0].id for each in found}) == 4


def test_nothing_is_told_of_what_did_not_change() -> None:
    before = known(with_paid(paid(1)))
    again = with_paid(paid(1), modified=LATER, customer=customer(name="Renamed"), date_sent="2026-03-02")
    found = seen(before, again)
    assert (found.events, found.problems, found.again) == ((), (), False)
    assert found.known is not None
    assert found.known.revision == before.revision


def test_an_event_holds_the_fields_of_the_contract_alone() -> None:
    event = msgspec.json.decode(seen(None, document()).events[0].value)
    told = event["data"]["document"]
    assert "user_id" not in told and "context" not in told
    assert told["customer"]["office_email"] == "accounts@widgets.example"
    assert told["document_items"][0]["item"]["sku"] == "WORK-SHIRT"


def test_a_document_that_is_too_large_for_an_event_is_one_problem() -> None:
    lines = [line(1, id=f"l{n}") for n in range(10_000)]
    with pytest.raises(Unreadable, match="Split the document") as raised:
        detail(document(document_items=lines))
    assert (raised.value.code, raised.value.field) == ("event_refused", "document")


def test_nothing_of_a_look_is_told_if_one_of_its_events_would_be_refused() -> None:
    def of_length(text: int) -> dict[str, Any]:
        return with_paid(paid(1, 50), document_items=[line(description="x" * text)])

    room = MAX_VALUE_BYTES - len(seen(None, of_length(1)).events[0].value)
    before = known(document())
    found = seen(before, of_length(room))
    assert (found.events, codes(found), found.again) == ((), ["event_refused"], True)
    assert found.known == before
    assert actions(seen(before, of_length(room - 400))) == ["edited", "payment_applied"]


# Edits


def test_an_edit_is_told_whole() -> None:
    found = seen(known(document()), document(name="Spring", modified=LATER))
    assert actions(found) == ["edited"]
    assert found.events[0].time == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_a_field_that_is_missing_now_is_a_problem_not_an_edit() -> None:
    before = known(document(name="Spring"))
    record = document(modified=LATER)
    del record["name"]
    found = seen(before, record)
    assert (found.events, codes(found), found.known, found.again) == ((), ["field_vanished"], before, True)
    assert found.problems[0].field == "name"


def test_a_field_that_all_lines_lack_now_is_a_problem() -> None:
    short = line()
    del short["tax"]
    found = seen(known(document()), document(document_items=[short], modified=LATER))
    assert (codes(found), found.problems[0].field) == (["field_vanished"], "document_items.tax")


def test_an_older_answer_is_believed_after_a_minute_and_never_goes_back_in_time() -> None:
    before = known(document(name="New", modified=LATER))
    old = document(name="Old", modified="2026-03-02T10:59:59+00:00")
    first = seen(before, old)
    assert (first.events, first.again) == ((), True)
    soon = seen(first.known, old, NOON + timedelta(seconds=30))
    assert (soon.events, soon.again) == ((), True)
    believed = seen(soon.known, old, NOON + timedelta(seconds=61))
    assert actions(believed) == ["edited"]
    told = msgspec.json.decode(believed.events[0].value)["data"]["document"]
    assert datetime.fromisoformat(told["modified"]) == datetime.fromisoformat(LATER)
    assert believed.known is not None and believed.known.doubt is None


def test_an_older_answer_that_passes_is_forgotten() -> None:
    record = document(name="New", modified=LATER)
    doubted = seen(known(record), document(name="Old", modified="2026-03-02T10:59:59+00:00"))
    after = seen(doubted.known, record)
    assert (after.events, after.known) == ((), known(record))


# Cancelled


@pytest.mark.parametrize("name", ["cancelled", "Canceled", " CANCELLED "])
def test_a_cancelled_invoice_is_told_once(name: str) -> None:
    found = seen(known(document()), document(**status(name)))
    assert actions(found) == ["cancelled"]
    assert actions(seen(found.known, document(**status(name)))) == []


def test_a_look_tells_in_the_order_in_which_it_can_have_happened() -> None:
    before = known(with_paid(paid(1, 50)))
    found = seen(before, document(name="Edited", **status("cancelled")))
    assert actions(found) == ["reset", "edited", "cancelled"]
    assert [event.time for event in found.events] == sorted(event.time for event in found.events)


def test_a_status_that_is_not_known_changes_nothing_and_is_reported_once() -> None:
    found = seen(known(document()), document(**status("frozen")))
    assert (actions(found), codes(found)) == ([], ["status_unknown"])
    assert codes(seen(found.known, document(**status("frozen")))) == []


def test_a_cancelled_invoice_that_is_live_again_is_reported_once() -> None:
    before = known(document(**status("cancelled")))
    found = seen(before, document())
    assert (actions(found), codes(found)) == ([], ["cancelled_live_again"])
    assert codes(seen(found.known, document())) == []


# Orders


def received(*came: float, name: str = "sent", quantity: float = 4) -> dict[str, Any]:
    lines = [
        line(number, cost=12.5, price=0, quantity=quantity, tax=0, quantity_partially_received=each)
        for number, each in enumerate(came, 1)
    ]
    return order(document_items=lines, **status(name))


@pytest.mark.parametrize(
    "record",
    [
        received(4, 4),
        received(5, 4),
        received(0, 0, name="Received"),
        received(1, 0, name="received"),
        received(0, 0, name="Received in Full"),
    ],
)
def test_an_order_is_received_by_its_status_or_by_its_lines(record: dict[str, Any]) -> None:
    found = seen(known(received(0, 0)), record)
    assert actions(found) == ["received"]
    assert actions(seen(found.known, record)) == []
    both = seen(found.known, {**record, **status("received")})
    assert actions(both) == []


@pytest.mark.parametrize(
    "record", [received(3, 4), received(0, 0), received(2, 0, name="partially received")]
)
def test_an_order_in_part_is_not_received(record: dict[str, Any]) -> None:
    assert actions(seen(known(received(0, 0)), record)) == []


def test_an_order_that_is_full_by_an_edit_is_received() -> None:
    found = seen(
        known(received(2, 4)), order(document_items=[*received(2, 4)["document_items"][1:]], **status("sent"))
    )
    assert actions(found) == ["edited", "received"]


def test_an_order_that_is_back_in_part_is_reported() -> None:
    found = seen(known(received(4, 4, name="received")), received(4, 1, name="partially received"))
    assert (actions(found), codes(found)) == ([], ["received_in_part_again"])


def test_lines_of_a_received_order_may_be_zero_again() -> None:
    found = seen(known(received(4, 4)), received(0, 0, name="received"))
    assert (actions(found), codes(found)) == ([], [])


def test_an_order_has_no_money() -> None:
    record = {**order(), "transactions": [paid(1, 50)], "total_transactions": 70}
    found = seen(None, record)
    assert (actions(found), codes(found)) == (["created"], [])


# Deleted


def test_a_row_of_the_log_deletes_once() -> None:
    before = known(document())
    deletion = Deletion(INVOICE, datetime(2026, 3, 2, 11, 30, tzinfo=UTC))
    found = diff_deleted_document(before, deletion, look())
    assert [event.type for event in found.events] == ["salesbinder.invoice.deleted"]
    assert found.events[0].time == deletion.created
    assert diff_deleted_document(found.known, deletion, look()).events == ()


def test_what_is_seen_after_its_deletion_is_reported_and_not_told() -> None:
    gone = diff_deleted_document(known(document()), Deletion(INVOICE, None), look()).known
    found = seen(gone, document(name="Edited"))
    assert (actions(found), codes(found), found.known) == ([], ["deleted_yet_visible"], gone)


def test_a_document_of_another_context_is_foreign() -> None:
    found = seen(known(document()), document(context_id=11))
    assert (actions(found), codes(found)) == ([], ["record_foreign"])
