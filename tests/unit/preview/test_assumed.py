"""The assumed Xero: holds what is linked and what it is sent, and refuses what Xero surely refuses."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sinks.preview.assumed import AssumedXero
from sinks.preview.scratch import on_copy
from sinks.xero.elements import Element, Kind, Link, StepKey
from sinks.xero.routes import RouteName

TODAY = date(2026, 3, 2)
LINE = {
    "Quantity": Decimal(2),
    "UnitAmount": Decimal("10.00"),
    "DiscountRate": 10,
    "TaxAmount": Decimal("1.44"),
}
CONTACT = Link(StepKey("contact", "customer/c1"), "x-contact", "Bolt & Co")
INVOICE = Link(
    StepKey("invoice", "d1"),
    "x-invoice",
    "7",
    facts={"status": "AUTHORISED", "total": "19.44", "party": "customer/c1", "lines": [["l1", "x-line"]]},
)
PAYMENT = Link(
    StepKey("payment", "d1", "t1"),
    "x-payment",
    "7",
    facts={"amount": "9.44", "date": "2026-03-01", "reference": "Cash #t1"},
)


def xero(*links: Link) -> AssumedXero:
    return AssumedXero(links or (CONTACT, INVOICE, PAYMENT), {"d1": {"LineItems": [LINE]}}, TODAY)


def element(route: RouteName, kind: Kind, body: dict[str, Any] | None = None, **more: Any) -> Element:
    return Element(route, "invoice", StepKey(kind, "r"), body, **more)


def test_what_is_linked_stands_as_it_was_sent() -> None:
    [invoice] = xero().answer(element("invoices.read", "invoice", xero_id="x-invoice")).found
    assert (invoice["InvoiceNumber"], invoice["Status"], invoice["Contact"]) == (
        "7",
        "AUTHORISED",
        {"ContactID": "x-contact"},
    )
    assert (invoice["AmountPaid"], invoice["AmountDue"]) == (Decimal("9.44"), Decimal("10.00"))
    assert [p["PaymentID"] for p in invoice["Payments"]] == ["x-payment"]
    [line] = invoice["LineItems"]
    assert (line["LineItemID"], line["LineAmount"]) == ("x-line", Decimal("18.00"))


def test_what_was_removed_is_not_there() -> None:
    gone = Link(INVOICE.target, INVOICE.xero_id, "7", removed=True, facts=INVOICE.facts)
    answer = xero(gone).answer(element("invoices.read", "invoice", xero_id="x-invoice"))
    assert (answer.verdict, answer.found) == ("ok", ())


def test_a_paid_invoice_is_paid_until_its_payment_is_taken_off() -> None:
    books = xero()
    body = {"Amount": Decimal("10.00"), "Reference": "Cash #t2", "Invoice": {"InvoiceID": "x-invoice"}}
    [payment] = books.answer(element("payments.create", "payment", body)).found
    assert payment["PaymentID"] == "(new payment #t2)"
    read = element("invoices.read", "invoice", xero_id="x-invoice")
    assert books.answer(read).found[0]["Status"] == "PAID"
    books.answer(element("payments.remove", "payment", {"Status": "DELETED"}, xero_id="x-payment"))
    [invoice] = books.answer(read).found
    assert (invoice["Status"], invoice["AmountDue"]) == ("AUTHORISED", Decimal("9.44"))


REFUSED = [
    (element("contacts.create", "contact", {"Name": "bolt & co"}), "contact_name_taken"),
    (element("contacts.update", "contact", {"Name": "Bolt & Co"}, xero_id="x-else"), "contact_name_taken"),
    (element("invoices.create", "invoice", {"InvoiceNumber": "7"}), "number_taken"),
    (
        element("payments.create", "payment", {"Amount": 10.01, "Invoice": {"InvoiceID": "x-invoice"}}),
        "exceeds_amount_due",
    ),
]


@pytest.mark.parametrize(("sent", "code"), REFUSED)
def test_what_xero_surely_refuses(sent: Element, code: str) -> None:
    answer = xero().answer(sent)
    assert (answer.verdict, answer.code) == ("refused", code)


ACCEPTED = [
    element("contacts.create", "contact", {"Name": "Nut & Co"}),
    element("contacts.update", "contact", {"Name": "Bolt & Co"}, xero_id="x-contact"),
    element("bills.create", "bill", {"InvoiceNumber": "7"}),
    element("orders.create", "purchase_order", {"PurchaseOrderNumber": "7"}),
]


@pytest.mark.parametrize("sent", ACCEPTED)
def test_what_xero_takes(sent: Element) -> None:
    assert xero().answer(sent).verdict == "ok"


def test_look_ups_find_what_is_known_and_nothing_else() -> None:
    books = xero()
    found = books.answer(element("contacts.find", "contact", wanted="BOLT & CO")).found
    assert [one["ContactID"] for one in found] == ["x-contact"]
    assert books.answer(element("contacts.find", "contact", wanted="Bolt")).found == ()
    number = element("contacts.find_number", "contact", wanted="c1")
    assert [one["Name"] for one in books.answer(number).found] == ["Bolt & Co"]


def test_every_made_up_id_is_its_own() -> None:
    books = xero()
    sent = element("payments.create", "payment", {"Amount": 1, "Reference": "Cash #t"})
    made = [books.answer(sent).found[0]["PaymentID"] for _ in range(2)]
    assert made == ["(new payment #t)", "(new payment #t, 2)"]


def test_a_total_is_what_was_meant_or_what_the_lines_make() -> None:
    books = xero()
    meant = element(
        "invoices.create", "invoice", {"LineItems": [LINE]}, link_facts={"expected_total": Decimal(5)}
    )
    assert books.answer(meant).found[0]["Total"] == Decimal(5)
    [note] = books.answer(element("credit_notes.create", "credit_note", {"LineItems": [LINE]})).found
    assert (note["Total"], note["RemainingCredit"]) == (Decimal("19.44"), Decimal("19.44"))


def test_statements_are_turned_to_the_copy() -> None:
    statement = (
        "UPDATE ledger.links l SET seq = l.seq FROM connections.accounts a WHERE l.account = a.account"
    )
    assert on_copy(statement) == (
        "UPDATE pg_temp.ledger_links l SET seq = l.seq FROM pg_temp.connections_accounts a "
        "WHERE l.account = a.account"
    )
