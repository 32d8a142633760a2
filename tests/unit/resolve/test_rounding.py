"""The total in Xero is SalesBinder's to the cent, or the document is refused with both: for any document."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.commands import DocumentSnapshot, Line
from contracts.reasons import Refused
from mappers.totals import totals
from sinks.resolve import ResolvedDocument, resolve_bill, resolve_invoice, resolve_order
from tests.unit.resolve.books import FACTS, LARGEST_LINE, RATES, cents, invoice, settings, xero_books

TAXES = {"0": "NONE", "8": "OUTPUT", "8+5": "TAX013", "12.5": "OUTPUT2", "0+12.5": "OUTPUT2"}
SETTINGS = settings(sales_tax=TAXES, purchase_tax=TAXES)
CENT = Decimal("0.01")

Resolve = Callable[[DocumentSnapshot], ResolvedDocument]
KINDS: dict[str, Resolve] = {
    "invoice": lambda document: resolve_invoice(document, SETTINGS, FACTS, "acme"),
    "order": lambda document: resolve_order(document, SETTINGS, FACTS),
    "bill": lambda document: resolve_bill(document, SETTINGS, FACTS, "acme", date(2026, 3, 5)),
}


def decimals(least: str, most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=places, allow_nan=False)


QUANTITIES = st.one_of(
    decimals("-50", "500", 0), decimals("-5", "50", 2), decimals("-5", "50", 6), decimals("0", "1e9", 1)
)
PRICES = st.one_of(
    decimals("-20", "2000", 2), decimals("-9", "200", 4), decimals("0", "20", 7), decimals("0", "1e9", 2)
)
DISCOUNTS = st.one_of(
    st.sampled_from([Decimal(each) for each in ("0", "0", "10", "12.5", "15", "33.33", "50", "100")]),
    decimals("0", "100", 2),
    decimals("-10", "120", 3),
)
PAIRS = st.sampled_from([("0", "0"), ("8", "0"), ("8", "5"), ("12.5", "0"), ("0", "12.5")])
LINES = st.lists(
    st.builds(
        lambda number, text, quantity, price, discount, pair: Line(
            line_id=str(number),
            description=text,
            quantity=quantity,
            unit_amount=price,
            discount_percent=discount,
            tax_rate=Decimal(pair[0]),
            tax2_rate=Decimal(pair[1]),
        ),
        st.integers(0, 99),
        st.text(max_size=20),
        QUANTITIES,
        PRICES,
        DISCOUNTS,
        PAIRS,
    ),
    max_size=12,
)


def exact(lines: list[Line]) -> tuple[list[Decimal], Decimal, Decimal, Decimal]:
    """Unrounded nets, and SalesBinder's three sums, each rounded once."""
    nets = [x.quantity * x.unit_amount * (100 - x.discount_percent) / 100 for x in lines]
    first = sum((net * x.tax_rate / 100 for net, x in zip(nets, lines, strict=True)), Decimal(0))
    second = sum((net * x.tax2_rate / 100 for net, x in zip(nets, lines, strict=True)), Decimal(0))
    return nets, cents(sum(nets, Decimal(0))), cents(first), cents(second)


def xero_total(lines: list[Line], nets: list[Decimal]) -> Decimal:
    """What Xero comes to by itself: each line rounded, and its tax."""
    rounded = [cents(net) for net in nets]
    taxes = [cents(net * (x.tax_rate + x.tax2_rate) / 100) for net, x in zip(rounded, lines, strict=True)]
    return sum((*rounded, *taxes), Decimal(0))


@pytest.mark.parametrize("kind", KINDS)
@given(lines=LINES)
def test_the_total_in_xero_is_salesbinders_to_the_cent(kind: str, lines: list[Line]) -> None:
    with localcontext(prec=80):
        nets, subtotal, tax, tax2 = exact(lines)
        assume(all(abs(net) < LARGEST_LINE for net in nets))
        total = subtotal + tax + tax2
        try:
            resolved = KINDS[kind](invoice(*lines, subtotal=subtotal, tax=tax, tax2=tax2))
        except Refused as refusal:
            assert (refusal.code, total < 0) == ("total_negative", True)
            return
        books = xero_books(resolved.body)
    assert (books[2], books[1]) == (total, resolved.total_tax)
    assert resolved.total == total
    items = resolved.body["LineItems"]
    assert len(resolved.line_ids) == len(set(resolved.line_ids)) == len(items)
    assert all(1 <= len(item["Description"]) <= 4000 for item in items)
    assert all(Decimal(RATES[item["TaxType"]]) or not item.get("TaxAmount") for item in items)


@pytest.mark.parametrize("kind", KINDS)
@given(lines=LINES, over=st.integers(-4, 5), sign=st.sampled_from([1, -1]))
def test_a_total_that_is_off_is_met_or_refused_with_both(
    kind: str, lines: list[Line], over: int, sign: int
) -> None:
    """More than (lines + 2) cents is no rounding any more."""
    with localcontext(prec=80):
        nets, _, tax, tax2 = exact(lines)
        assume(all(abs(net) < LARGEST_LINE for net in nets))
        alone = xero_total(lines, nets)
        total = alone + sign * (len(lines) + over) * CENT
        assume(total >= 0)
        document = invoice(*lines, subtotal=total - tax - tax2, tax=tax, tax2=tax2)
        fits = abs(total - alone) <= (len(lines) + 2) * CENT and (bool(lines) or total == 0)
        if fits:
            assert xero_books(KINDS[kind](document).body)[2] == total
            return
        with pytest.raises(Refused) as caught:
            KINDS[kind](document)
    assert caught.value.code == "total_mismatch"
    assert Decimal(caught.value.details["total"]) == total
    assert Decimal(caught.value.details["xero_total"]) == alone


@given(LINES)
def test_totals_that_salesbinder_does_not_give_are_counted_as_it_counts(lines: list[Line]) -> None:
    with localcontext(prec=80):
        _, subtotal, tax, tax2 = exact(lines)
    assert totals(invoice(*lines)).total == subtotal + tax + tax2
