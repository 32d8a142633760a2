"""What a document comes to in SalesBinder: the totals that it gave, else those of its lines."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from contracts.commands import DocumentSnapshot, Line
from contracts.money import to_cents

EXACT = Context(prec=250, rounding=ROUND_HALF_UP)
"""Wide enough for products of quantity, price and rates, each with up to 15 digits before the point."""
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
