"""What a document adds up to, each total rounded per document (salesbinder.md §1.5, §1.6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from .records import ORDER, Document, Line, Transaction

CENT = Decimal("0.01")
HUNDRED = Decimal(100)


def cents(amount: Decimal) -> Decimal:
    """Return the amount rounded half up to cents."""
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Totals:
    """`total_cost`, `total_price`, `total_tax` and `total_tax2` of a document."""

    cost: Decimal
    price: Decimal
    tax: Decimal
    tax2: Decimal


def unit_amount(document: Document, line: Line) -> Decimal:
    """Return the amount per unit: an order's cost, or its price where that is all it has; else the price."""
    return line.cost or line.price if document.context_id == ORDER else line.price


def totals(document: Document) -> Totals:
    """Return the totals of the lines that stand; `price` is the net total of any document, orders too."""
    lines = document.standing_lines
    nets = [
        (line, line.quantity * unit_amount(document, line) * (1 - line.discount_percent / HUNDRED))
        for line in lines
    ]
    net = cents(sum((amount for _, amount in nets), Decimal()))
    cost = sum((line.quantity * line.cost for line in lines), Decimal())
    return Totals(
        net if document.context_id == ORDER else cents(cost),
        net,
        cents(sum((amount * line.tax / HUNDRED for line, amount in nets), Decimal())),
        cents(sum((amount * line.tax2 / HUNDRED for line, amount in nets), Decimal())),
    )


def amount_due(document: Document) -> Decimal:
    """Return net and taxes: what is owed before any payment."""
    found = totals(document)
    return found.price + found.tax + found.tax2


def total_transactions(document: Document, marked_added: bool) -> Decimal:
    """Return the sum of the rows, marked ones subtracted unless `marked_added`, and of what has no rows."""
    signed: Iterable[Decimal] = (
        -row.amount if row.marked and not marked_added else row.amount for row in document.transactions
    )
    return sum(signed, document.paid_without_rows)


def paid(rows: Iterable[Transaction]) -> Decimal:
    """Return what the rows above zero that are no marked refunds add up to."""
    return sum((row.amount for row in rows if row.amount > 0 and not row.marked), Decimal())
