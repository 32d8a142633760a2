"""Money and quantities: exact decimals from wire to wire."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal

CENT = Decimal("0.01")
_WIDE = Context(prec=100)
"""Products of the largest amounts that events may hold still fit; the default context's 28 digits do not."""


def to_cents(amount: Decimal) -> Decimal:
    """Return ``amount`` to two decimals, half away from zero, as an invoice shows it."""
    return amount.quantize(CENT, ROUND_HALF_UP, _WIDE)


WITHOUT_CENTS = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"),
        *("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
"""Currencies whose amounts have no decimals (ISO 4217, minor unit 0). No amount in Xero has more than two."""


OF_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies that are counted in thousandths (ISO 4217, minor unit 3), of which Xero keeps two decimals."""


def unit_of(currency: str) -> Decimal:
    """Return the smallest amount of ``currency`` that Xero keeps and the currency has: 1 or 0.01."""
    return Decimal(1) if currency in WITHOUT_CENTS else CENT


def to_unit(amount: Decimal, unit: Decimal) -> Decimal:
    """Return ``amount`` as a multiple of ``unit`` (``unit_of``), half away from zero; shown with
    two places.
    """
    return to_cents(amount.quantize(unit, ROUND_HALF_UP, _WIDE))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return ``amount`` to the decimals of ``currency``, two at most, half away from zero; shown with two
    places.
    """
    return to_unit(amount, unit_of(currency))


def comes_to(amount: Decimal, wanted: Decimal, unit: Decimal) -> bool:
    """Return True if ``amount`` is ``wanted`` once it is rounded, to cents or as the currency is
    (``unit_of``).
    """
    return wanted in (to_cents(amount), to_unit(amount, unit))


def without_mills(amount: Decimal) -> Decimal:
    """Return ``amount`` to two decimals, those behind them cut off."""
    return amount.quantize(CENT, ROUND_DOWN, _WIDE)


def plain(number: Decimal) -> str:
    """Return ``number`` without exponent and trailing zeros: ``8``, ``12.5``, ``0``."""
    text = str(number)
    if "E" in text:
        text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
