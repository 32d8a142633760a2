"""What the shop truly holds and what truly happened, whatever the API shows, under every row of the table."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from sandbox.fake_salesbinder import EVENT_KINDS, Shopkeeper, Switches, acts, all_pairs
from sandbox.fake_salesbinder.shopkeeper import WEIGHTS

from .caller import NO_LIMIT, Caller
from .conftest import TOTAL, Stage

TABLE = all_pairs()


def kept(switches: Switches, seed: int, steps: int = 150) -> Caller:
    caller = Caller(**switches.as_dict())
    Shopkeeper(caller.shop, seed, pause=30).run(steps)
    caller.world.clock.advance(10)  # until what lags has come
    return caller


def number(value: Any) -> Decimal:
    return round(Decimal(str(value)), 6)


@pytest.mark.parametrize("seed", range(len(TABLE)))
def test_what_the_api_shows_is_what_the_shop_holds(seed: int) -> None:
    """Each document's totals, tax, party and net paid by §3, out of its detail alone."""
    switches = TABLE[seed]
    caller = kept(switches, seed)
    checked = 0
    for truth in caller.shop.truth.documents.values():
        reply = caller.get(f"documents/{truth.id}.json")
        if reply.status != 200:
            assert truth.deleted or (truth.archived and switches.archived_detail == "404")
            continue
        shown = reply.json["document"]
        assert not truth.deleted
        net = (
            number(shown["total_price"])
            if truth.kind != "purchase_order"
            else max(number(shown["total_price"]), number(shown["total_cost"]))
        )
        assert (net, number(shown["total_tax"]) + number(shown["total_tax2"])) == (truth.net, truth.tax)
        assert (shown["customer_id"], number(shown["document_number"])) == (
            truth.party_id,
            Decimal(truth.number),
        )
        if truth.kind == "invoice" and not (
            switches.refund == "marked_row" and switches.marked_row_in_total == "added"
        ):
            assert number(shown["total_transactions"]) == truth.net_paid + truth.paid_without_rows
        checked += 1
    assert checked > 10


@pytest.mark.parametrize("seed", range(0, len(TABLE), 3))
def test_accounts_are_shown_as_they_are(seed: int) -> None:
    caller = kept(TABLE[seed], seed)
    for truth in caller.shop.truth.parties.values():
        reply = caller.get(f"customers/{truth.id}.json")
        if reply.status == 200:
            shown = reply.json["customer"]
            assert (shown["name"], shown["office_email"]) == (
                truth.fields["name"],
                truth.fields["office_email"],
            )
        else:
            assert truth.deleted or truth.archived


def test_all_that_can_happen_happens() -> None:
    kinds = Counter(change.kind for change in kept(Switches(), 1, steps=1500).shop.truth.history)
    assert set(kinds) >= EVENT_KINDS


def test_each_kind_of_deed_can_be_switched_off() -> None:
    caller = Caller()
    keeper = Shopkeeper(caller.shop, weights={**dict.fromkeys(WEIGHTS, 0), "new_invoice": 1, "pay": 1})
    kinds = {change.kind for change in keeper.run(60)}
    assert kinds == {"customer.created", "invoice.created", "invoice.payment_applied"}
    with pytest.raises(ValueError, match="weight 'dance' is unknown"):
        Shopkeeper(caller.shop, weights={"dance": 1})


def test_the_same_seed_makes_the_same_shop() -> None:
    one, other = kept(Switches(), 5).shop, kept(Switches(), 5).shop
    assert one.truth.as_dict() == other.truth.as_dict()
    assert one.truth.history == other.truth.history
    assert kept(Switches(), 6).shop.truth.as_dict() != one.truth.as_dict()


def test_switches_change_the_look_and_not_the_story() -> None:
    """The history of a shop without refunds is the same under any look of records."""
    looks = ("numbers", "rows_shape", "empty_object", "row_lines", "status_case", "payment_moves_modified")
    stories = [
        [(change.kind, change.record_id, change.amount) for change in kept(row, 3).shop.truth.history]
        for row in all_pairs(looks)
    ]
    assert all(story == stories[0] for story in stories)


def test_money_is_kept_before_and_after_refunds(stage: Stage) -> None:
    invoice = stage.invoice()
    payment = acts.pay(stage.shop, invoice, TOTAL)
    acts.refund(stage.shop, invoice, payment, "11.68")
    truth = stage.shop.truth.documents[invoice]
    assert (truth.total, truth.paid, truth.refunded, truth.net_paid) == (
        Decimal("211.68"),
        Decimal("211.68"),
        Decimal("11.68"),
        Decimal(200),
    )
    acts.reset(stage.shop, invoice)
    assert {truth.paid, truth.refunded, truth.net_paid} == {Decimal(0)}


def test_history_tells_events_from_what_is_none(stage: Stage) -> None:
    """§11: "`modified` moved alone: nothing"; "none of these is an edit"."""
    invoice = stage.invoice()
    acts.edit_document(stage.shop, invoice)
    acts.edit_party(stage.shop, stage.customer, vat_number="1")
    acts.send_document(stage.shop, invoice)
    acts.archive(stage.shop, invoice)
    kinds = [(change.kind, change.is_event) for change in stage.shop.truth.changes(since=3)]
    assert kinds == [
        ("invoice.saved_unchanged", False),
        ("customer.unnamed_field_edited", False),
        ("invoice.sent", False),
        ("invoice.archived", False),
    ]
    assert len(stage.shop.truth.changes(events_only=True)) == 3


def test_a_correction_is_a_payment_told_once_more(stage: Stage) -> None:
    """§11 payment_applied: "a known row with another amount, day or reference … the same transaction id"."""
    invoice = stage.invoice()
    payment = acts.pay(stage.shop, invoice, "50")
    acts.correct_payment(stage.shop, invoice, payment, amount="40", transaction_date="2026-03-01")
    change = stage.shop.truth.history[-1]
    assert (change.kind, change.transaction_id, change.amount) == (
        "invoice.payment_applied",
        payment,
        Decimal(40),
    )
    assert change.fields == ("amount", "day")
    (row,) = stage.detail(invoice)["transactions"]
    assert (row["id"], row["amount"], row["transaction_date"]) == (payment, 40, "2026-03-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("act", "arguments", "text"),
    [
        (acts.pay, ("0",), "above zero"),
        (acts.pay, ("300",), "more than is due"),
        (acts.pay, ("much",), "enter a number"),
        (acts.refund, ("nobody",), "no payment nobody"),
        (acts.reset, (), "no payment to return"),
        (acts.receive, (), "Only purchase orders"),
    ],
)
def test_what_salesbinder_refuses(stage: Stage, act: Any, arguments: tuple[str, ...], text: str) -> None:
    invoice = stage.invoice()
    before = (len(stage.shop.truth.history), stage.detail(invoice))
    with pytest.raises(acts.Refused, match=text):
        act(stage.shop, invoice, *arguments)
    assert (len(stage.shop.truth.history), stage.detail(invoice)) == before


def test_truth_is_plain_json(stage: Stage) -> None:
    stage.invoice()
    assert json.dumps(stage.shop.truth.as_dict(), default=str)
    assert stage.world.limiter.minute == NO_LIMIT
