"""Money and quantities: exact decimals from wire to wire."""

from decimal import ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
_WIDE = Context(prec=100)
"""Products of the largest amounts that events may hold still fit; the default context's 28 digits do not."""


def to_cents(amount: Decimal) -> Decimal:
    """``amount`` to two decimals, half away from zero, as an invoice shows it."""
    return amount.quantize(CENT, ROUND_HALF_UP, _WIDE)


def plain(number: Decimal) -> str:
    """``number`` without exponent and trailing zeros: ``8``, ``12.5``, ``0``."""
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
