"""What of the truth can be published by a reader that looks after every change (reference §11)."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from sandbox.fake_salesbinder import acts, all_pairs, visible

from .conftest import Stage
from .test_truth import TABLE, kept

PAID, REFUNDED, RESET = "invoice.payment_applied", "invoice.refund_applied", "invoice.reset"


def money(stage: Stage, **given: str) -> list[Any]:
    """Return the events of money as words and amounts."""
    found = visible(stage.shop.truth.history, stage.shop.switches, **given)
    return [
        (told.kind.partition(".")[2], told.amount and int(told.amount))
        for told in found
        if told.kind in (PAID, REFUNDED, RESET)
    ]


@pytest.mark.parametrize(
    ("refund", "partly", "fully"),
    [
        ("negative_row", ("refund_applied", 40), ("refund_applied", 60)),
        ("row_shrinks", ("payment_applied", 60), ("reset", None)),
    ],
)
def test_a_payment_returned_in_two_parts(refund: str, partly: Any, fully: Any) -> None:
    """§11 refund_applied: "gone **and** nothing left: read as reset"; smaller: correction or refund."""
    stage = Stage(refund=refund)
    invoice = stage.invoice()
    payment = acts.pay(stage.shop, invoice, "100")
    acts.refund(stage.shop, invoice, payment, "40")
    acts.refund(stage.shop, invoice, payment)
    assert money(stage) == [("payment_applied", 100), partly, fully]
    if refund == "row_shrinks":
        assert money(stage, smaller_row="refund")[1] == ("refund_applied", 40)


def test_a_payment_that_is_corrected_to_less_looks_like_a_refund_to_who_takes_it_so() -> None:
    """§11 payment_applied: "a row that shrank may be a partial refund written into the row"."""
    stage = Stage()
    invoice = stage.invoice()
    payment = acts.pay(stage.shop, invoice, "100")
    acts.correct_payment(stage.shop, invoice, payment, amount="70")
    assert money(stage)[1:] == [("payment_applied", 70)]
    assert money(stage, smaller_row="refund")[1:] == [("refund_applied", 30)]
    # What was told as a refund stays told as paid.
    acts.correct_payment(stage.shop, invoice, payment, reference="Cheque 77")
    assert money(stage)[2:] == [("payment_applied", 70)]
    assert money(stage, smaller_row="refund")[2:] == [("payment_applied", 100)]


def test_a_row_gone_while_others_stay_is_a_refund_and_the_last_one_a_reset() -> None:
    """§11 refund_applied: "a known row gone while others stay"; reset: the last one is "the same picture"."""
    stage = Stage(refund="row_vanishes")
    invoice = stage.invoice()
    first, second = acts.pay(stage.shop, invoice, "100"), acts.pay(stage.shop, invoice, "20")
    acts.refund(stage.shop, invoice, first)
    acts.refund(stage.shop, invoice, second)
    assert money(stage)[2:] == [("refund_applied", 100), ("reset", None)]


@pytest.mark.parametrize(
    ("reset", "told"),
    [
        ("rows_vanish", [("reset", None)]),
        ("negative_row_each", [("refund_applied", 60), ("refund_applied", 20)]),
        ("one_negative_row", [("refund_applied", 80)]),
    ],
)
def test_a_reset(reset: str, told: list[Any]) -> None:
    """§11 reset: "rows gone: **reset** … Negative rows: refunds, one each"."""
    stage = Stage(reset=reset)
    invoice = stage.invoice()
    acts.refund(stage.shop, invoice, acts.pay(stage.shop, invoice, "100"), "40")
    acts.pay(stage.shop, invoice, "20")
    acts.reset(stage.shop, invoice)
    assert money(stage)[3:] == told


@pytest.mark.parametrize("total", ["subtracted", "added"])
def test_nothing_of_an_invoice_with_a_marked_row(total: str) -> None:
    """§11 payment_applied, row marked otherwise: "publish nothing of this invoice's money" until it goes."""
    stage = Stage(refund="marked_row", marked_row_in_total=total)
    invoice = stage.invoice()
    acts.refund(stage.shop, invoice, acts.pay(stage.shop, invoice, "100"), "40")
    acts.pay(stage.shop, invoice, "20")
    assert money(stage) == [("payment_applied", 100)]
    acts.reset(stage.shop, invoice)
    acts.pay(stage.shop, invoice, "10")
    assert money(stage)[1:] == [("reset", None), ("payment_applied", 10)]


def test_a_marked_row_is_a_refund_where_mark_and_total_both_say_so() -> None:
    """§7 refund: a marked positive row; told by a reader that takes two witnesses for enough."""
    for total, told in (
        ("subtracted", [("payment_applied", 100), ("refund_applied", 40)]),
        ("added", [("payment_applied", 100)]),
    ):
        stage = Stage(refund="marked_row", marked_row_in_total=total)
        invoice = stage.invoice()
        acts.refund(stage.shop, invoice, acts.pay(stage.shop, invoice, "100"), "40")
        assert money(stage, marked_row="refund") == told


def test_nothing_of_money_without_rows() -> None:
    """§11: "sum without rows"; §12.17; a reset that takes away what nobody saw is not seen either."""
    stage = Stage(total_without_rows="old")
    lines = [{"name": "A", "price": 100}]
    old = acts.bring_old_invoice(
        stage.shop, stage.customer, lines, created="2024-01-02T10:00:00+00:00", paid=40
    )
    acts.pay(stage.shop, old, "20")
    assert money(stage) == []
    acts.reset(stage.shop, old)
    acts.pay(stage.shop, old, "5")
    assert money(stage) == [("reset", None), ("payment_applied", 5)]


@pytest.mark.parametrize("seed", range(len(TABLE)))
def test_what_can_be_published_adds_up_to_what_the_shop_has_kept(seed: int) -> None:
    """Payments less refunds since the last reset, of every invoice whose money can be told at all."""
    switches = TABLE[seed]
    shop = kept(switches, seed, steps=300).shop
    told = visible(shop.truth.history, switches, smaller_row="refund")
    sums: Counter[str] = Counter()
    cents = {PAID: 100, REFUNDED: -100}
    payments: dict[str, int] = {}
    corrected = {change.record_id for change in shop.truth.history if change.kind == PAID and change.fields}
    for event in told:
        if event.kind == RESET:
            sums[event.record_id] = 0
        elif event.kind in cents:
            sums[event.record_id] += int((event.amount or Decimal(0)) * cents[event.kind])
            payments[event.record_id] = payments.get(event.record_id, 0) + 1
    hushed = {change.record_id for change in shop.truth.history if change.kind == "invoice.paid_without_row"}
    if switches.refund == "marked_row":
        hushed |= {change.record_id for change in shop.truth.history if change.kind == REFUNDED}
    checked = 0
    for truth in shop.truth.documents.values():
        if truth.kind == "invoice" and truth.id not in hushed | corrected:
            assert sums[truth.id] == int(truth.net_paid * 100), truth
            checked += truth.id in payments
    assert checked > 3


def test_everything_else_is_as_it_happened() -> None:
    """§11: created, edited, cancelled, deleted, received: one each, in order; none for what is no event."""
    shop = kept(all_pairs()[0], 2, steps=300).shop
    money_kinds = {PAID, REFUNDED, RESET}
    told = [(event.kind, event.record_id) for event in visible(shop.truth.history, shop.switches)]
    true = [(change.kind, change.record_id) for change in shop.truth.changes(events_only=True)]
    assert [pair for pair in told if pair[0] not in money_kinds] == [
        pair for pair in true if pair[0] not in money_kinds
    ]
