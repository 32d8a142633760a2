"""Refunds as credit notes: to the cent, in the invoice's proportions."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.money import CENT, to_cents
from sinks.resolve import Part, ResolvedPayment, parts_of, refund_warnings, resolve_payment, resolve_refund
from sinks.resolve.refunds import split
from tests.unit.resolve.books import FACTS, SETTINGS, payment, xero_books

NUMBER = "5001-eada30eb"


def item(net: str, tax: str = "0.00", tax_type: str = "NONE", **more: Any) -> dict[str, Any]:
    line = {"LineAmount": Decimal(net), "TaxAmount": Decimal(tax), "TaxType": tax_type}
    return {"ItemCode": "SB-ITEM", "AccountCode": "200", **line, **more}


def xero_invoice(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An invoice as Xero returns it."""
    fields = {
        "InvoiceNumber": "5001",
        "CurrencyCode": "USD",
        "CurrencyRate": Decimal(1),
        "LineAmountTypes": "Exclusive",
        "Contact": {"ContactID": "contact-id", "Name": "Widgets"},
    }
    return {**fields, "LineItems": list(lines), **more}


def money(amount: str) -> ResolvedPayment:
    return resolve_payment(payment(amount), SETTINGS, FACTS, "USD")


def resolve(amount: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return resolve_refund(xero_invoice(*lines, **more), money(amount), NUMBER, FACTS)


def amounts(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(line["TaxType"], str(line["UnitAmount"]), str(line["TaxAmount"])) for line in body["LineItems"]]


def test_the_body_is_xeros_credit_note() -> None:
    assert resolve("54", item("100", "8", "OUTPUT")) == {
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "CreditNoteNumber": NUMBER,
        "Reference": "Cash #eada30eb",
        "Date": "2026-03-02",
        "Contact": {"ContactID": "contact-id"},
        "CurrencyCode": "USD",
        "LineAmountTypes": "Exclusive",
        "LineItems": [
            {
                "Description": "Refund of invoice 5001",
                "Quantity": 1,
                "UnitAmount": Decimal("50.00"),
                "ItemCode": "SB-ITEM",
                "AccountCode": "200",
                "TaxType": "OUTPUT",
                "TaxAmount": Decimal("4.00"),
            }
        ],
    }


def test_one_line_a_tax_type_in_proportion() -> None:
    lines = [item("100", "8", "OUTPUT"), item("50"), item("100", "8", "OUTPUT"), item("100", "13", "TAX013")]
    assert amounts(resolve("37.90", *lines)) == [
        ("OUTPUT", "20.00", "1.60"),
        ("NONE", "5.00", "0.00"),
        ("TAX013", "10.00", "1.30"),
    ]


def test_account_and_item_are_those_of_the_largest_line_of_the_tax_type() -> None:
    rounding = item("0.01", AccountCode="860", ItemCode=None)
    by_hand = item("-70", "-5.60", "OUTPUT", AccountCode="260", ItemCode="OTHER")
    body = resolve("10", rounding, item("100"), item("50", "4", "OUTPUT"), by_hand)
    accounts = [(line["AccountCode"], line["ItemCode"]) for line in body["LineItems"]]
    assert accounts == [("200", "SB-ITEM"), ("260", "OTHER")]


def test_a_discount_of_another_tax_type_stays_below_zero() -> None:
    assert amounts(resolve("50", item("150"), item("-46.30", "-3.70", "OUTPUT"))) == [
        ("NONE", "75.00", "0.00"),
        ("OUTPUT", "-23.15", "-1.85"),
    ]


def test_moved_cents_come_back_with_the_whole() -> None:
    assert amounts(resolve("108.01", item("100", "8.01", "OUTPUT"))) == [("OUTPUT", "100.00", "8.01")]


def test_lines_that_include_tax_or_have_none() -> None:
    included = resolve("54", item("108", "8", "OUTPUT"), LineAmountTypes="Inclusive")
    assert amounts(included) == [("OUTPUT", "50.00", "4.00")]
    none = resolve("54", item("108"), LineAmountTypes="NoTax")
    assert none["LineAmountTypes"] == "NoTax"
    assert "TaxAmount" not in none["LineItems"][0]


def test_a_line_of_text_and_one_of_nothing_take_no_part() -> None:
    body = resolve("10", {"Description": "Thanks"}, item("0", "0", "OUTPUT"), item("100"))
    assert amounts(body) == [("NONE", "10.00", "0.00")]


def test_a_foreign_currency_keeps_the_invoices_rate() -> None:
    body = resolve("10", item("100"), CurrencyCode="EUR", CurrencyRate=Decimal("0.9"))
    assert (body["CurrencyCode"], body["CurrencyRate"]) == ("EUR", Decimal("0.9"))


def test_warnings() -> None:
    one = resolve("10", item("100"))
    two = resolve("10", item("100"), item("100", "8", "OUTPUT"))
    assert [w.code for w in refund_warnings(one, money("10"))] == ["invoice_stays_paid"]
    several = [w.code for w in refund_warnings(two, money("10"))]
    assert several == ["invoice_stays_paid", "refund_tax_by_proportion"]
    moved = replace(money("10"), warnings=refund_warnings(one, money("10")))
    assert len(refund_warnings(one, moved)) == 2


LINES = st.lists(
    st.tuples(
        st.sampled_from([("NONE", "0"), ("OUTPUT", "8"), ("TAX013", "13"), ("OUTPUT2", "12.5")]),
        st.integers(-200_000, 5_000_000),
        st.integers(-3, 3),
    ),
    min_size=1,
    max_size=8,
)


@given(lines=LINES, part=st.fractions(0, 1))
def test_the_total_in_xero_is_the_refund_to_the_cent(lines: list[Any], part: Any) -> None:
    made = []
    for (tax_type, rate), net, moved in lines:
        cents = round(Decimal(net) * Decimal(rate) / 100) + (moved if rate != "0" else 0)
        made.append(item(str(net * CENT), str(cents * CENT), tax_type))
    total = sum((line["LineAmount"] + line["TaxAmount"] for line in made), Decimal(0))
    assume(total > 0)
    amount = max(CENT, int(total / CENT * part.numerator / part.denominator) * CENT)
    body = resolve(str(amount), *made)
    subtotal, tax, whole = xero_books(body)
    assert whole == amount
    assert len({line["TaxType"] for line in body["LineItems"]}) == len(body["LineItems"])
    if amount == total:
        assert subtotal == sum(line["LineAmount"] for line in made)
        assert tax == sum(line["TaxAmount"] for line in made)


@given(cents=st.integers(1, 10**9), weights=st.lists(st.integers(-(10**6), 10**9), min_size=1, max_size=9))
def test_parts_differ_from_their_proportion_by_less_than_a_cent(cents: int, weights: list[int]) -> None:
    assume(sum(weights) > 0)
    parts = split(cents * CENT, [weight * CENT for weight in weights])
    assert sum(parts) == cents * CENT
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part / CENT * sum(weights) - cents * weight) < sum(weights)


