"""What a document comes to in SalesBinder: the totals that it gave, else those of its lines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from contracts.commands import DocumentSnapshot, Line
from contracts.money import to_cents

EXACT = Context(prec=250, rounding=ROUND_HALF_UP)
"""Wide enough for products of quantity, price and rates, each with up to 15 digits before the point."""
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals in cents. ``subtotal`` is the lines before tax."""

    subtotal: Decimal
    tax: Decimal
    tax2: Decimal

    @property
    def total(self) -> Decimal:
        """What the customer owes."""
        return self.subtotal + self.tax + self.tax2


def net(line: Line) -> Decimal:
    """Quantity x price less discount, unrounded."""
    gross = EXACT.multiply(line.quantity, line.unit_amount)
    if not line.discount_percent:
        return gross
    return EXACT.multiply(gross, EXACT.subtract(_HUNDRED, line.discount_percent)).scaleb(-2, EXACT)


def totals(document: DocumentSnapshot) -> Totals:
    """The document's totals as SalesBinder has them: given, else counted.

    SalesBinder rounds the sums of a document, not its lines (412.80 at 8 % is 33.02). Both taxes are taken on
    the net; its own shop plugin does so.
    """
    return Totals(
        subtotal=_cents(document.subtotal, document.lines, net),
        tax=_cents(document.tax, document.lines, lambda line: _tax(line, line.tax_rate)),
        tax2=_cents(document.tax2, document.lines, lambda line: _tax(line, line.tax2_rate)),
    )


def _cents(given: Decimal | None, lines: Iterable[Line], of_line: Callable[[Line], Decimal]) -> Decimal:
    if given is not None:
        return to_cents(given)
    counted = Decimal(0)
    for line in lines:
        counted = EXACT.add(counted, of_line(line))
    return to_cents(counted)


def _tax(line: Line, rate: Decimal) -> Decimal:
    return EXACT.multiply(net(line), rate).scaleb(-2, EXACT) if rate else Decimal(0)
