"""Facts about what each action leaves behind (reference §6, §7)."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.fake_salesbinder import acts

from .conftest import TOTAL, Stage


def money(stage: Stage, invoice: str) -> tuple[list[float], float, str]:
    """Return the rows' amounts, `total_transactions` and the status."""
    shown = stage.detail(invoice)
    amounts = [row["amount"] for row in shown["transactions"]]
    return amounts, shown["total_transactions"], shown["status"]["name"]


def test_created_equals_modified(stage: Stage) -> None:
    """§7 created."""
    shown = stage.detail(stage.invoice())
    assert shown["created"] == shown["modified"]


def test_an_edit_moves_modified_and_totals(stage: Stage) -> None:
    """§7 edited."""
    invoice = stage.invoice()
    line = acts.as_input(stage.shop.document(invoice).lines[0]) | {"quantity": 3}
    assert stage.moved(invoice, acts.edit_document, lines=[line])
    assert stage.detail(invoice)["total_price"] == 294


@pytest.mark.parametrize(("setting", "kept"), [("kept", True), ("replaced", False)])
def test_ids_of_lines_after_an_edit_are_a_switch(setting: str, kept: bool) -> None:
    """§7 edited: "lines keep ids or are replaced ([U] which)"; §14 (10)."""
    stage = Stage(line_ids_on_edit=setting)
    invoice = stage.invoice()
    before = stage.detail(invoice)["document_items"][0]["id"]
    acts.edit_document(stage.shop, invoice, lines=[acts.as_input(stage.shop.document(invoice).lines[0])])
    assert (stage.detail(invoice)["document_items"][0]["id"] == before) == kept


def test_a_payment_is_a_row_and_moves_total_and_status(stage: Stage) -> None:
    """§7 payment; §6: partially paid, paid in full."""
    invoice = stage.invoice()
    assert money(stage, invoice) == ([], 0, "unpaid")
    acts.pay(stage.shop, invoice, "100")
    assert money(stage, invoice) == ([100], 100, "partially paid")
    acts.pay(stage.shop, invoice, "111.68")
    assert money(stage, invoice) == ([100, 111.68], 211.68, "paid in full")


@pytest.mark.parametrize(
    ("setting", "part", "whole"),
    [
        ("negative_row", ([100, -40], 60, "partially paid"), ([100, -40, -60], 0, "unpaid")),
        ("row_shrinks", ([60], 60, "partially paid"), ([], 0, "unpaid")),
        ("marked_row", ([100, 40], 60, "partially paid"), ([100, 40, 60], 0, "unpaid")),
    ],
)
def test_refunds_are_a_switch(setting: str, part: Any, whole: Any) -> None:
    """§7 refund: a negative row; the row vanishes; its amount shrinks; a marked positive row. §14 (2)."""
    stage = Stage(refund=setting)
    invoice = stage.invoice()
    payment = acts.pay(stage.shop, invoice, "100")
    acts.refund(stage.shop, invoice, payment, "40")
    assert money(stage, invoice) == part
    acts.refund(stage.shop, invoice, payment)
    assert money(stage, invoice) == whole


def test_a_row_may_vanish_and_others_stay() -> None:
    """§7 refund, vanishes 20 %; §11 refund_applied: "a known row gone while others stay"."""
    stage = Stage(refund="row_vanishes")
    invoice = stage.invoice()
    payment, _ = acts.pay(stage.shop, invoice, "100"), acts.pay(stage.shop, invoice, "10")
    with pytest.raises(acts.Refused, match="in full"):
        acts.refund(stage.shop, invoice, payment, "40")
    acts.refund(stage.shop, invoice, payment)
    assert money(stage, invoice) == ([10], 10, "partially paid")


@pytest.mark.parametrize(
    ("mark", "field", "value"),
    [
        ("type", "transaction_type", "refund"),
        ("flag", "is_refund", True),
        ("reference", "reference", "Refund Cash"),
    ],
)
def test_the_mark_of_a_refund_is_a_switch(mark: str, field: str, value: Any) -> None:
    """§7: "a marked positive row"; §12.16."""
    stage = Stage(refund="marked_row", refund_mark=mark)
    invoice = stage.invoice()
    acts.refund(stage.shop, invoice, acts.pay(stage.shop, invoice, "100", reference="Cash"), "40")
    payment, refund = stage.detail(invoice)["transactions"]
    assert (refund.get(field), payment.get(field) == value) == (value, False)


