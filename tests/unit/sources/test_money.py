"""Payments, refunds in each representation, resets: what one look at an invoice tells of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from sources.diff.documents import diff_document
from sources.diff.known import KnownDocument
from sources.diff.look import Outcome, Shrunk
from tests.unit.sources.records import NOON, detail, document, look, paid, with_paid

Found = Outcome[KnownDocument | None]


def seen(
    before: KnownDocument | None, record: dict[str, Any], at: datetime = NOON, shrunk: Shrunk = "correction"
) -> Found:
    return diff_document(before, detail(record), look(at, shrunk=shrunk))


def known(record: dict[str, Any]) -> KnownDocument:
    found = seen(None, record).known
    assert found is not None
    return found


def told(found: Found) -> list[tuple[str, str, str]]:
    """Return the money that was told: action, the transaction's id in short, amount."""
    events = [msgspec.json.decode(event.value) for event in found.events]
    rows = []
    for event in events:
        transaction = event["data"].get("transaction", {"id": "", "amount": ""})
        own_id = transaction["id"]
        short = own_id[-1] if own_id.startswith("77777777") else ("derived" if own_id else "")
        rows.append((event["type"].removeprefix("salesbinder.invoice."), short, transaction["amount"]))
    return rows


def derived(found: Found) -> list[str]:
    events = [msgspec.json.decode(event.value) for event in found.events]
    return [event["data"]["transaction"]["id"] for event in events if "transaction" in event["data"]]


def test_an_invoice_that_is_new_is_told_with_its_payments() -> None:
    found = seen(None, with_paid(paid(1, 50), paid(2, 20), paid(3, -20)))
    assert told(found) == [
        ("created", "", ""),
        ("payment_applied", "1", "50"),
        ("payment_applied", "2", "20"),
        ("refund_applied", "3", "20"),
    ]
    assert found.problems == ()


def test_a_payment_is_told_once_and_is_no_edit() -> None:
    before = known(document())
    found = seen(before, with_paid(paid(1, 50), modified="2026-03-02T11:00:00+00:00"))
    assert told(found) == [("payment_applied", "1", "50")]
    assert seen(found.known, with_paid(paid(1, 50), modified="2026-03-02T11:00:00+00:00")).events == ()


@pytest.mark.parametrize(
    "change", [{"amount": 60}, {"transaction_date": "2026-03-03"}, {"reference": "Visa"}]
)
def test_a_payment_with_other_content_is_a_correction_under_its_id(change: dict[str, Any]) -> None:
    before = known(with_paid(paid(1, 50)))
    found = seen(before, with_paid(paid(1, **{"amount": 50, **change})))
    assert told(found) == [("payment_applied", "1", str(change.get("amount", 50)))]


def test_what_lowers_a_payment_comes_before_what_adds_one() -> None:
    before = known(with_paid(paid(1, 100)))
    found = seen(before, with_paid(paid(2, 40), paid(1, 60)))
    assert told(found) == [("payment_applied", "1", "60"), ("payment_applied", "2", "40")]


def test_a_refund_below_zero_has_its_own_id_and_comes_in_its_place() -> None:
    before = known(with_paid(paid(1, 50)))
    found = seen(before, with_paid(paid(1, 50), paid(2, -30), paid(3, 10)))
    assert told(found) == [("refund_applied", "2", "30"), ("payment_applied", "3", "10")]


def test_a_payment_after_a_refund_comes_after_it_for_the_refund_makes_room() -> None:
    found = seen(None, with_paid(paid(1, 50), paid(2, -50), paid(3, 50)))
    assert [action for action, _, _ in told(found)][1:] == [
        "payment_applied",
        "refund_applied",
        "payment_applied",
    ]
    before = known(with_paid(paid(1, 50)))
    found = seen(before, with_paid(paid(1, 50), paid(2, -50), paid(3, 50)))
    assert told(found) == [("refund_applied", "2", "50"), ("payment_applied", "3", "50")]


