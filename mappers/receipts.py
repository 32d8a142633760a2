"""Work out how much of a received purchase order has arrived, from its lines and its status."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from contracts.events.records import DocumentItem
from contracts.money import plain
from mappers.texts import label, text

RECEIVED: Final = frozenset({"received", "received in full", "fully received"})
"""Names of a status that says that an order has come in in full: SalesBinder documents none."""

_LISTED = 3
_ZERO = Decimal(0)


def has_status(status: object, *names: str) -> bool:
    """Return True if the document's ``status`` has one of these names, in any case."""
    name = status.get("name") if isinstance(status, dict) else None
    return isinstance(name, str) and " ".join(name.split()).casefold() in names


def lines_in_part(items: Sequence[DocumentItem]) -> str:
    """Return the lines of which less has come in than was ordered, as ``Bolt (4 of 10), Nut (0 of 3)``.

    ``""`` while no line says that anything has come in: SalesBinder leaves 0 on all lines of an order that
    nobody received line by line.
    """
    came = [_came(item) for item in items]
    if not any(number > 0 for number in came):
        return ""
    short = [
        f"{label(text(item.name)) or f'line {place}'} ({plain(number)} of {plain(item.quantity)})"
        for place, (item, number) in enumerate(zip(items, came, strict=True), 1)
        if number < item.quantity
    ]
    more = f" and {len(short) - _LISTED} more" if len(short) > _LISTED else ""
    return ", ".join(short[:_LISTED]) + more


def _came(item: DocumentItem) -> Decimal:
    return item.quantity_partially_received or _ZERO