def test_a_marked_row_may_be_summed_up_like_a_payment() -> None:
    """§11 payment_applied, ambiguous: "row marked otherwise"."""
    stage = Stage(refund="marked_row", marked_row_in_total="added")
    invoice = stage.invoice()
    acts.refund(stage.shop, invoice, acts.pay(stage.shop, invoice, "100"), "40")
    assert money(stage, invoice) == ([100, 40], 140, "partially paid")


@pytest.mark.parametrize(
    ("setting", "amounts"),
    [
        ("rows_vanish", []),
        ("negative_row_each", [100, -40, 20, -60, -20]),
        ("one_negative_row", [100, -40, 20, -80]),
    ],
)
def test_a_reset_is_a_switch(setting: str, amounts: list[float]) -> None:
    """§7 reset: "returns all payments at once … `total_transactions` 0, `unpaid`"."""
    stage = Stage(reset=setting)
    invoice = stage.invoice()
    acts.refund(stage.shop, invoice, acts.pay(stage.shop, invoice, "100"), "40")
    acts.pay(stage.shop, invoice, "20")
    acts.reset(stage.shop, invoice)
    assert money(stage, invoice) == (amounts, 0, "unpaid")


@pytest.mark.parametrize("reset", ["rows_vanish", "negative_row_each", "one_negative_row"])
@pytest.mark.parametrize("refund", ["negative_row", "row_vanishes", "row_shrinks", "marked_row"])
@pytest.mark.parametrize("total", ["subtracted", "added"])
def test_a_reset_brings_every_representation_to_0(reset: str, refund: str, total: str) -> None:
    """§7 reset: the state, 90 %; also the second time, and with a payment after the first."""
    stage = Stage(reset=reset, refund=refund, marked_row_in_total=total)
    invoice = stage.invoice()
    for _ in range(2):
        first = acts.pay(stage.shop, invoice, "100")
        acts.pay(stage.shop, invoice, "20")
        acts.refund(stage.shop, invoice, first)
        acts.reset(stage.shop, invoice)
        assert money(stage, invoice)[1:] == (0, "unpaid")


def test_cancelled_is_status_15(stage: Stage) -> None:
    """§0, §6: cancelled = status 15, unpaid = 9."""
    invoice = stage.invoice()
    assert stage.detail(invoice)["status"] == {"id": 9, "name": "unpaid"}
    acts.cancel_document(stage.shop, invoice)
    shown = stage.detail(invoice)
    assert (shown["status"], shown["status_id"]) == ({"id": 15, "name": "cancelled"}, 15)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"cancelled_spelling": "canceled"}, "canceled"),
        ({"status_case": "title"}, "Cancelled"),
        ({"status_case": "title", "cancelled_spelling": "canceled"}, "Canceled"),
    ],
)
def test_spelling_is_a_switch(given: dict[str, str], name: str) -> None:
    """§6: "match by name, without case, tolerate one or two l in cancelled"."""
    stage = Stage(**given)
    invoice = stage.invoice()
    acts.cancel_document(stage.shop, invoice)
    assert stage.detail(invoice)["status"]["name"] == name


def test_only_two_ids_are_certain() -> None:
    """§6: ids of partially paid and paid in full [U]; §12.23."""
    found = []
    for setting in ("low", "high"):
        stage = Stage(status_ids=setting)
        invoice, other = stage.invoice(), stage.invoice()
        acts.pay(stage.shop, invoice, "1"), acts.pay(stage.shop, other, TOTAL)
        found.append({stage.detail(document)["status_id"] for document in (invoice, other)})
    assert len(found[0] | found[1]) == 4
    assert (found[0] | found[1]).isdisjoint({9, 15})


def test_unproven_statuses_come_at_times() -> None:
    """§6: Import B's list of open, sent, viewed, overdue …"""
    stage = Stage(unproven_statuses="shown")
    names = {stage.detail(stage.invoice())["status"]["name"] for _ in range(30)}
    assert "unpaid" in names
    assert names & {"sent", "viewed", "overdue"}


