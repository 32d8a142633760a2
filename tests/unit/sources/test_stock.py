"""The first detail of a document of which only a row was known."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from sources.diff.documents import diff_document
from sources.diff.known import KnownDocument
from sources.diff.look import Outcome
from sources.diff.stocked import take_stock
from sources.salesbinder.rows import DocumentEntity, read_row
from tests.unit.sources.records import NOON, detail, document, line, look, order, paid, wire, with_paid

Found = Outcome[KnownDocument | None]
SOON = NOON + timedelta(minutes=5)
LATER = "2026-03-02T12:03:00+00:00"


def stocked(record: dict[str, Any], lines: bool = True) -> KnownDocument:
    row = {name: value for name, value in record.items() if name != "transactions"}
    if not lines:
        del row["document_items"]
    entity: DocumentEntity = "invoice" if record["context_id"] == 5 else "purchase_order"
    return take_stock(read_row(wire(row), entity), look())


def seen(before: KnownDocument | None, record: dict[str, Any], at: datetime = SOON) -> Found:
    return diff_document(before, detail(record), look(at))


def actions(found: Found) -> list[str]:
    return [event.type.rpartition(".")[2] for event in found.events]


def codes(found: Found) -> list[str]:
    return [each.code for each in found.problems]


@pytest.mark.parametrize("lines", [True, False])
def test_what_did_not_change_since_stock_was_taken_is_not_told(lines: bool) -> None:
    record = with_paid(paid(1, 50), paid(2, 20), status={"id": 1, "name": "partially paid"})
    found = seen(stocked(record, lines), record)
    assert (found.events, found.problems) == ((), ())
    assert found.known is not None
    assert found.known.stock is None
    assert set(found.known.transactions) == {paid(1)["id"], paid(2)["id"]}
    later = seen(found.known, {**record, "name": "Edited", "modified": LATER})
    assert actions(later) == ["edited"]


def test_a_payment_since_then_is_told_alone() -> None:
    before = stocked(with_paid(paid(1, 50)))
    found = seen(before, with_paid(paid(1, 50), paid(2, 20), modified=LATER))
    assert actions(found) == ["payment_applied"]
    assert b'"amount":"20"' in found.events[0].value


def test_payments_of_one_amount_are_told_apart_by_their_own_times() -> None:
    old, new = (
        paid(1, 50, created="2026-03-02T11:00:00+00:00"),
        paid(2, 50, created="2026-03-02T12:01:00+00:00"),
    )
    found = seen(stocked(with_paid(old)), with_paid(new, old))
    assert actions(found) == ["payment_applied"]
    assert paid(2)["id"].encode() in found.events[0].value


def test_payments_without_times_are_told_apart_by_their_days() -> None:
    old, new = paid(1, 50, transaction_date="2026-03-01"), paid(2, 50, transaction_date="2026-03-02")
    found = seen(stocked(with_paid(old)), with_paid(new, old))
    assert b'"transaction":{"id":"' + paid(2)["id"].encode() in found.events[0].value


def test_a_refund_below_zero_since_then_is_told() -> None:
    found = seen(stocked(with_paid(paid(1, 50))), with_paid(paid(1, 50), paid(2, -50)))
    assert actions(found) == ["refund_applied"]


def test_a_reset_since_then_is_told() -> None:
    assert actions(seen(stocked(with_paid(paid(1, 50))), document())) == ["reset"]


@pytest.mark.parametrize("total", [None, "", 5.5511151231257827e-17, 0.0000000001])
def test_an_invoice_of_which_nothing_was_paid_then_has_no_reset_and_tells_its_first_payment(
    total: Any,
) -> None:
    before = stocked(document(total_transactions=total))
    assert (actions(seen(before, document())), codes(seen(before, document()))) == ([], [])
    assert actions(seen(before, with_paid(paid(1, 50)))) == ["payment_applied"]


def test_money_that_cannot_be_told_apart_is_reported_once_and_is_where_we_start_from() -> None:
    before = stocked(with_paid(paid(1, 50), paid(2, 20)))
    found = seen(before, with_paid(paid(1, 50)))
    assert actions(found) == ["payment_applied"] or codes(found) == ["payments_before_start_unknown"]
    found = seen(stocked(with_paid(paid(1, 50), paid(2, 20))), with_paid(paid(3, 30)))
    assert (actions(found), codes(found), found.again) == ([], ["payments_before_start_unknown"], False)
    assert actions(seen(found.known, with_paid(paid(3, 30), paid(4, 5)))) == ["payment_applied"]


def test_an_edit_since_then_is_told() -> None:
    assert actions(seen(stocked(document()), document(name="Edited", modified=LATER))) == ["edited"]
    assert actions(seen(stocked(document()), document(name="Edited"))) == ["edited"]
    assert actions(
        seen(stocked(document()), document(document_items=[line(quantity=3)], modified=LATER))
    ) == ["edited"]


def test_a_moved_stamp_alone_is_no_edit_where_lines_or_money_explain_it() -> None:
    assert actions(seen(stocked(document()), document(modified=LATER))) == []
    assert actions(seen(stocked(document(), lines=False), with_paid(paid(1), modified=LATER))) == [
        "payment_applied"
    ]
    assert actions(seen(stocked(document(), lines=False), document(modified=LATER))) == ["edited"]


def test_lines_that_the_row_did_not_show_are_no_edit() -> None:
    partial = {**document(), "document_items": [line(1)]}
    assert actions(seen(stocked(partial), document(document_items=[line(1), line(2)]))) == []


def test_states_of_then_are_not_told_again() -> None:
    cancelled = document(status={"id": 15, "name": "cancelled"})
    assert actions(seen(stocked(cancelled), cancelled)) == []
    assert actions(seen(stocked(document()), cancelled)) == ["cancelled"]
    received = order(status={"id": 1, "name": "received"})
    assert actions(seen(stocked(received), received)) == []
    assert actions(seen(stocked(order()), received)) == ["received"]


def test_money_that_does_not_agree_at_first_is_told_once_it_does_and_the_edit_only_once() -> None:
    before = stocked(with_paid(paid(1, 50)))
    first = seen(
        before, document(name="Edited", transactions=[paid(1, 50)], total_transactions=60, modified=LATER)
    )
    assert (actions(first), codes(first), first.again) == (["edited"], ["sums_disagree"], True)
    second = seen(first.known, with_paid(paid(1, 50), paid(2, 10), name="Edited", modified=LATER))
    assert actions(second) == ["payment_applied"]
    assert b'"amount":"10"' in second.events[0].value


@pytest.mark.parametrize(("modified", "told"), [(LATER, ["edited", "received"]), (None, [])])
def test_an_order_whose_row_failed_is_received_if_it_was_modified_since(
    modified: str | None, told: list[str]
) -> None:
    lines = [line(cost=12.5, price=0, quantity=4, tax=0, quantity_partially_received=4)]
    record = order(document_items=lines, **({"modified": modified} if modified else {}))
    row = {name: value for name, value in record.items() if name != "transactions"}
    before = take_stock(read_row(wire(row), "purchase_order"), look(SOON), NOON)
    assert actions(seen(before, record)) == told
