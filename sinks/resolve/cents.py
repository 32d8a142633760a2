"""Totals to the cent: Xero rounds each line and its tax, SalesBinder the document."""

from collections.abc import Sequence
from decimal import Decimal

from contracts.money import CENT
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.resolve.lines import XeroLine


def xero_total(lines: Sequence[XeroLine]) -> Decimal:
    """What Xero will make of the lines."""
    return sum((line.amount + line.tax for line in lines), Decimal("0.00"))


def check_difference(lines: Sequence[XeroLine], total: Decimal) -> Decimal:
    """The cents that are missing in Xero up to ``total``.

    Raises:
        Refused: ``total_negative``; ``total_mismatch`` for more than (lines + 2) cents.
    """
    found = xero_total(lines)
    if total < 0:
        raise Refused("total_negative", total=total)
    difference = total - found
    if abs(difference) > (len(lines) + 2) * CENT:
        raise Refused("total_mismatch", total=total, xero_total=found)
    return difference


def move_cents(lines: Sequence[XeroLine], cents: Decimal, warnings: list[Warning]) -> list[XeroLine] | None:
    """The lines with ``cents`` on the tax of the largest taxed line; none when no line is taxed.

    The largest is by absolute net, of equals the first.
    """
    taxed = [index for index, line in enumerate(lines) if line.rate and line.amount]
    if not taxed:
        return None
    largest = max(taxed, key=lambda index: abs(lines[index].amount))
    moved = list(lines)
    moved[largest] = lines[largest].with_tax(lines[largest].tax + cents)
    warnings.append(warning("cents_moved", cents=cents, place="the tax of the largest line"))
    return moved