# Orders


def test_an_order_sent_has_a_date_and_a_status(stage: Stage) -> None:
    """§7 order sent."""
    order = stage.order()
    assert (stage.detail(order)["status"]["name"], stage.detail(order)["date_sent"]) == ("Not Sent", None)
    acts.send_document(stage.shop, order)
    assert stage.detail(order)["status"]["name"] == "sent"
    assert stage.detail(order)["date_sent"] == "2026-03-02T09:00:00+00:00"


def received(stage: Stage, order: str) -> tuple[str, list[float]]:
    shown = stage.detail(order)
    return shown["status"]["name"], [line["quantity_partially_received"] for line in shown["document_items"]]


@pytest.mark.parametrize(
    ("setting", "partly", "full"),
    [
        ("status_and_lines", ("partially received", [6, 0]), ("received", [10, 4])),
        ("status_only", ("partially received", [6, 0]), ("received", [0, 0])),
        ("lines_only", ("sent", [6, 0]), ("sent", [10, 4])),
    ],
)
def test_receipts_are_a_switch(setting: str, partly: Any, full: Any) -> None:
    """§7 received in part, in full: "all lines full, or status `received`, or both"."""
    stage = Stage(receipt=setting)
    order = stage.order()
    acts.send_document(stage.shop, order)
    acts.receive(stage.shop, order, {stage.shop.document(order).lines[0].id: 6})
    assert received(stage, order) == partly
    acts.receive(stage.shop, order)
    assert received(stage, order) == full


def test_the_name_of_received_is_a_switch() -> None:
    """§6: guessed names."""
    stage = Stage(received_status_name="received_in_full")
    order = stage.order()
    acts.receive(stage.shop, order)
    assert stage.detail(order)["status"]["name"] == "received in full"


def test_an_edit_down_to_what_has_come_in_is_a_receipt(stage: Stage) -> None:
    """§11 order received: "an edit down to what has come in … full by an edit: received"."""
    order = stage.order()
    first = stage.shop.document(order).lines[0]
    acts.receive(stage.shop, order, {first.id: 6})
    acts.edit_document(stage.shop, order, lines=[acts.as_input(first) | {"quantity": 6}])
    assert stage.detail(order)["status"]["name"] == "received"
    assert [change.kind for change in stage.shop.truth.history[-2:]] == [
        "purchase_order.edited",
        "purchase_order.received",
    ]


def test_parts_that_add_up_are_a_receipt_in_full(stage: Stage) -> None:
    """§7 received in part: the quantity grows; §11: "every line received ≥ quantity"."""
    order = stage.order()
    first, second = (line.id for line in stage.shop.document(order).lines)
    for quantities in ({first: 6}, {first: 4}, {second: 4}):
        assert not stage.shop.truth.documents[order].received
        acts.receive(stage.shop, order, quantities)
    assert received(stage, order) == ("received", [10, 4])
    assert stage.shop.truth.history[-1].kind == "purchase_order.received"


@pytest.mark.parametrize(("state", "name"), [("closed", "closed"), ("cancelled", "cancelled")])
def test_an_order_may_be_closed_and_no_event_is_made_of_it(stage: Stage, state: str, name: str) -> None:
    """§6 orders: "cancelled, closed: [U]"."""
    order = stage.order()
    acts.close_order(stage.shop, order, state)
    assert stage.detail(order)["status"]["name"] == name
    assert not stage.shop.truth.history[-1].is_event
    with pytest.raises(acts.Refused, match=state):
        acts.receive(stage.shop, order)


# What moves `modified`


def _pay(shop: Any, invoice: str) -> None:
    acts.pay(shop, invoice, "1")


def _refund(shop: Any, invoice: str) -> None:
    acts.refund(shop, invoice, next(iter(shop.truth.documents[invoice].payments)))


def _receive_part(shop: Any, order: str) -> None:
    acts.receive(shop, order, {shop.document(order).lines[0].id: 1})


