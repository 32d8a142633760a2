"""Elements put together into calls."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from sinks.xero import calls
from sinks.xero.calls import MAX_BODY, QueuedElement, first_batch, make_call
from sinks.xero.elements import Element, StepKey, encode_body


def batches(parts: Sequence[QueuedElement]) -> list[list[QueuedElement]]:
    """The calls in which all of these go out, one after the other."""
    cut, more = first_batch(parts)
    assert more is (len(cut) < len(parts))
    return [cut, *batches(parts[len(cut) :])] if more else [cut]


def _payment(invoice: str, transaction: str) -> QueuedElement:
    body = {"Invoice": {"InvoiceID": invoice}, "Amount": Decimal("0.10")}
    return QueuedElement(
        Element("payments.create", "payment", StepKey("payment", invoice, transaction), body), ["c"]
    )


def _invoice(number: int, text: str = "") -> QueuedElement:
    body = {"InvoiceNumber": str(number), "Reference": text}
    return QueuedElement(Element("invoices.create", "invoice", StepKey("invoice", str(number)), body), ["c"])


def test_at_most_fifty_elements_a_call() -> None:
    assert [len(cut) for cut in batches([_invoice(n) for n in range(120)])] == [50, 50, 20]


def test_what_goes_out_later_is_not_measured_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def encode(body: Any) -> bytes:
        measured.append(body)
        return encode_body(body)

    monkeypatch.setattr(calls, "encode_body", encode)
    first_batch([_invoice(n) for n in range(600)])
    assert len(measured) == 51


def test_at_most_three_megabytes_a_call() -> None:
    cut = batches([_invoice(n, "x" * 1_000_000) for n in range(4)])
    assert [len(part) for part in cut] == [2, 2]
    assert all(len(make_call(parts).request.body or b"") <= MAX_BODY for parts in cut)


def test_two_payments_of_one_invoice_never_share_a_call() -> None:
    cut = batches([_payment("a", "1"), _payment("b", "2"), _payment("a", "3")])
    assert [[p.element.target.transaction_id for p in parts] for parts in cut] == [["1", "2"], ["3"]]


def test_two_documents_of_one_number_never_share_a_call() -> None:
    one, two = (
        QueuedElement(
            Element("invoices.create", "invoice", StepKey("invoice", each), {"InvoiceNumber": number}), ["c"]
        )
        for each, number in (("a", "inv-1"), ("b", "INV-1"))
    )
    assert batches([one, _invoice(2), two]) == [[one, _invoice(2)], [two]]


def test_two_records_of_one_contact_never_share_a_call() -> None:
    parts = [
        QueuedElement(
            Element("contacts.update", "contact", StepKey("contact", f"{side}/1"), {"ContactID": "x"}), ["c"]
        )
        for side in ("customer", "supplier")
    ]
    assert [len(cut) for cut in batches(parts)] == [1, 1]


def test_two_contacts_of_one_name_never_share_a_call() -> None:
    one, two = (
        QueuedElement(Element("contacts.create", "contact", StepKey("contact", each), {"Name": name}), ["c"])
        for each, name in (("customer/1", "Café  Noir"), ("supplier/7", "cafe noir "))
    )
    assert batches([one, _invoice(2), two]) == [[one, _invoice(2)], [two]]


def test_a_batch_that_was_refused_as_a_whole_is_halved() -> None:
    parts = [_invoice(n) for n in range(10)]
    for part in parts:
        part.limit = 5
    assert [len(cut) for cut in batches(parts)] == [5, 5]


def test_amounts_go_out_digit_for_digit() -> None:
    call = make_call([_payment("a", "1")])
    assert call.request.body is not None
    assert b'"Amount":0.10' in call.request.body
    assert json.loads(call.request.body)["Payments"][0]["Invoice"] == {"InvoiceID": "a"}
    assert call.request.query == {"summarizeErrors": "false"}


def test_every_call_that_changes_something_has_a_key_of_its_own() -> None:
    keys = {make_call([_invoice(1)]).request.idempotency_key for _ in range(3)}
    assert len(keys) == 3
    assert None not in keys


def test_invoices_are_read_one_by_path_and_several_by_ids() -> None:
    parts = [
        QueuedElement(
            Element("invoices.read", "read invoice", StepKey("invoice", n), xero_id=f"id-{n}"), ["c"]
        )
        for n in "ab"
    ]
    assert make_call(parts[:1]).request.path == "/Invoices/id-a"
    several = make_call(parts).request
    assert (several.path, several.query["IDs"], several.body) == ("/Invoices", "id-a,id-b", None)


def _order(number: str, day: str) -> QueuedElement:
    element = Element(
        "orders.find",
        "look up order",
        StepKey("purchase_order", number),
        xero_id=number,
        query={"DateFrom": day},
        wanted=number,
    )
    return QueuedElement(element, ["c"])


def test_orders_are_read_one_by_path_and_several_by_their_days() -> None:
    parts = [_order("A/1", "2026-03-05"), _order("2", "2026-03-02"), _order("3", "2026-03-04")]
    single = make_call(parts[:1]).request
    assert (single.path, single.query) == ("/PurchaseOrders/A%2F1", {})
    several = make_call(parts).request
    assert several.path == "/PurchaseOrders"
    assert (several.query["DateFrom"], several.query["DateTo"]) == ("2026-03-02", "2026-03-05")


def test_bills_are_looked_up_together_but_for_numbers_that_cannot_stand_in_a_list() -> None:
    queries = [{"InvoiceNumbers": "1"}, {"where": 'InvoiceNumber=="2,3"'}, {"InvoiceNumbers": "4"}]
    parts = [
        QueuedElement(
            Element("bills.find", "look up bill", StepKey("bill", str(n)), query=query, wanted=f"{n}"), ["c"]
        )
        for n, query in enumerate(queries)
    ]
    assert [len(cut) for cut in batches(parts)] == [1, 1, 1]
    [together] = batches([parts[0], parts[2]])
    query = make_call(together).request.query
    assert query == {"page": "1", "pageSize": "1000", "InvoiceNumbers": "0,2"}
