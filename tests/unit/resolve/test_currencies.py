"""Currencies without cents, and of three decimals. Xero keeps two decimals of every currency, publishers
round to those that the currency has: net and tax in Xero are the publisher's, as near as two decimals are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reasons import Refused
from sinks.resolve import resolve_invoice, resolve_order
from tests.unit.resolve.books import facts, invoice, line, settings, xero_books
from tests.unit.resolve.test_rounding import quick

TAXES = {"0": "NONE", "8": "OUTPUT", "8.1": "TAX081"}
SETTINGS = settings(sales_tax=TAXES, purchase_tax=TAXES, currency="JPY")
YEN = facts(currencies=frozenset({"USD", "JPY", "KWD"}))
ROUNDED: dict[str, Callable[[Fraction], int]] = {
    "half away": lambda amount: int(abs(amount) + Fraction(1, 2)),
    "up": lambda amount: -int(-abs(amount) // 1),
    "down": lambda amount: int(abs(amount)),
}
"""To whole numbers; invoices in yen are rounded by any of these."""

SOLD = st.tuples(st.integers(1, 40), st.integers(1, 20_000), st.sampled_from(["0", "8", "8.1"]))
"""Quantity, whole price, rate."""


def to(decimals: int, amount: Fraction, how: str = "half away") -> Decimal:
    whole = ROUNDED[how](amount * 10**decimals)
    return Decimal(whole).scaleb(-decimals)


def totals(sold: Sequence[tuple[int, Decimal, str]], decimals: int, how: str) -> tuple[Decimal, Decimal]:
    """Net and tax as a publisher has them: each rounded once."""
    nets = [Fraction(quantity) * Fraction(price) for quantity, price, _ in sold]
    taxes = [net * Fraction(rate) / 100 for net, (_, _, rate) in zip(nets, sold, strict=True)]
    return to(decimals, sum(nets, Fraction(0)), how), to(decimals, sum(taxes, Fraction(0)), how)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("kind", ["invoice", "purchase_order"])
@pytest.mark.parametrize("how", ROUNDED)
@quick
@given(sold=st.lists(SOLD, min_size=1, max_size=12))
def test_whole_yen_are_in_xero_as_they_are_given(
    how: str, kind: str, named: bool, sold: list[tuple[int, int, str]]
) -> None:
    """Whether the document names its currency, or the settings do."""
    priced = [(quantity, Decimal(price), rate) for quantity, price, rate in sold]
    net, tax = totals(priced, 0, how)
    lines = [
        line(str(quantity), str(price), line_id=f"l{place}", tax_rate=rate)
        for place, (quantity, price, rate) in enumerate(priced)
    ]
    document = invoice(
        *lines, kind=kind, subtotal=net, tax=tax, tax2=Decimal(0), currency="jpy" if named else None
    )
    if kind == "invoice":
        body = resolve_invoice(document, SETTINGS, YEN, "acme").body
    else:
        body = resolve_order(document, SETTINGS, YEN).body
    assert body["CurrencyCode"] == "JPY"
    assert xero_books(body) == (net, tax, net + tax)


@quick
@given(
    sold=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 99_999), st.just("8")), min_size=1, max_size=8)
)
def test_fils_are_in_xero_as_near_as_two_decimals_are(sold: list[tuple[int, int, str]]) -> None:
    priced = [(quantity, Decimal(price).scaleb(-3), rate) for quantity, price, rate in sold]
    net, tax = totals(priced, 3, "half away")
    lines = [
        line(str(quantity), str(price), line_id=f"l{place}", tax_rate=rate)
        for place, (quantity, price, rate) in enumerate(priced)
    ]
    document = invoice(*lines, subtotal=net, tax=tax, tax2=Decimal(0), currency="KWD")
    near = to(2, Fraction(net)), to(2, Fraction(tax))
    body = resolve_invoice(document, SETTINGS, YEN, "acme").body
    assert xero_books(body) == (*near, sum(near))


def test_yen_off_by_more_than_rounding_are_a_mismatch() -> None:
    """A line of 333 and 8 % of it: 26.64. Up to (lines + 2) yen are rounding, as cents are elsewhere."""
    one = line("1", "333", tax_rate="8")
    for tax in ("24", "27", "29"):
        document = invoice(one, subtotal=Decimal(333), tax=Decimal(tax), tax2=Decimal(0), currency="JPY")
        assert resolve_invoice(document, SETTINGS, YEN, "acme").total == 333 + Decimal(tax)
    for tax, currency in (("30", "JPY"), ("27", "USD")):
        document = invoice(one, subtotal=Decimal(333), tax=Decimal(tax), tax2=Decimal(0), currency=currency)
        with pytest.raises(Refused) as caught:
            resolve_invoice(document, SETTINGS, YEN, "acme")
        assert caught.value.code == "total_mismatch"


def test_a_rate_worked_out_from_whole_yen_is_the_mapped_one() -> None:
    """27 of 333 are 8.1081 %. 8 % of it are 26.64, and 8.1 % 26.97: two rates make 27, until one is left."""
    both = invoice(
        line("1", "333", tax_rate="8.1081"), subtotal=Decimal(333), tax=Decimal(27), tax2=Decimal(0)
    )
    with pytest.raises(Refused) as caught:
        resolve_invoice(both, SETTINGS, YEN, "acme")
    assert caught.value.code == "tax_rate_unmapped"
    only = replace(SETTINGS, sales_tax={"0": "NONE", "8": "OUTPUT"})
    body = resolve_invoice(both, only, YEN, "acme").body
    assert xero_books(body) == (Decimal(333), Decimal(27), Decimal(360))