def test_what_comes_to_nothing_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="nothing can be split"):
        split(Decimal(1), [Decimal(5), Decimal(-5)])


ROUNDED = [
    item("0.60", "0.05", "TAX15", LineItemID="own"),
    item("-0.30", "0.00", "NONE", AccountCode="860", ItemCode=None, LineItemID="rounding"),
]


def refund(amount: str, earlier: list[Part], *lines: dict[str, Any]) -> dict[str, Any]:
    invoice = xero_invoice(*lines)
    return resolve_refund(invoice, money(amount), NUMBER, FACTS, rounding="rounding", earlier=earlier)


def test_a_partial_refund_is_of_the_documents_own_lines_and_the_last_takes_what_is_left() -> None:
    """60 lines of 0.005 at 15 %: 0.30 and 0.05 of tax, which Xero holds as 0.60 and 0.30 less."""
    first = refund("0.20", [], *ROUNDED)
    assert amounts(first) == [("TAX15", "0.18", "0.02")]
    last = refund("0.15", parts_of(first), *ROUNDED)
    assert amounts(last) == [("TAX15", "0.42", "0.03"), ("NONE", "-0.30", "0.00")]
    rounding = last["LineItems"][1]
    assert (rounding["AccountCode"], rounding["Description"], "ItemCode" in rounding) == (
        "860",
        "Rounding",
        False,
    )


def test_what_is_left_is_told_by_tax_type() -> None:
    lines = [item("10.00", "0.80", "OUTPUT"), item("10.00", "1.25", "OUTPUT2")]
    first = refund("7.33", [], *lines)
    second = refund("7.33", parts_of(first), *lines)
    last = refund("7.39", [*parts_of(first), *parts_of(second)], *lines)
    whole = [*parts_of(first), *parts_of(second), *parts_of(last)]
    for tax_type, net, tax in (("OUTPUT", "10.00", "0.80"), ("OUTPUT2", "10.00", "1.25")):
        own = [part for part in whole if part.tax_type == tax_type]
        assert (sum(p.net for p in own), sum(p.tax for p in own)) == (Decimal(net), Decimal(tax))


def test_the_whole_at_once_takes_the_rounding_line_along() -> None:
    assert amounts(refund("0.35", [], *ROUNDED)) == [("TAX15", "0.60", "0.05"), ("NONE", "-0.30", "0.00")]


def test_a_credit_note_as_xero_returns_it_says_what_it_took() -> None:
    note = {"LineItems": [{"TaxType": "OUTPUT", "LineAmount": "5.00", "TaxAmount": "0.40"}]}
    assert parts_of(note) == [Part("OUTPUT", Decimal("5.00"), Decimal("0.40"))]


@given(lines=LINES, cuts=st.lists(st.integers(1, 60), min_size=1, max_size=4))
def test_refunds_that_complete_the_total_leave_nothing_of_any_tax_type(
    lines: list[Any], cuts: list[int]
) -> None:
    made = [
        item(str(abs(net) * CENT), str(round(Decimal(abs(net)) * Decimal(rate) / 100) * CENT), tax_type)
        for (tax_type, rate), net, _ in lines
    ]
    made.append({**ROUNDED[1], "LineAmount": Decimal("0.07")})
    total = sum((line["LineAmount"] + line["TaxAmount"] for line in made), Decimal(0))
    shares = [to_cents(total * cut / 300) for cut in cuts]
    assume(all(shares) and total > sum(shares))
    taken: list[Part] = []
    for amount in [*shares, total - sum(shares)]:
        body = refund(str(amount), taken, *made)
        assert xero_books(body)[2] == amount
        taken += parts_of(body)
    for tax_type in {line["TaxType"] for line in made}:
        own = [line for line in made if line["TaxType"] == tax_type]
        parts = [part for part in taken if part.tax_type == tax_type]
        assert sum(p.net for p in parts) == sum(line["LineAmount"] for line in own)
        assert sum(p.tax for p in parts) == sum(line["TaxAmount"] for line in own)
