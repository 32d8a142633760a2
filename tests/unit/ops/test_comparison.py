"""The comparison of both books finds what differs, and takes only what the log explains."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ops.comparison import Comparison, compare
from sandbox.shop import ShopDay, ShopInvoice


def entry(number: str, state: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "entity": "invoice",
        "action": "created",
        "state": state,
        "record_number": number,
        "reason_code": None,
        "reason": "",
        "triggered_by": "event",
        **more,
    }


def sale(number: str, total: str, paid: str = "0", status: str = "AUTHORISED") -> dict[str, Any]:
    return {"number": number, "type": "ACCREC", "total": total, "amount_paid": paid, "status": status}


def compared(invoice: ShopInvoice, entries: list[dict[str, Any]], sales: list[dict[str, Any]]) -> Comparison:
    day = ShopDay("acme", datetime(2026, 3, 2, tzinfo=UTC), [{"id": "1"}], [invoice], ["Bolt"])
    return compare(day, entries, {"invoices": sales, "contacts": [{"name": "Bolt"}]}, unreadable=0)


def test_equal_books_agree() -> None:
    invoice = ShopInvoice(1, "Bolt", Decimal("10.00"), paid=Decimal("10.00"))
    assert compared(invoice, [entry("1")], [sale("1", "10.00", "10.00", "PAID")]).agreed


def test_a_cent_is_a_difference() -> None:
    result = compared(ShopInvoice(1, "Bolt", Decimal("10.00")), [entry("1")], [sale("1", "10.01")])
    assert result.surprises == ["invoice 1: total 10.01 instead of 10.00"]


def test_a_missing_payment_is_a_difference() -> None:
    invoice = ShopInvoice(1, "Bolt", Decimal("10.00"), paid=Decimal("4.00"))
    assert compared(invoice, [entry("1")], [sale("1", "10.00")]).surprises == [
        "invoice 1: paid 0 instead of 4.00"
    ]


def test_a_cancelled_invoice_must_be_void() -> None:
    invoice = ShopInvoice(1, "Bolt", Decimal("10.00"), status="cancelled")
    assert compared(invoice, [entry("1")], [sale("1", "10.00", status="VOIDED")]).agreed
    assert not compared(invoice, [entry("1")], [sale("1", "10.00")]).agreed


def test_trouble_is_explained_only_by_its_own_entry() -> None:
    invoice = ShopInvoice(1, "Bolt", Decimal("10.00"), trouble="tax_rate_unmapped")
    explained = compared(invoice, [entry("1", "failed", reason_code="tax_rate_unmapped")], [])
    assert explained.agreed
    assert explained.invoices[0].explained
    other = compared(invoice, [entry("1", "failed", reason_code="our_error", reason="a bug")], [])
    assert other.surprises == ["invoice 1: not in Xero", "invoice 1 created failed: a bug"]


def test_entries_that_are_open_or_too_many_and_doubled_contacts_are_surprises() -> None:
    invoice = ShopInvoice(1, "Bolt", Decimal("10.00"))
    day = ShopDay("acme", datetime(2026, 3, 2, tzinfo=UTC), [{"id": "1"}], [invoice], ["Bolt", "Nut"])
    books = {"invoices": [sale("1", "10.00"), sale("2", "1")], "contacts": [{"name": "Bolt"}] * 2}
    result = compare(day, [entry("1"), entry("1", "running")], books, unreadable=0)
    assert result.surprises == [
        "the log has 2 entries for 1 events",
        "1 entries have not ended",
        "Xero has the contact 'Bolt' more than once",
        "Xero lacks the contact 'Nut'",
        "Xero has an invoice 2 that SalesBinder does not have",
    ]
