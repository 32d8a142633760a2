"""Net, tax and total to the cent: Xero rounds each line and its tax, SalesBinder the document."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from contracts.money import to_cents
from mappers.totals import EXACT
from sinks.resolve.lines import XeroLine

_NOTHING = Decimal("0.00")
_Size = Callable[[int], Decimal]


def xero_net(lines: Iterable[XeroLine]) -> Decimal:
    """Return Xero's SubTotal of the lines."""
    return sum((line.amount for line in lines), _NOTHING)


def xero_tax(lines: Iterable[XeroLine]) -> Decimal:
    """Return Xero's TotalTax of the lines."""
    return sum((line.tax for line in lines), _NOTHING)


def xero_total(lines: Iterable[XeroLine]) -> Decimal:
    """Return the total that Xero will calculate from the lines."""
    return sum((line.amount + line.tax for line in lines), _NOTHING)


def tolerance(lines: Sequence[XeroLine], unit: Decimal) -> Decimal:
    """Return the largest difference that counts as rounding; ``unit`` is the smallest of the currency."""
    return (len(lines) + 2) * unit


def with_tax_cents(lines: Sequence[XeroLine], nets: Sequence[Decimal], cents: Decimal) -> list[XeroLine]:
    """Return the lines with ``cents`` more of tax.

    They go to the largest line of each rate whose own sum, rounded once, differs by them; the rest goes to
    the largest taxed line. The largest is by absolute net; of equal ones, the first.

    Args:
        lines: at least one is taxed.
        nets: of the lines, unrounded.
    """
    moved, left = list(lines), cents

    def put(places: Sequence[int], amount: Decimal) -> None:
        largest = _largest(lines, nets, places)
        moved[largest] = moved[largest].with_tax(moved[largest].tax + amount)

    by_rate: dict[tuple[str, Decimal], list[int]] = {}
    for place, line in enumerate(lines):
        if line.rate:
            by_rate.setdefault((line.tax_type, line.rate), []).append(place)
    for (_, rate), places in by_rate.items():
        missing = _own_tax(rate, (nets[place] for place in places)) - xero_tax(lines[p] for p in places)
        if missing and left and (missing > 0) == (left > 0):
            part = min(missing, left, key=abs)
            put(places, part)
            left -= part
    if left:
        put([place for places in by_rate.values() for place in places], left)
    return moved


def _own_tax(rate: Decimal, nets: Iterable[Decimal]) -> Decimal:
    """Return the tax on lines of one rate, rounded once."""
    whole = Decimal(0)
    for net in nets:
        whole = EXACT.add(whole, net)
    return to_cents(EXACT.multiply(whole, rate).scaleb(-2, EXACT))


def _largest(lines: Sequence[XeroLine], nets: Sequence[Decimal], places: Sequence[int]) -> int:
    """Return the line with the largest amount in Xero; if all are zero there, the one with the largest
    unrounded amount.
    """
    in_xero: _Size = lambda place: abs(lines[place].amount)  # noqa: E731
    unrounded: _Size = lambda place: nets[place].copy_abs()  # noqa: E731
    return max(places, key=in_xero if any(lines[place].amount for place in places) else unrounded)
