"""A document's amounts as its publisher meant them: readings, rates, cents."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

RATES = (Decimal(0), Decimal(8))
"""Rates that the settings of a test's account map."""
CENT = Decimal("0.01")
_NOTHING = Decimal(0)

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """A line as it must stand in Xero."""

    quantity: Decimal
    unit_amount: Decimal
    rate: Decimal


def cents(amount: Decimal) -> Decimal:
    """Half away from zero, to cents."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def amount_of(value: Any) -> Decimal:
    """A price, cost, quantity or total: a float's noise behind the sixth decimal says nothing."""
    return Decimal(str(value)).quantize(Decimal("0.000001"), ROUND_HALF_UP).normalize() + 0


def net_of(document: Document, order: bool) -> Decimal:
    """The check total of the lines before tax."""
    cost = amount_of(document.get("total_cost") or 0) if order else _NOTHING
    return cost if cost else amount_of(document["total_price"])


def total_of(document: Document, order: bool) -> Decimal:
    """What the document comes to, as SalesBinder has it."""
    return cents(net_of(document, order)) + cents(amount_of(document["total_tax"]))


def read_lines(document: Document, order: bool) -> tuple[tuple[Line, ...], str]:
    """The lines by the first reading that gives the document's net and tax; and why none does, else blank."""
    net, tax = net_of(document, order), amount_of(document["total_tax"])
    refused = ""
    near: tuple[Line, ...] = ()
    for units in _readings(document["document_items"], order):
        lines, unmapped = _rated(document["document_items"], units, tax)
        if unmapped:
            refused = "tax_rate_unmapped"
            continue
        apart = _apart(lines, net, tax)
        if not any(apart):
            return lines, ""
        most = (len(lines) + 2) * CENT
        if not near and max(apart) <= most:
            near = lines
    return near, "" if near else refused or "total_mismatch"


def _readings(items: Sequence[Document], order: bool) -> Iterator[list[Decimal]]:
    """The unit amounts in each way of reading them: cost first where it is an order, then price."""
    if order:
        yield [amount_of(i["price"] if i.get("cost") is None else i["cost"]) for i in items]
    yield [amount_of(item["price"]) for item in items]


def _rated(
    items: Sequence[Document], units: Sequence[Decimal], tax: Decimal
) -> tuple[tuple[Line, ...], bool]:
    lines = [
        Line(amount_of(item["quantity"]), unit, Decimal(str(item["tax"])).quantize(Decimal("0.0001")))
        for item, unit in zip(items, units, strict=True)
    ]
    unmapped = [line for line in lines if line.rate not in RATES]
    if not unmapped:
        return tuple(Line(n.quantity, n.unit_amount, n.rate.normalize() + 0) for n in lines), False
    fits = [rate for rate in RATES if rate and tax and _is_noise(lines, unmapped, rate, tax)]
    if len(fits) != 1:
        return (), True
    return tuple(
        Line(n.quantity, n.unit_amount, fits[0] if n.rate not in RATES else n.rate.normalize() + 0)
        for n in lines
    ), False


def _is_noise(lines: Sequence[Line], unmapped: Sequence[Line], rate: Decimal, tax: Decimal) -> bool:
    """True when the rates that are not mapped may be this one, worked out of amounts."""
    for line in unmapped:
        net = abs(line.quantity * line.unit_amount)
        if line.rate % Decimal("0.25") == 0 or not net:
            return False
        if abs(line.rate - rate) > Decimal("0.005") / net * 100 + Decimal("0.0001"):
            return False
    taxed = sum((n.quantity * n.unit_amount * (n.rate if n.rate in RATES else rate) for n in lines), _NOTHING)
    return cents(taxed / 100) == cents(tax)


def _apart(lines: Sequence[Line], net: Decimal, tax: Decimal) -> tuple[Decimal, Decimal]:
    """By how much the lines miss the document's net and tax, rounded as SalesBinder does: the document."""
    nets = [line.quantity * line.unit_amount for line in lines]
    taxed = sum((n * line.rate / 100 for n, line in zip(nets, lines, strict=True)), _NOTHING)
    return (
        abs(cents(sum(nets, _NOTHING)) - cents(net)),
        abs(cents(taxed) - cents(tax)),
    )