MOVERS: dict[str, tuple[str, Callable[..., Any]]] = {
    "payment_moves_modified": ("invoice", _pay),
    "refund_moves_modified": ("paid", _refund),
    "reset_moves_modified": ("paid", acts.reset),
    "cancel_moves_modified": ("invoice", acts.cancel_document),
    "send_moves_modified": ("order", acts.send_document),
    "archive_moves_modified": ("invoice", acts.archive),
    "unarchive_moves_modified": ("archived", acts.unarchive),
    "partial_receipt_moves_modified": ("order", _receive_part),
    "receipt_moves_modified": ("order", acts.receive),
}


@pytest.mark.parametrize("setting", ["yes", "no"])
@pytest.mark.parametrize(("name", "what"), MOVERS.items())
def test_what_moves_modified_is_a_switch(
    name: str, what: tuple[str, Callable[..., Any]], setting: str
) -> None:
    """§0: 50 : 50; §14 (1)."""
    stage = Stage(**{name: setting})
    document = stage.order() if what[0] == "order" else stage.invoice()
    if what[0] == "paid":
        acts.pay(stage.shop, document, "100")
    elif what[0] == "archived":
        acts.archive(stage.shop, document)
    assert stage.moved(document, what[1]) == (setting == "yes")


def test_all_switches_of_modified_are_tried() -> None:
    from sandbox.fake_salesbinder import SWITCHES

    movers = {told.name for told in SWITCHES if told.name.endswith("_moves_modified")}
    assert movers - {"conversion_moves_modified"} == set(MOVERS)


@pytest.mark.parametrize(
    ("setting", "modified", "invoiced"),
    [("no", False, False), ("modified", True, False), ("last_invoiced", False, True), ("both", True, True)],
)
def test_what_an_invoice_does_to_its_customer_is_a_switch(
    setting: str, modified: bool, invoiced: bool
) -> None:
    """§7 invoice saved → customer (40 %); §14 (1)."""
    stage = Stage(invoice_touches_customer=setting)
    before = stage.account(stage.customer)
    stage.later()
    stage.invoice()
    after = stage.account(stage.customer)
    assert (after["modified"] != before["modified"], after["last_invoiced"] is not None) == (
        modified,
        invoiced,
    )


def test_a_customers_edit_may_move_its_documents() -> None:
    """§7 customer of a document edited: the document's `modified` stays (70 %)."""
    stage = Stage(customer_edit_moves_documents="yes")
    assert stage.moved(stage.invoice(), lambda shop, _: acts.edit_party(shop, stage.customer, name="New"))


# What becomes another thing


@pytest.mark.parametrize(("moves", "moved"), [("yes", True), ("no", False)])
def test_a_prospect_that_becomes_a_customer_keeps_its_id(moves: str, moved: bool) -> None:
    """§7 prospect → customer: "same id appears in context 2; `modified` probably moves" (60 %)."""
    stage = Stage(conversion_moves_modified=moves)
    prospect = acts.create_party(stage.shop, "prospect", name="Maybe")
    before = stage.account(prospect)["modified"]
    stage.later()
    assert acts.convert_prospect(stage.shop, prospect) == prospect
    after = stage.account(prospect)
    assert (after["context_id"], after["modified"] != before) == (2, moved)
    assert stage.rows("customers.json", contextId=8) == []


def test_a_prospect_may_become_a_new_customer() -> None:
    stage = Stage(converted_prospect="new_id")
    prospect = acts.create_party(stage.shop, "prospect", name="Maybe")
    customer = acts.convert_prospect(stage.shop, prospect)
    assert customer != prospect
    assert (stage.account(customer)["context_id"], stage.account(prospect)["context_id"]) == (2, 8)


@pytest.mark.parametrize(("setting", "same"), [("new_id", False), ("same_id", True)])
def test_an_estimate_that_becomes_an_invoice_is_a_switch(setting: str, same: bool) -> None:
    """§7 estimate → invoice: "a new invoice with an id of its own" (85 %)."""
    stage = Stage(converted_estimate=setting)
    estimate = acts.create_document(stage.shop, "estimate", stage.customer, [{"name": "A", "price": 5}])
    invoice = acts.convert_estimate(stage.shop, estimate)
    assert (invoice == estimate) == same
    shown = stage.detail(invoice)
    assert (shown["context_id"], shown["total_price"]) == (5, 5)
    assert shown["associated_document_id"] == (None if same else estimate)
    if not same:
        assert stage.detail(estimate)["status"]["name"] == "closed"  # §6: approved and converted
