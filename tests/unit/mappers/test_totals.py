"""Numbers of a document without the noise of floats."""

from decimal import ROUND_HALF_UP, Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commands import Line
from mappers.totals import clean_line

NUMBERS = ("quantity", "unit_amount", "discount_percent", "price", "discounted_price")
RATES = ("tax_rate", "tax2_rate")
LINE = Line(line_id="l", description="", quantity=Decimal(1), unit_amount=Decimal("100.00"))


@given(
    name=st.sampled_from([*NUMBERS, *RATES]),
    number=st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-(10**9), 10**9),
        st.integers(-12, 6),
    ),
)
def test_a_line_is_the_same_unless_a_number_has_more_decimals(name: str, number: Decimal) -> None:
    line = msgspec.structs.replace(LINE, **{name: number})
    places = 4 if name in RATES else 6
    noisy = -int(number.as_tuple().exponent) > places
    found = clean_line(line)
    assert (found is line) is not noisy
    assert getattr(found, name) == number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("10.1000004", "10.1"), ("0.0000001", "0"), ("1E-7", "0"), ("0E-7", "0"), ("1E+3", "1000")],
)
def test_noise_is_rounded_away(given: str, expected: str) -> None:
    assert clean_line(msgspec.structs.replace(LINE, quantity=Decimal(given))).quantity == Decimal(expected)