def test_transactions_are_told_by_their_own_times_in_whatever_order_they_are_listed() -> None:
    times = [{"created": f"2026-03-02T10:0{minute}:00+00:00"} for minute in range(3)]
    first, back, second = paid(1, 50, **times[0]), paid(2, -50, **times[1]), paid(3, 50, **times[2])
    before = known(with_paid(first))
    found = seen(before, with_paid(second, back, first))
    assert told(found) == [("refund_applied", "2", "50"), ("payment_applied", "3", "50")]


def test_a_refund_is_not_told_before_as_much_is_paid() -> None:
    before = known(with_paid(paid(1, 20)))
    found = seen(before, with_paid(paid(2, -50), paid(1, 20), paid(3, 40)))
    assert told(found) == [("payment_applied", "3", "40"), ("refund_applied", "2", "50")]


def test_a_reset_by_rows_below_zero_is_refunds() -> None:
    before = known(with_paid(paid(1, 50), paid(2, 20)))
    found = seen(before, with_paid(paid(1, 50), paid(2, 20), paid(3, -50), paid(4, -20)))
    assert told(found) == [("refund_applied", "3", "50"), ("refund_applied", "4", "20")]


def test_a_payment_that_is_gone_is_a_refund_with_an_id_of_its_own() -> None:
    before = known(with_paid(paid(1, 50), paid(2, 20)))
    found = seen(before, with_paid(paid(2, 20)))
    assert told(found) == [("refund_applied", "derived", "50")]
    assert derived(found) == derived(seen(before, with_paid(paid(2, 20))))


def test_a_payment_that_came_back_and_went_again_is_told_each_time_under_another_id() -> None:
    both, one = with_paid(paid(1, 50), paid(2, 20)), with_paid(paid(2, 20))
    first = seen(known(both), one)
    back = seen(first.known, both)
    second = seen(back.known, one)
    again = seen(second.known, both)
    assert told(back) == told(again) == [("payment_applied", "derived", "50")]
    assert told(second) == [("refund_applied", "derived", "50")]
    assert len({*derived(first), *derived(back), *derived(second), *derived(again)}) == 4


def test_all_that_is_gone_is_a_reset() -> None:
    before = known(with_paid(paid(1, 50), paid(2, 20), paid(3, -20)))
    found = seen(before, document())
    assert told(found) == [("reset", "", "")]
    assert found.known is not None
    assert (found.known.transactions, found.known.resets) == ({}, 1)


def status(name: str) -> dict[str, Any]:
    return {"status": {"id": 1, "name": name}}


@pytest.mark.parametrize("rows", [[], {}])
@pytest.mark.parametrize("total", [None, "", 0])
@pytest.mark.parametrize("name", ["paid in full", "Partially Paid", "paid", "partial"])
def test_payments_that_are_gone_while_the_status_says_paid_are_no_reset(
    rows: Any, total: Any, name: str
) -> None:
    before = known(with_paid(paid(1, 50), **status(name)))
    hidden = seen(before, document(transactions=rows, total_transactions=total, **status(name)))
    assert (told(hidden), hidden.again) == ([], True)
    assert [each.code for each in hidden.problems] == ["sums_disagree"]
    followed = document(transactions=rows, total_transactions=total, **status("unpaid"))
    assert told(seen(hidden.known, followed)) == [("reset", "", "")]
    assert told(seen(hidden.known, with_paid(paid(1, 50), **status(name)))) == []


@pytest.mark.parametrize(
    ("total", "name", "is_reset"),
    [
        (None, "unpaid", True),
        ("", "overdue", True),
        (None, "cancelled", True),
        (None, "", False),
        ("", "pending", False),
        (0, "", True),
        (0, "pending", True),
    ],
)
def test_a_blank_sum_is_zero_beside_known_payments_only_if_the_status_says_so(
    total: Any, name: str, is_reset: bool
) -> None:
    found = seen(known(with_paid(paid(1, 50))), document(total_transactions=total, **status(name)))
    assert (("reset", "", "") in told(found)) is is_reset
    assert found.again is not is_reset
    assert told(seen(known(document()), document(total_transactions=total, **status("unpaid")))) == []


