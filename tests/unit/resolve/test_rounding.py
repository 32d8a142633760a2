"""Net, tax and total in Xero are SalesBinder's: for any document whose own totals are consistent.

The rules are stated here on their own, in fractions: which numbers count, how publishers and Xero round.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from contracts.commands import DocumentSnapshot, Line
from contracts.reasons import Refused
from mappers.totals import totals
from sinks.resolve import ResolvedDocument, resolve_bill, resolve_invoice, resolve_order
from tests.unit.resolve.books import FACTS, LARGEST_LINE, RATES, invoice, settings, xero_books

TAXES = {
    "0": "NONE",
    "8": "OUTPUT",
    "8+5": "TAX013",
    "12.5": "OUTPUT2",
    "0+12.5": "OUTPUT2",
    "8.1": "TAX081",
    "10+5": "TAX155",
}
COMPOUND = ("10", "5")
"""Its second tax is taken on the first as well: 15.5 % in Xero."""
SETTINGS = settings(sales_tax=TAXES, purchase_tax=TAXES)
KINDS: dict[str, Callable[[DocumentSnapshot], ResolvedDocument]] = {
    "invoice": lambda document: resolve_invoice(document, SETTINGS, FACTS, "acme"),
    "order": lambda document: resolve_order(document, SETTINGS, FACTS),
    "bill": lambda document: resolve_bill(document, SETTINGS, FACTS, "acme", date(2026, 3, 5)),
}
quick = rules(
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes minutes
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
    deadline=None,
)


@dataclass(frozen=True)
class Sold:
    """A line as somebody typed it in."""

    quantity: Decimal
    price: Decimal
    cost: Decimal
    discount: Decimal
    discounted: Decimal
    pair: tuple[str, str]

    def unit(self, reading: str) -> Fraction:
        """What a unit is, after discount."""
        if reading == "discounted_price" and self.discounted:
            return Fraction(self.discounted)
        gross = self.cost if reading == "cost" else self.price
        return Fraction(gross) * (100 - Fraction(self.discount)) / 100

    def net(self, reading: str) -> Fraction:
        return Fraction(self.quantity) * self.unit(reading)

    def taxes(self, net: Fraction) -> tuple[Fraction, Fraction]:
        first, second = (Fraction(rate) / 100 for rate in self.pair)
        one = net * first
        return one, (net + one if self.pair == COMPOUND else net) * second


def half_away(amount: Fraction) -> Decimal:
    """To cents, half away from zero."""
    whole = int(abs(amount) * 100 + Fraction(1, 2))
    return Decimal(whole if amount >= 0 else -whole) / 100


def books_of(lines: Sequence[Sold], reading: str, by_line: bool) -> tuple[Decimal, Decimal, Decimal]:
    """Net, tax and second tax as publishers have them: sums rounded once, or every line."""
    sums = [Fraction(0)] * 3
    for line in lines:
        net = line.net(reading)
        net = Fraction(half_away(net)) if by_line else net
        parts = (net, *line.taxes(net))
        rounded = [Fraction(half_away(part)) for part in parts] if by_line else list(parts)
        sums = [one + other for one, other in zip(sums, rounded, strict=True)]
    return half_away(sums[0]), half_away(sums[1]), half_away(sums[2])


def as_float(number: Decimal) -> Decimal:
    """As PHP writes it with serialize_precision 17."""
    return Decimal(format(float(number), ".17g")) if abs(number) < 10**6 else number


def snapshot(lines: Sequence[Sold], kind: str, totals: Sequence[Decimal], noisy: bool) -> DocumentSnapshot:
    write = as_float if noisy else Decimal
    ordered = kind != "invoice"
    made = [
        Line(
            line_id=f"l{place}",
            description="",
            quantity=write(line.quantity),
            unit_amount=write(line.cost if ordered else line.price),
            discount_percent=write(line.discount),
            tax_rate=write(Decimal(line.pair[0])),
            tax2_rate=write(Decimal(line.pair[1])),
            price=write(line.price) if ordered else None,
            discounted_price=write(line.discounted) if line.discounted else None,
        )
        for place, line in enumerate(lines)
    ]
    net, tax, tax2 = map(write, totals)
    named = "purchase_order" if ordered else "invoice"
    return invoice(*made, kind=named, subtotal=net, tax=tax, tax2=tax2)


def decimals(least: str, most: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(least), Decimal(most), places=places, allow_nan=False)


QUANTITIES = st.one_of(
    decimals("-50", "500", 0), decimals("-5", "50", 2), decimals("-5", "50", 6), decimals("0", "1e9", 1)
)
PRICES = st.one_of(
    decimals("-20", "2000", 2),
    decimals("-9", "200", 4),
    decimals("0", "20", 6),
    decimals("0", "1e9", 2),
    st.sampled_from([Decimal("0.005"), Decimal("0.004"), Decimal("0.0149"), Decimal(0)]),
)
DISCOUNTS = st.one_of(
    st.sampled_from([Decimal(each) for each in ("0", "0", "10", "12.5", "15", "33.33", "50", "100")]),
    decimals("0", "100", 2),
    decimals("-10", "120", 3),
)
PAIRS = st.sampled_from(
    [("0", "0"), ("8", "0"), ("8", "5"), ("12.5", "0"), ("0", "12.5"), ("8.1", "0"), COMPOUND]
)
SOLD = st.builds(Sold, QUANTITIES, PRICES, PRICES, DISCOUNTS, st.one_of(st.just(Decimal(0)), PRICES), PAIRS)
MANY_ALIKE = st.builds(lambda line, times: [line] * times, SOLD, st.integers(1, 70))
LINES = st.one_of(st.lists(SOLD, max_size=12), MANY_ALIKE)
READINGS = st.sampled_from(["cost", "price", "discounted_price"])


@pytest.mark.parametrize("kind", KINDS)
@quick
@given(lines=LINES, reading=READINGS, by_line=st.booleans(), noisy=st.booleans())
def test_net_tax_and_total_in_xero_are_salesbinders(
    kind: str, lines: list[Sold], reading: str, by_line: bool, noisy: bool
) -> None:
    assume(kind != "invoice" or reading != "cost")
    assume(all(abs(line.net(each)) < LARGEST_LINE for line in lines for each in ("cost", "price", reading)))
    given_totals = books_of(lines, reading, by_line)
    document = snapshot(lines, kind, given_totals, noisy)
    try:
        resolved = KINDS[kind](document)
    except Refused as refusal:
        assert (refusal.code, sum(given_totals) < 0) == ("total_negative", True)
        return
    net, tax, tax2 = given_totals
    assert xero_books(resolved.body) == (net, tax + tax2, net + tax + tax2)
    assert (resolved.total, resolved.total_tax) == (net + tax + tax2, tax + tax2)
    items = resolved.body["LineItems"]
    assert len(resolved.line_ids) == len(set(resolved.line_ids)) == len(items)
    assert all(1 <= len(item["Description"]) <= 4000 for item in items)
    assert all(Decimal(RATES[item["TaxType"]]) or not item.get("TaxAmount") for item in items)
    again = KINDS[kind](document)
    assert again.fingerprint == resolved.fingerprint


def in_xero(lines: Sequence[Sold]) -> tuple[Decimal, Decimal]:
    """Net and tax as Xero comes to them by itself: each line rounded, and its tax."""
    nets = [half_away(line.net("price")) for line in lines]
    taxes = [
        half_away(sum(line.taxes(Fraction(n)), Fraction(0))) for line, n in zip(lines, nets, strict=True)
    ]
    return sum(nets, Decimal(0)), sum(taxes, Decimal(0))


@quick
@given(
    lines=st.lists(SOLD, min_size=1, max_size=8),
    net_over=st.integers(-12, 12),
    tax_over=st.integers(-12, 12),
)
def test_totals_that_are_off_are_met_or_refused_with_both(
    lines: list[Sold], net_over: int, tax_over: int
) -> None:
    """More than (lines + 2) cents is no rounding any more, of net or of tax."""
    lines = [Sold(one.quantity, one.price, one.cost, one.discount, Decimal(0), one.pair) for one in lines]
    assume(all(abs(line.net("price")) < LARGEST_LINE for line in lines))
    alone = in_xero(lines)
    net, tax = alone[0] + Decimal(net_over) / 100, alone[1] + Decimal(tax_over) / 100
    taxed = any(line.pair != ("0", "0") for line in lines)
    assume(net + tax >= 0)
    assume(books_of(lines, "price", False) != (net, tax, Decimal(0)))
    most = len(lines) + 2
    document = snapshot(lines, "invoice", (net, tax, Decimal(0)), False)
    if abs(net_over) <= most and abs(tax_over) <= most and (taxed or not tax_over):
        assert xero_books(KINDS["invoice"](document).body) == (net, tax, net + tax)
        return
    own = books_of(lines, "price", False)
    assume((own[0], own[1] + own[2]) != (net, tax))  # SalesBinder's own sums are never off
    with pytest.raises(Refused) as caught:
        KINDS["invoice"](document)
    assert caught.value.code == "total_mismatch"
    assert Decimal(caught.value.details["total"]) == net + tax
    assert Decimal(caught.value.details["xero_total"]) == sum(alone)


MAPPED = ("8", "8.1", "12.5")


@quick
@given(
    amounts=st.lists(decimals("0.05", "500", 2), min_size=1, max_size=12),
    true=st.sampled_from(MAPPED),
    places=st.integers(4, 12),
)
def test_rates_worked_out_from_amounts_are_inferred_or_refused_but_never_posted_otherwise(
    amounts: list[Decimal], true: str, places: int
) -> None:
    taxes = [half_away(Fraction(net) * Fraction(true) / 100) for net in amounts]
    rates = [round(tax / net * 100, places) for net, tax in zip(amounts, taxes, strict=True)]
    lines = [
        Line(line_id=f"l{place}", description="", quantity=Decimal(1), unit_amount=net, tax_rate=rate)
        for place, (net, rate) in enumerate(zip(amounts, rates, strict=True))
    ]
    net, tax = sum(amounts, Decimal(0)), sum(taxes, Decimal(0))
    try:
        resolved = KINDS["invoice"](invoice(*lines, subtotal=net, tax=tax, tax2=Decimal(0)))
    except Refused as refusal:
        assert refusal.code == "tax_rate_unmapped"
        quarter = [rate for rate in rates if not round(rate, 4) % Decimal("0.25")]
        others = [each for each in MAPPED if each != true]
        unmapped = [
            (net, rate)
            for net, rate in zip(amounts, rates, strict=True)
            if round(rate, 4) not in {Decimal(each) for each in MAPPED}
        ]
        several = any(all(_fits(net, rate, each) for net, rate in unmapped) for each in others)
        assert quarter or several or not tax
        return
    assert xero_books(resolved.body) == (net, tax, net + tax)


def _fits(net: Decimal, rate: Decimal, mapped: str) -> bool:
    return abs(rate - Decimal(mapped)) <= Decimal("0.5") / net + Decimal("0.0002")


@given(LINES)
@quick
def test_totals_that_salesbinder_does_not_give_are_counted_as_it_counts(lines: list[Sold]) -> None:
    lines = [line for line in lines if line.pair != COMPOUND]
    document: Any = snapshot(lines, "invoice", (Decimal(0),) * 3, False)
    counted = totals(invoice(*document.lines))
    assert (counted.subtotal, counted.tax, counted.tax2) == books_of(lines, "price", False)
