"""The totals of a document in SalesBinder: those that it gave, otherwise the sums of its lines."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

import msgspec

from contracts.commands import DocumentSnapshot, Line
from contracts.money import to_cents

EXACT = Context(prec=250, rounding=ROUND_HALF_UP)
"""Wide enough for products of quantity, price and rates, each with up to 15 digits before the point."""
AMOUNT_PLACES = Decimal("0.000001")
"""Publishers write floats: further decimals are noise."""
RATE_PLACES = Decimal("0.0001")
"""The decimals to which rates are looked up in the settings."""
_HUNDRED = Decimal(100)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals in cents. ``subtotal`` is the lines before tax."""

    subtotal: Decimal
    tax: Decimal
    tax2: Decimal

    @property
    def total(self) -> Decimal:
        """The amount that the customer owes."""
        return self.subtotal + self.tax + self.tax2


def clean(document: DocumentSnapshot) -> DocumentSnapshot:
    """Return the document without the noise of floats: amounts, quantities and totals to 6 decimals, rates to
    4.
    """
    return msgspec.structs.replace(
        document,
        lines=tuple(clean_line(line) for line in document.lines),
        subtotal=_clean(document.subtotal),
        tax=_clean(document.tax),
        tax2=_clean(document.tax2),
    )


def clean_line(line: Line) -> Line:
    """Return the line without the noise of floats; the same line if there is none."""
    if not any(_has_noise(value, places) for value, places in _places(line)):
        return line
    return msgspec.structs.replace(
        line,
        quantity=clean_amount(line.quantity),
        unit_amount=clean_amount(line.unit_amount),
        discount_percent=clean_amount(line.discount_percent),
        tax_rate=clean_rate(line.tax_rate),
        tax2_rate=clean_rate(line.tax2_rate),
        price=_clean(line.price),
        discounted_price=_clean(line.discounted_price),
    )


def clean_amount(number: Decimal) -> Decimal:
    """Return ``number`` to 6 decimals, half away from zero."""
    return number.quantize(AMOUNT_PLACES, ROUND_HALF_UP, EXACT)


def clean_rate(rate: Decimal) -> Decimal:
    """Return a rate in per cent to 4 decimals, half away from zero."""
    return rate.quantize(RATE_PLACES, ROUND_HALF_UP, EXACT)


def _has_noise(number: Decimal | None, places: int) -> bool:
    """Return True if ``number`` has more decimals than these. Its digits are counted in its text: taken apart
    with ``as_tuple``, the few numbers of a line took as long as all else that is done with them.
    """
    if number is None:
        return False
    written = str(number)
    if "E" in written:
        return -int(number.as_tuple().exponent) > places
    point = written.find(".")
    return point >= 0 and len(written) - point - 1 > places


def _clean(number: Decimal | None) -> Decimal | None:
    return None if number is None else clean_amount(number)


def _places(line: Line) -> tuple[tuple[Decimal | None, int], ...]:
    return (
        (line.quantity, 6),
        (line.unit_amount, 6),
        (line.discount_percent, 6),
        (line.tax_rate, 4),
        (line.tax2_rate, 4),
        (line.price, 6),
        (line.discounted_price, 6),
    )


def net(line: Line) -> Decimal:
    """Return quantity times price less discount, unrounded."""
    gross = EXACT.multiply(line.quantity, line.unit_amount)
    if not line.discount_percent:
        return gross
    return EXACT.multiply(gross, EXACT.subtract(_HUNDRED, line.discount_percent)).scaleb(-2, EXACT)


def totals(document: DocumentSnapshot) -> Totals:
    """Return the document's totals as SalesBinder has them: given, else counted.

    SalesBinder rounds the sums of a document, not its lines (412.80 at 8 % is 33.02). Both taxes are taken on
    the net; its own shop plugin does so.
    """
    document = clean(document)
    subtotal = tax = tax2 = _NOTHING
    if document.subtotal is None or document.tax is None or document.tax2 is None:
        for line in document.lines:
            amount = net(line)
            subtotal = EXACT.add(subtotal, amount)
            if line.tax_rate:
                tax = EXACT.add(tax, EXACT.multiply(amount, line.tax_rate))
            if line.tax2_rate:
                tax2 = EXACT.add(tax2, EXACT.multiply(amount, line.tax2_rate))
    return Totals(
        subtotal=to_cents(subtotal if document.subtotal is None else document.subtotal),
        tax=to_cents(tax.scaleb(-2, EXACT) if document.tax is None else document.tax),
        tax2=to_cents(tax2.scaleb(-2, EXACT) if document.tax2 is None else document.tax2),
    )
