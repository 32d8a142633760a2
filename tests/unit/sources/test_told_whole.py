"""Documents from before the connection of which only what came after it was told, and their backfill."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.unit.sources.records import NOON, order, paid
from tests.unit.sources.stocked import FIRST, LATER, OLD, SECOND, Document, at, money, received

PAID = {"status": {"id": 11, "name": "paid in full"}}
CANCELLED = {"status": {"id": 15, "name": "cancelled"}}


def actions(told: Sequence[tuple[str, str, str]]) -> list[str]:
    return [action for action, _, _ in told]


def one(action: str, row: dict[str, Any], amount: str = "") -> tuple[str, str, str]:
    return action, row["id"], amount or str(row["amount"])


def test_what_was_paid_before_is_told_by_a_backfill_after_what_was_paid_since() -> None:
    document = Document(at(FIRST))
    both = at(FIRST, SECOND)
    assert document.live(both) == [one("payment_applied", SECOND)]
    assert not document.kept.is_whole
    assert document.backfill(both) == [
        ("created", "", ""), one("payment_applied", FIRST), one("payment_applied", SECOND),
    ]  # fmt: skip
    assert (document.kept.is_whole, document.kept.history) == (True, False)
    assert document.live(both) == []
    assert document.live(at(FIRST)) == [("refund_applied", refund_id(), "60")]


def refund_id() -> str:
    """Return the derived id under which the second payment is taken back without a backfill."""
    again = Document(at(FIRST, SECOND))
    again.live(at(FIRST, SECOND))
    ((_, own, _),) = again.live(at(FIRST))
    assert own not in (FIRST["id"], SECOND["id"])
    return own


def test_an_edit_of_a_paid_invoice_leaves_its_payments_to_a_backfill() -> None:
    document = Document(at(FIRST, SECOND, **PAID))
    edited = at(FIRST, SECOND, name="Other", modified=LATER, **PAID)
    assert actions(document.live(edited)) == ["edited"]
    assert not document.kept.is_whole
    assert document.backfill(edited)[1:] == [one("payment_applied", FIRST), one("payment_applied", SECOND)]


@pytest.mark.parametrize("change", [at(FIRST), at(name="Other", modified=LATER), at(**CANCELLED)])
def test_what_had_nothing_before_is_whole_once_it_was_told(change: dict[str, Any]) -> None:
    document = Document(at())
    document.live(at())
    assert not document.kept.is_whole
    assert document.live(change)
    assert document.kept.is_whole


def test_a_cancellation_leaves_nothing_to_be_told_and_one_from_before_is_told_with_the_rest() -> None:
    live = Document(at(FIRST))
    assert actions(live.live(at(FIRST, **CANCELLED))) == ["cancelled"]
    assert live.kept.is_whole
    old = Document(at(FIRST, **CANCELLED))
    edited = at(FIRST, name="Other", modified=LATER, **CANCELLED)
    assert actions(old.live(edited)) == ["edited"]
    assert actions(old.backfill(edited)) == ["created", "payment_applied", "cancelled"]


def test_a_payment_from_before_that_was_returned_since_is_told_with_its_refund() -> None:
    document = Document(at(FIRST))
    document.live(at(FIRST, SECOND))
    ((_, own, _),) = document.live(at(SECOND))
    told = [("created", "", ""), one("payment_applied", FIRST), one("payment_applied", SECOND)]
    assert document.backfill(at(SECOND)) == [*told, ("refund_applied", own, "40")]
    # It comes back under an id of its own, as it would have without the backfill.
    ((_, back, _),) = document.live(at(FIRST, SECOND))
    assert back not in (FIRST["id"], own)


def test_a_refund_that_failed_for_want_of_its_payment_is_told_again_under_its_id() -> None:
    document = Document(at(FIRST))
    refund = paid(3, -15)
    assert document.live(at(FIRST, refund)) == [one("refund_applied", refund, "15")]
    assert document.backfill(at(FIRST, refund))[1:] == [
        one("payment_applied", FIRST), one("refund_applied", refund, "15"),
    ]  # fmt: skip


def test_a_payment_that_shrank_is_told_as_it_was_and_its_part_is_not_refunded_twice() -> None:
    document = Document(at(FIRST, SECOND), shrunk="refund")
    document.live(at(FIRST, SECOND))
    less = at(FIRST, {**SECOND, "amount": 20})
    (part,) = document.live(less)
    assert part[0] == "refund_applied"
    assert document.backfill(less)[1:] == [
        one("payment_applied", FIRST), one("payment_applied", SECOND), part,
    ]  # fmt: skip


def test_what_changed_just_before_a_backfill_is_told_by_it() -> None:
    document = Document(at(FIRST))
    document.live(at(FIRST, SECOND))
    corrected = {**SECOND, "amount": 50}
    assert document.backfill(at(FIRST, corrected))[1:] == [
        one("payment_applied", corrected), one("payment_applied", FIRST),
    ]  # fmt: skip
    again = Document(at(FIRST))
    again.live(at(FIRST, SECOND))
    assert actions(again.backfill(at(status={"id": 9, "name": "unpaid"}))) == ["created", "reset"]


def test_money_that_cannot_be_made_sense_of_waits_and_all_else_is_told_once() -> None:
    document = Document(at(FIRST))
    document.live(at(FIRST, SECOND))
    odd = at(FIRST, SECOND, total_transactions=7, name="Other", modified=LATER)
    assert actions(document.backfill(odd)) == ["edited"]
    assert (document.kept.is_whole, document.kept.history) == (False, True)
    assert document.live(odd) == []
    told = document.live(at(FIRST, SECOND, name="Other", modified=LATER))
    assert actions(told) == ["created", "payment_applied", "payment_applied"]
    assert (document.kept.is_whole, document.kept.history) == (True, False)


def test_an_order_is_told_again_only_for_a_receipt_from_before() -> None:
    came_since = Document(order(**OLD))
    assert actions(came_since.live(received(modified=LATER))) == ["received"]
    assert came_since.kept.is_whole
    came_before = Document(received())
    edited = received(name="Other", modified=LATER)
    assert actions(came_before.live(edited)) == ["edited"]
    assert not came_before.kept.is_whole
    assert actions(came_before.backfill(edited)) == ["created", "received"]
    assert came_before.kept.is_whole


def test_times_never_run_backwards_within_a_document() -> None:
    document = Document(at(FIRST, modified=LATER))
    live = document.look(at(FIRST, {**SECOND, "created": LATER}, modified=LATER))
    document.ask_for_history()
    history = document.look(at(FIRST, SECOND, modified=LATER))
    times: list[datetime] = [event.time for event in (*live.events, *history.events)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("record", "known", "is_whole"),
    [
        (at(FIRST), {"revision": 0}, False),
        (at(FIRST), {"revision": 1}, False),
        (at(FIRST), {"revision": 1, "cancelled": True}, True),
        (order(**OLD), {"revision": 0}, False),
        (order(**OLD), {"revision": 1}, True),
    ],
)
def test_what_an_older_version_kept_is_told_again_where_payments_could_be_missing(
    record: dict[str, Any], known: dict[str, Any], is_whole: bool
) -> None:
    document = Document(record)
    document.forget(**known)
    assert document.kept.is_whole is is_whole


def test_parts_that_were_refunded_before_the_payment_was_told_are_told_again_under_their_ids() -> None:
    document = Document(at(FIRST), shrunk="refund")
    document.live(at(FIRST))
    (first,) = document.live(at({**FIRST, "amount": 35.5}))
    (second,) = document.live(at({**FIRST, "amount": 25}))
    assert [amount for _, _, amount in (first, second)] == ["4.5", "10.5"]
    told = document.backfill(at({**FIRST, "amount": 25}))
    assert told == [("created", "", ""), one("payment_applied", FIRST), first, second]


def test_a_part_that_was_refunded_of_a_payment_that_is_gone_is_told_again_beside_it() -> None:
    document = Document(at(FIRST, SECOND), shrunk="refund")
    document.live(at(FIRST, SECOND))
    (part,) = document.live(at({**FIRST, "amount": 25}, SECOND))
    (rest,) = document.live(at(SECOND))
    told = document.backfill(at(SECOND))
    assert sorted(told[1:]) == sorted(
        [one("payment_applied", FIRST), one("payment_applied", SECOND), part, rest]
    )


def test_payments_of_a_row_that_failed_wait_for_a_backfill_if_nothing_says_when_they_were_recorded() -> None:
    document = Document(at(FIRST))
    taken: Any = document.kept.known
    failed = msgspec.structs.replace(taken.stock, total=None, has_failed=True)
    document.forget(stock=failed)
    for _ in range(2):
        batch = document.look(at(FIRST, SECOND))
        assert (money(batch), [each.code for each in batch.problems]) == (
            [],
            ["payments_before_start_unknown"],
        )
        assert batch.wanted
    told = document.backfill(at(FIRST, SECOND))
    assert told == [("created", "", ""), one("payment_applied", FIRST), one("payment_applied", SECOND)]
    assert document.live(at(FIRST, SECOND)) == []


def test_a_row_that_failed_of_an_invoice_without_payments_is_no_problem() -> None:
    document = Document(at())
    taken: Any = document.kept.known
    document.forget(stock=msgspec.structs.replace(taken.stock, total=None, has_failed=True))
    record = at()
    del record["transactions"]
    assert document.look(record).problems == []
    assert document.live(at(FIRST)) == [one("payment_applied", FIRST)]


def timed(number: int, amount: int, minute: int) -> dict[str, Any]:
    """A payment or refund so many minutes after the connection."""
    return paid(number, amount, created=(NOON + timedelta(minutes=minute)).isoformat())


@pytest.mark.parametrize(
    ("earlier", "since"),
    [
        ([(1, 100), (2, -100)], [(3, 100)]),
        ([(1, 60), (2, -60)], [(3, 40), (4, 60)]),
        ([(1, 100), (2, -100), (3, 100)], []),
        ([(1, 20), (2, 80), (3, -60), (4, 40)], []),
        ([(1, 50), (2, 50), (3, -100), (4, 100), (5, -40)], []),
        ([(1, 100)], [(2, -100), (3, 100)]),
        ([(1, 100), (2, -100)], [(3, 100), (4, -100), (5, 100)]),
    ],
)
def test_a_backfill_tells_no_payment_before_the_refund_that_makes_room_for_it(
    earlier: list[tuple[int, int]], since: list[tuple[int, int]]
) -> None:
    """Xero takes no more than the 100 that the invoice is of, and no refund of more than was paid."""
    before = [timed(number, amount, number - 60) for number, amount in earlier]
    rows = [*before, *(timed(number, amount, number) for number, amount in since)]
    price = {"total_price": 100, "total_tax": 0}
    document = Document(at(*before, **price))
    xero: dict[str, float] = {}
    for told in (document.live(at(*rows, **price)), document.backfill(at(*rows, **price))):
        for action, transaction, amount in told:
            by = float(amount or 0) * (-1 if action == "refund_applied" else 1)
            if action == "refund_applied" and not xero:
                continue  # The invoice is not in Xero yet.
            if transaction and transaction not in xero:
                assert 0 <= sum(xero.values()) + by <= 100, (told, transaction)
                xero[transaction] = by
    assert xero == {row["id"]: row["amount"] for row in rows}


def test_a_correction_of_what_was_told_makes_room_for_what_was_there_before() -> None:
    price = {"total_price": 100, "total_tax": 0}
    document = Document(at(FIRST, **price))
    document.live(at(FIRST, SECOND, **price))
    lower = {**SECOND, "amount": 50}
    told = document.backfill(at(FIRST, lower, **price))
    assert told[1:] == [one("payment_applied", lower), one("payment_applied", FIRST)]
