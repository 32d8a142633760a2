"""Money and quantities: exact decimals from wire to wire."""

from decimal import ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
_WIDE = Context(prec=100)
"""Products of the largest amounts that events may hold still fit; the default context's 28 digits do not."""


def to_cents(amount: Decimal) -> Decimal:
    """``amount`` to two decimals, half away from zero, as an invoice shows it."""
    return amount.quantize(CENT, ROUND_HALF_UP, _WIDE)


WITHOUT_CENTS = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"),
        *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
"""Currencies whose amounts have no decimals (ISO 4217, minor unit 0). No amount in Xero has more than two."""


def rounded(amount: Decimal, currency: str) -> Decimal:
    """``amount`` to the decimals of ``currency``, two at most, half away from zero; shown with two places."""
    unit = Decimal(1) if currency in WITHOUT_CENTS else CENT
    return to_cents(amount.quantize(unit, ROUND_HALF_UP, _WIDE))


def plain(number: Decimal) -> str:
    """``number`` without exponent and trailing zeros: ``8``, ``12.5``, ``0``."""
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
