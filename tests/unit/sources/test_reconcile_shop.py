"""What a row of SalesBinder says, and what Xero's documents say, before both are compared."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from sinks.drift.books import kept_of
from sources.batch import Kept
from sources.diff.known import KnownDocument, KnownMoney, Stock
from sources.problems import Unreadable
from sources.reading import fingerprint
from sources.reconcile.shop import ShopDocument, read_shop_row
from sources.salesbinder.rows import read_row, row_rest
from tests.unit.sources.records import INVOICE, NOON, document, order, wire

FIFTY = Decimal("50.00")


def read(record: dict[str, Any], kept: Kept | None = None, entity: Any = "invoice") -> ShopDocument:
    row = {name: value for name, value in record.items() if name != "transactions"}
    return read_shop_row(wire(row), entity, kept)


def known(*amounts: str, stock: Stock | None = None) -> KnownDocument:
    money = {
        str(number): KnownMoney(
            kind="payment" if Decimal(amount) > 0 else "refund",
            amount=Decimal(amount),
            day=None,
            reference="",
            told_as=str(number),
        )
        for number, amount in enumerate(amounts)
    }
    return KnownDocument(
        entity="invoice",
        id=INVOICE,
        digest="d",
        header_fields=(),
        line_fields=None,
        modified=NOON,
        time=NOON,
        transactions=money,
        stock=stock,
    )


def test_a_row_has_all_but_paid_and_refunded_apart() -> None:
    found = read(document(total_transactions=50))
    assert (found.number, found.party, found.day) == ("5001", "Widgets & Co", date(2026, 3, 2))
    assert (found.net, found.tax, found.total) == (Decimal("196.00"), Decimal("15.68"), Decimal("211.68"))
    assert (found.balance, found.paid, found.refunded) == (FIFTY, None, None)
    assert found.created == datetime(2026, 3, 2, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amounts", "total", "expected"),
    [
        (("70", "-20"), 50, (Decimal("70.00"), Decimal("20.00"))),
        (("50",), "50.000000001", (FIFTY, Decimal("0.00"))),
        (("49.999",), 50, (FIFTY, Decimal("0.00"))),
        (("50",), 60, (None, None)),
        ((), 0, (Decimal("0.00"), Decimal("0.00"))),
        (("50", "-50"), 0, (FIFTY, FIFTY)),
    ],
)
def test_what_the_reader_holds_counts_if_it_comes_to_the_row(
    amounts: tuple[str, ...], total: Any, expected: tuple[Decimal | None, Decimal | None]
) -> None:
    found = read(document(total_transactions=total), Kept(known=known(*amounts)))
    assert (found.paid, found.refunded) == expected


def test_what_was_paid_before_stock_was_taken_is_not_known_apart() -> None:
    stock = Stock(mark="", lines="", total=FIFTY, at=NOON)
    found = read(document(total_transactions=50), Kept(known=known(stock=stock)))
    assert (found.paid, found.refunded) == (None, None)


def test_a_row_is_told_while_it_shows_what_the_detail_showed() -> None:
    record = document(total_transactions=50)
    row = read_row(wire(record), "invoice")
    rest = row_rest(row.lines, row.receipts)
    kept = Kept(known=known("50"), mark=row.mark, rest=rest)
    assert read(record, kept).is_told
    assert not read(document(total_transactions=60), kept).is_told
    assert not read(record).is_told
    bare = {name: value for name, value in record.items() if name != "transactions"}
    assert read(record, Kept(known=known("50"), fingerprint=fingerprint(wire(bare)))).is_told


@pytest.mark.parametrize(
    ("changes", "net"),
    [
        ({}, "50.00"),
        ({"total_cost": 0, "total_price": "60.5"}, "60.50"),
        ({"total_cost": None, "total_price": 60}, "60.00"),
        ({"total_cost": "much"}, None),
        ({"total_cost": 10**15}, None),
    ],
)
def test_an_order_costs_its_cost_or_its_price(changes: dict[str, Any], net: str | None) -> None:
    found = read(order(**changes), entity="purchase_order")
    assert found.net == (None if net is None else Decimal(net))
    assert (found.balance, found.paid) == (None, None)


def test_noise_of_floats_is_no_amount() -> None:
    assert read(document(total_price=980.5100000000001, total_tax=0.015)).tax == Decimal("0.02")
    assert read(document(total_price=980.5100000000001)).net == Decimal("980.51")


def test_the_name_that_was_saved_serves_where_a_row_has_no_customer() -> None:
    found = read(document(customer=[], cache__customer_name="Widgets"))
    assert found.party == "Widgets"


def test_a_row_of_something_else_is_none() -> None:
    with pytest.raises(Unreadable):
        read(document(context_id=11))


def xeros(**changes: Any) -> dict[str, Any]:
    return {
        "InvoiceID": "x1",
        "Type": "ACCREC",
        "InvoiceNumber": "5001",
        "Contact": {"ContactID": "k1", "Name": "Bolt"},
        "DateString": "2026-03-02T00:00:00",
        "Status": "PAID",
        "SubTotal": "100.00",
        "TotalTax": 8,
        "Total": 108.0,
        "AmountPaid": 58,
        "CurrencyCode": "NZD",
        "Url": "https://acme.salesbinder.com/documents/view/i1",
        **changes,
    }


def test_xeros_documents_are_kept_as_they_are_shown() -> None:
    found = kept_of("Invoices", xeros())
    assert found is not None
    assert (found["kind"], found["day"], found["total"], found["paid"]) == (
        "invoice",
        "2026-03-02",
        "108.00",
        "58.00",
    )
    bill = kept_of("Invoices", xeros(Type="ACCPAY"))
    assert bill is not None
    assert bill["kind"] == "bill"
    assert kept_of("Invoices", xeros(Type="ACCRECPREPAYMENT")) is None
    assert kept_of("Contacts", {"ContactID": "k1"}) is None


def test_of_a_credit_note_what_was_paid_out_counts() -> None:
    note = {
        "CreditNoteID": "n1",
        "Type": "ACCRECCREDIT",
        "Total": 50,
        "RemainingCredit": 20,
        "Allocations": [{"Amount": 5}],
    }
    found = kept_of("CreditNotes", note)
    assert found is not None
    assert found["paid"] == "25.00"
    assert kept_of("CreditNotes", note | {"Type": "ACCPAYCREDIT"}) is None