def test_an_invoice_of_nothing_may_be_called_paid_after_a_reset() -> None:
    free = {"total_price": 0, "total_tax": 0, "document_items": []}
    before = known(with_paid(paid(1, 50), **free))
    assert told(seen(before, document(**free, **status("paid in full")))) == [("reset", "", "")]


def test_what_is_new_beside_a_reset_is_told_after_it() -> None:
    before = known(with_paid(paid(1, 50)))
    assert told(seen(before, with_paid(paid(2, 30)))) == [("reset", "", ""), ("payment_applied", "2", "30")]


def test_a_payment_that_returns_after_a_reset_is_told_under_its_own_id_and_in_another_event() -> None:
    paid_once = seen(known(document()), with_paid(paid(1, 50)))
    reset = seen(paid_once.known, document(), NOON + timedelta(minutes=1))
    back = seen(reset.known, with_paid(paid(1, 50)), NOON + timedelta(minutes=2))
    assert told(back) == [("payment_applied", "1", "50")]
    assert back.events[0].id != paid_once.events[0].id
    assert back.events[0].time > reset.events[0].time


def test_a_payment_that_shrank_is_a_correction_or_a_refund_by_the_switch() -> None:
    before = known(with_paid(paid(1, 50)))
    assert told(seen(before, with_paid(paid(1, 30)))) == [("payment_applied", "1", "30")]
    refunded = seen(before, with_paid(paid(1, 30)), shrunk="refund")
    assert told(refunded) == [("refund_applied", "derived", "20")]
    whole = seen(refunded.known, with_paid(paid(1, 0)), shrunk="refund")
    assert told(whole) == [("refund_applied", "derived", "30")]
    assert derived(whole) != derived(refunded)


def test_a_payment_that_shrank_by_refunds_and_grew_is_told_with_what_was_refunded() -> None:
    refunded = seen(known(with_paid(paid(1, 50))), with_paid(paid(1, 30)), shrunk="refund")
    assert told(seen(refunded.known, with_paid(paid(1, 45)), shrunk="refund")) == [
        ("payment_applied", "1", "65")
    ]


def test_a_payment_that_became_zero_is_taken_off() -> None:
    before = known(with_paid(paid(1, 50)))
    found = seen(before, with_paid(paid(1, 0)))
    assert told(found) == [("payment_applied", "1", "0")]
    assert told(seen(found.known, with_paid(paid(1, 50)))) == [("payment_applied", "1", "50")]


def test_a_refund_that_is_gone_is_taken_off_and_may_come_back() -> None:
    with_refund = with_paid(paid(1, 50), paid(2, -20))
    found = seen(known(with_refund), with_paid(paid(1, 50)))
    assert told(found) == [("refund_applied", "2", "0")]
    assert told(seen(found.known, with_refund)) == [("refund_applied", "2", "20")]


def test_a_transaction_of_zero_says_nothing() -> None:
    found = seen(known(document()), with_paid(paid(1, 0)))
    assert found.events == ()
    assert told(seen(found.known, with_paid(paid(1, 5)))) == [("payment_applied", "1", "5")]


# Marks


@pytest.mark.parametrize(
    "mark",
    [{"type": "Refund"}, {"is_refund": 1}, {"returned": True}, {"transaction_type": {"name": "return"}}],
)
def test_a_row_that_is_marked_as_a_refund_is_one_if_the_sum_says_so(mark: dict[str, Any]) -> None:
    before = known(with_paid(paid(1, 50)))
    rows = [paid(1, 50), paid(2, 20, **mark)]
    found = seen(before, document(transactions=rows, total_transactions=30))
    assert told(found) == [("refund_applied", "2", "20")]
    contradicted = seen(before, document(transactions=rows, total_transactions=70))
    assert contradicted.events == ()
    assert [each.code for each in contradicted.problems] == ["transaction_marked"]
    assert contradicted.again


