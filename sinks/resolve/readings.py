"""Which of a line's numbers count: one reading for a whole document."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from contracts.commands import DocumentSnapshot, Line


@dataclass(frozen=True, slots=True)
class Reading:
    """A document's lines with the numbers of one reading as their unit amount and discount."""

    name: str
    """``cost``, ``price`` or ``discounted_price``."""
    lines: tuple[Line, ...]
    words: str
    """Which fields it goes by, for a sentence."""


def readings(document: DocumentSnapshot) -> Iterator[Reading]:
    """Yield all readings of a document, in the order in which they are tried; none that equals an earlier
    one.
    """
    seen: list[tuple[Line, ...]] = []
    for name in _NAMES[document.kind]:
        found = reading_of(document, name)
        if found.lines not in seen:
            seen.append(found.lines)
            yield found


def reading_of(document: DocumentSnapshot, name: str) -> Reading:
    """Return the document's lines under the reading of this name.

    Raises:
        KeyError: there is no such reading.
    """
    read, words = READINGS[name]
    return Reading(name, tuple(read(line) for line in document.lines), words)


def _cost(line: Line) -> Line:
    return line


def _price(line: Line) -> Line:
    return line if line.price is None else msgspec.structs.replace(line, unit_amount=line.price)


def _discounted_price(line: Line) -> Line:
    if not line.discounted_price:
        return _price(line)
    return msgspec.structs.replace(line, unit_amount=line.discounted_price, discount_percent=Decimal(0))


READINGS: dict[str, tuple[Callable[[Line], Line], str]] = {
    "cost": (_cost, "cost less discount_percent"),
    "price": (_price, "price less discount_percent"),
    "discounted_price": (_discounted_price, "discounted_price"),
}
_NAMES: dict[str, tuple[str, ...]] = {
    "invoice": ("price", "discounted_price"),
    "purchase_order": ("cost", "price", "discounted_price"),
}
