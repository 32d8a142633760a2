"""The comparison of both books finds what differs, and takes only what the log explains."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sandbox.shop import Figures, Money, Refusal, ShopContact, ShopDay, ShopInvoice, ShopOrder
from sbx.cli.demo.comparison import compare

DAY = date(2026, 3, 2)
BOLT = ShopContact("customer", [{"id": "c-1", "name": "Bolt", "office_phone": "604", "billing_city": "Bonn"}])
NUT = ShopContact("supplier", [{"id": "s-1", "name": "Nut"}])
PAYMENT = Money("aaaaaaaa-1", Decimal("10.80"), DAY, "Cash", "091")
REFUND = Money("bbbbbbbb-1", Decimal("5.40"), DAY, "Cheque", "090")


def figures(**more: Any) -> Figures:
    return Figures(Decimal("10.80"), Decimal("0.80"), **more)


def the_day(**more: Any) -> ShopDay:
    """An invoice that is paid and half refunded, and an order that is received."""
    sold = figures(payments=[PAYMENT], refunds=[REFUND])
    invoice = ShopInvoice("i-1", 1, BOLT, "Refunded", figures=sold, held=sold, texts={"Hammer"})
    bought = figures()
    order = ShopOrder(
        "o-1", 7, NUT, "Received", figures=bought, held=bought, status="received", received_on=DAY
    )
    opened = datetime(2026, 3, 2, tzinfo=UTC)
    return replace(ShopDay("acme", opened, [{"id": "1"}], [invoice], [order], [BOLT, NUT], 0), **more)


def payment(money: Money) -> dict[str, Any]:
    return {
        "reference": f"{money.reference} #{money.id[:8]}",
        "amount": str(money.amount),
        "date": money.day.isoformat(),
        "account_code": money.account,
    }


def document(
    number: str, status: str, name: str, total: str = "10.80", tax: str = "0.80", **more: Any
) -> Any:
    return {
        "number": number,
        "status": status,
        "contact_name": name,
        "currency": "USD",
        "total": total,
        "total_tax": tax,
        "amount_due": "0.00",
        "lines": [{"description": "Hammer\nSKU: H"}],
        "payments": [],
        "date": "2026-03-02",
        "due_date": "2026-04-01",
        **more,
    }


def contact(name: str, number: str, **more: Any) -> dict[str, Any]:
    held = {"name": name, "contact_number": number, "status": "ACTIVE", "email": "", "phones": {}}
    return {**held, "addresses": {}, **more}


def the_books() -> dict[str, Any]:
    return {
        "invoices": [
            document("1", "PAID", "Bolt", type="ACCREC", payments=[payment(PAYMENT)]),
            document("7", "AUTHORISED", "Nut", type="ACCPAY"),
        ],
        "credit_notes": [document("1-bbbbbbbb", "PAID", "Bolt", "5.40", "0.40", payments=[payment(REFUND)])],
        "purchase_orders": [document("7", "BILLED", "Nut")],
        "contacts": [
            contact(
                "Bolt",
                "c-1",
                phones={"DEFAULT": {"PhoneNumber": "604"}},
                addresses={"POBOX": {"City": "Bonn"}},
            ),
            contact("Nut", "s-1"),
        ],
    }


def entry(state: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "entity": "invoice",
        "action": "created",
        "state": state,
        "record_id": "i-1",
        "record_number": "1",
        "reason_code": None,
        "reason": "",
        "triggered_by": "event",
        **more,
    }


def surprises(books: dict[str, Any], day: ShopDay | None = None, *entries: dict[str, Any]) -> list[str]:
    return list(compare(day or the_day(), entries or [entry()], books, unreadable=0).surprises)


def test_equal_books_agree() -> None:
    result = compare(the_day(), [entry()], the_books(), unreadable=0)
    assert result.agreed, result.surprises
    assert all(one.agrees for one in (*result.invoices, *result.orders))


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        ("invoices", "total", "10.81", "invoice 1: total 10.81 instead of 10.80"),
        ("invoices", "total_tax", "0.84", "invoice 1: tax 0.84 instead of 0.80"),
        ("invoices", "status", "AUTHORISED", "invoice 1: is AUTHORISED instead of PAID"),
        ("invoices", "amount_due", "0.01", "invoice 1: due 0.01 instead of 0.00"),
        ("invoices", "currency", "EUR", "invoice 1: currency EUR instead of USD"),
        ("invoices", "contact_name", "Nut", "invoice 1: contact Nut instead of Bolt"),
        ("invoices", "lines", [{"description": "Saw"}], "invoice 1: no line says 'Hammer'"),
        ("invoices", "number", "2", "invoice 1: not in Xero"),
        ("credit_notes", "total", "5.41", "invoice 1: credit note 1-bbbbbbbb: total 5.41 instead of 5.40"),
        ("credit_notes", "total_tax", "0.80", "invoice 1: credit note 1-bbbbbbbb: tax 0.80 instead of 0.40"),
        ("credit_notes", "status", "VOIDED", "invoice 1: lacks credit note 1-bbbbbbbb of 5.40"),
        ("credit_notes", "number", "1-cccccccc", "invoice 1: has credit note 1-cccccccc"),
        ("credit_notes", "date", "2026-03-01", "1-bbbbbbbb: date 2026-03-01 instead of 2026-03-02"),
        ("credit_notes", "payments", [], "5.40 of 2026-03-02 on 090 (Cheque #bbbbbbbb)"),
        ("purchase_orders", "status", "AUTHORISED", "purchase order 7: is AUTHORISED instead of BILLED"),
        ("purchase_orders", "total", "9.00", "purchase order 7: total 9.00 instead of 10.80"),
        ("contacts", "name", "Boltt", "contact 'Bolt': not in Xero"),
        ("contacts", "contact_number", "x", "contact 'Bolt': contact number x"),
        ("contacts", "email", "a@b.example", "contact 'Bolt': e-mail 'a@b.example' instead of ''"),
        ("contacts", "addresses", {}, "contact 'Bolt': billing city '' instead of 'Bonn'"),
    ],
)
def test_what_differs_is_named(kind: str, field: str, value: Any, said: str) -> None:
    books = the_books()
    books[kind][0][field] = value
    assert any(said in one for one in surprises(books)), surprises(books)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "10.79"),
        ("date", "2026-03-03"),
        ("account_code", "090"),
        ("reference", "Cash #cccccccc"),
    ],
)
def test_a_payment_has_mark_amount_date_and_account(field: str, value: str) -> None:
    books = the_books()
    books["invoices"][0]["payments"][0][field] = value
    lacks, has = surprises(books)
    assert lacks == "invoice 1: lacks payment 10.80 of 2026-03-02 on 091 (Cash #aaaaaaaa)"
    assert has.startswith("invoice 1: has payment") and value in has


def test_a_payment_made_twice_is_found() -> None:
    books = the_books()
    books["invoices"][0]["payments"] *= 2
    assert surprises(books) == ["invoice 1: 2 payments instead of 1"]


@pytest.mark.parametrize(
    ("field", "value"), [("total", "1.00"), ("date", "2026-03-01"), ("due_date", "2026-03-09")]
)
def test_a_bill_has_the_orders_lines_and_the_day_of_receipt(field: str, value: str) -> None:
    books = the_books()
    books["invoices"][1][field] = value
    (said,) = surprises(books)
    assert said.startswith("purchase order 7: bill: ") and value in said


def test_one_bill_a_receipt_and_none_without() -> None:
    books = the_books()
    books["invoices"].append(books["invoices"][1])
    assert surprises(books) == ["purchase order 7: 2 bills instead of 1"]
    del books["invoices"][1:]
    assert surprises(books) == ["purchase order 7: 0 bills instead of 1"]


def test_what_was_removed_must_not_stand() -> None:
    day = the_day()
    day.invoices[0] = replace(day.invoices[0], status="cancelled", held=None)
    day.orders[0] = replace(day.orders[0], status="deleted", held=None)
    assert surprises(the_books(), day) == [
        "invoice 1: is PAID in Xero",
        "invoice 1: payment of 10.80 stands",
        "invoice 1: credit note 1-bbbbbbbb stands",
        "purchase order 7: is BILLED in Xero",
        "purchase order 7: has a bill",
    ]
    gone = {**the_books(), "invoices": [], "credit_notes": [], "purchase_orders": []}
    assert surprises(gone, day) == []


def test_what_is_wrong_on_purpose_is_explained_only_by_its_own_entry() -> None:
    day = the_day()
    day.invoices[0] = replace(
        day.invoices[0], held=None, refusals=[Refusal("i-1", "created", "tax_rate_unmapped")]
    )
    books = the_books()
    del books["invoices"][0], books["credit_notes"][:]
    result = compare(day, [entry("failed", reason_code="tax_rate_unmapped")], books, unreadable=0)
    assert result.agreed, result.surprises
    assert result.invoices[0].explained and not result.invoices[0].agrees
    assert surprises(books, day, entry("failed", reason_code="our_error", reason="a bug")) == [
        "invoice 1: the log has no failed 'created' entry with tax_rate_unmapped",
        "invoice 1 created failed: a bug",
    ]


def test_a_contact_of_two_takes_each_field_from_either() -> None:
    day, books = the_day(), the_books()
    supplier = ShopContact("supplier", [{"id": "s-2", "name": "Bolt", "office_email": "a@b.example"}])
    both = replace(day, contacts=[*day.contacts, supplier])
    assert surprises(books, both) == ["contact 'Bolt': e-mail '' instead of 'a@b.example'"]
    books["contacts"][0]["email"] = "a@b.example"
    assert surprises(books, both) == []


def test_entries_that_are_open_or_too_many_and_what_only_xero_has_are_surprises() -> None:
    books = deepcopy(the_books())
    books["invoices"] += [
        document("3", "PAID", "Bolt", type="ACCREC"),
        document("8", "PAID", "X", type="ACCPAY"),
    ]
    books["contacts"] += [contact("Bolt", "c-1"), contact("Saw", "c-9")]
    assert surprises(books, None, entry(), entry("running")) == [
        "contact 'Bolt': is in Xero 2 times",
        "the log has 2 entries for 1 events",
        "1 entries are still open",
        "Xero has the invoice 3 that SalesBinder does not have",
        "Xero has the bill 8 that SalesBinder does not have",
        "Xero has the contact Saw that SalesBinder does not have",
    ]