@pytest.mark.parametrize("mark", [{"voided": 1}, {"deleted_at": "2026-03-02T10:00:00"}, {"delete": "1"}])
def test_a_payment_that_is_marked_as_void_is_gone_if_the_sum_says_so(mark: dict[str, Any]) -> None:
    before = known(with_paid(paid(1, 50), paid(2, 20)))
    rows = [paid(1, 50, **mark), paid(2, 20)]
    assert told(seen(before, document(transactions=rows, total_transactions=20))) == [
        ("refund_applied", "derived", "50")
    ]
    assert told(seen(known(document()), document(transactions=rows, total_transactions=20))) == [
        ("payment_applied", "2", "20")
    ]


def test_a_payment_marked_as_refunded_beside_its_refund_is_as_it_stands() -> None:
    before = known(with_paid(paid(1, 50)))
    rows = [paid(1, 50, refunded=1), paid(2, -50)]
    assert told(seen(before, document(transactions=rows, total_transactions=0))) == [
        ("refund_applied", "2", "50")
    ]


def test_a_field_that_every_transaction_has_is_no_mark() -> None:
    row = paid(1, 50, type=1, status="completed", refunded=0, voided=None, deleted_at=None, kind="payment")
    assert told(seen(known(document()), with_paid(row))) == [("payment_applied", "1", "50")]


@pytest.mark.parametrize("zero", ["0000-00-00 00:00:00", "-0001-11-30T00:00:00+00:00"])
def test_mysqls_zero_date_marks_nothing(zero: str) -> None:
    row = paid(1, 50, deleted_at=zero, refunded_on=zero, returned_date=zero)
    assert told(seen(known(document()), with_paid(row))) == [("payment_applied", "1", "50")]


@pytest.mark.parametrize("mark", [{"is_refund": 1}, {"reference": "Refund Cash"}])
def test_a_refund_that_is_summed_up_like_a_payment_is_none_however_the_invoice_is_reset(
    mark: dict[str, Any],
) -> None:
    before = known(with_paid(paid(1, 50)))
    rows = [paid(1, 50), paid(2, 20, **mark)]
    for row, total in ((None, 70), (paid(3, -70), 0)):
        shown = [*rows, row] if row else rows
        found = seen(before, document(transactions=shown, total_transactions=total))
        assert (told(found), [each.code for each in found.problems]) == ([], ["transaction_marked"])


def test_a_reference_that_begins_with_refund_is_one_if_the_sum_says_so() -> None:
    rows = [paid(1, 50), paid(2, 20, reference="Refund Cash")]
    found = seen(known(with_paid(paid(1, 50))), document(transactions=rows, total_transactions=30))
    assert told(found) == [("refund_applied", "2", "20")]
    plain = [paid(1, 50), paid(2, 20, reference="Deposit, refundable")]
    assert told(seen(known(with_paid(paid(1, 50))), with_paid(*plain))) == [("payment_applied", "2", "20")]


# Numbers


@pytest.mark.parametrize(
    ("shown", "amount"),
    [
        (980.5100000000001, "980.51"),
        (1.8600000000000003, "1.86"),
        (4755.849999999999, "4755.85"),
        (0.30000000000000004, "0.3"),
        ("12.123456", "12.123456"),
        ("12.340000000000001", "12.34"),
        ("9.8051000000000001e2", "980.51"),
    ],
)
def test_the_noise_of_floats_is_told_to_nobody(shown: Any, amount: str) -> None:
    found = seen(known(document()), document(transactions=[paid(1, shown)], total_transactions=shown))
    assert told(found) == [("payment_applied", "1", amount)]
    again = seen(found.known, document(transactions=[paid(1, amount)], total_transactions=amount))
    assert told(again) == []


# What does not agree


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"transactions": [paid(1, 50)], "total_transactions": 60}, "sums_disagree"),
        ({"transactions": [], "total_transactions": 60}, "sums_disagree"),
        ({"transactions": [paid(1, 50)], "total_transactions": 0}, "sums_disagree"),
        ({"transactions": None, "total_transactions": 0}, "transactions_missing"),
        ({"transactions": [paid(1, 50), 7], "total_transactions": 50}, "record_unclear"),
        ({"transactions": [paid(1, 50, document_id="x")], "total_transactions": 50}, "record_foreign"),
    ],
)
def test_nothing_of_the_money_is_told_while_it_does_not_agree(changes: dict[str, Any], code: str) -> None:
    before = known(with_paid(paid(1, 50)))
    found = seen(before, document(**changes, name="Edited meanwhile"))
    assert told(found) == [("edited", "", "")]
    assert [(each.code, each.record_id) for each in found.problems] == [(code, before.id)]
    assert found.again
    assert found.known is not None
    assert found.known.transactions == before.transactions
    later = seen(found.known, with_paid(paid(1, 50), paid(2, 10), name="Edited meanwhile"))
    assert told(later) == [("payment_applied", "2", "10")]


def test_a_detail_that_lacks_its_transactions_is_no_reset() -> None:
    before = known(with_paid(paid(1, 50)))
    record = document()
    del record["transactions"]
    found = seen(before, record)
    assert found.events == ()
    assert [each.code for each in found.problems] == ["transactions_missing"]


@pytest.mark.parametrize("total", [0, "0.00", "", None])
@pytest.mark.parametrize("transactions", [None, [], ""])
def test_an_invoice_without_payments_may_say_so_by_saying_nothing(transactions: Any, total: Any) -> None:
    """PHP leaves out what is empty, and MySQL's sum of no rows is NULL."""
    record = document(transactions=transactions, total_transactions=total)
    if transactions is None:
        del record["transactions"]
    found = seen(None, record)
    assert (told(found), [each.code for each in found.problems], found.again) == (
        [("created", "", "")],
        [],
        False,
    )
    assert told(seen(found.known, with_paid(paid(1, 50)))) == [("payment_applied", "1", "50")]


def test_a_blank_sum_beside_payments_is_a_problem() -> None:
    found = seen(known(document()), document(transactions=[paid(1, 50)], total_transactions=None))
    assert (told(found), [each.code for each in found.problems]) == ([], ["sums_disagree"])


def test_a_payment_does_not_become_a_refund() -> None:
    before = known(with_paid(paid(1, 50)))
    found = seen(before, with_paid(paid(1, -50)))
    assert found.events == ()
    assert [each.code for each in found.problems] == ["transaction_sign_changed"]


def test_noise_of_floats_is_no_difference() -> None:
    rows = [paid(1, 0.1), paid(2, 0.2)]
    found = seen(known(document()), document(transactions=rows, total_transactions=0.30000000000000004))
    assert told(found) == [("payment_applied", "1", "0.1"), ("payment_applied", "2", "0.2")]


# Times


def test_the_time_is_the_transactions_own_else_the_documents_else_the_looks() -> None:
    before = known(document())
    created = paid(1, 50, created="2026-03-02T10:30:00+00:00")
    assert seen(before, with_paid(created)).events[0].time == datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
    moved = with_paid(paid(1, 50), modified="2026-03-02T11:00:00+00:00")
    assert seen(before, moved).events[0].time == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert seen(before, with_paid(paid(1, 50))).events[0].time == NOON
    ahead = with_paid(paid(1, 50), modified="2026-03-02T17:00:00+00:00")
    assert seen(before, ahead).events[0].time == NOON


def test_what_is_known_survives_the_database() -> None:
    found = seen(known(with_paid(paid(1, 50), paid(2, 20))), with_paid(paid(2, "20.5")))
    stored = msgspec.json.encode(found.known)
    assert msgspec.json.decode(stored, type=KnownDocument) == found.known
    assert isinstance(
        msgspec.json.decode(stored, type=KnownDocument).transactions[paid(2)["id"]].amount, Decimal
    )
