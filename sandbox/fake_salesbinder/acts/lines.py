"""Lines of documents as forms send them: dicts with the API's names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..records import Item, Line
from ..shop import Shop
from .base import Refused, amount, text

LineInput = Mapping[str, Any]
_NUMBERS = ("quantity", "price", "cost", "tax", "tax2", "discount_percent")
_TEXTS = ("name", "description")


def new_line(shop: Shop, given: LineInput) -> Line:
    """Return a line that is added. Without `item_id` it needs a `name`."""
    now = shop.stamp()
    item = _item(shop, given)
    if item is None and not given.get("name"):
        raise Refused("name", "_required", "This field is required")
    numbers = {name: amount(given.get(name, 0), name) for name in _NUMBERS}
    if "quantity" not in given:
        numbers["quantity"] = Decimal(1)
    return Line(
        id=shop.new_id(),
        item=item,
        name=None if item else text(given, "name"),
        description=text(given, "description", "") or "",
        created=now,
        modified=now,
        variation=given.get("variation"),
        quantity=numbers["quantity"],
        price=numbers["price"],
        cost=numbers["cost"],
        tax=numbers["tax"],
        tax2=numbers["tax2"],
        discount_percent=numbers["discount_percent"],
    )


def edited_lines(shop: Shop, held: Sequence[Line], given: Sequence[LineInput]) -> tuple[Line, ...]:
    """Return the lines after an edit: `given` are all that are to stand; one with an `id` replaces that line.

    A line that is left out is taken out: gone, or kept with `delete: 1`, by the switch."""
    by_id = {line.id: line for line in held if not line.removed}
    standing = []
    for wanted in given:
        before = by_id.pop(str(wanted["id"]), None) if wanted.get("id") else None
        standing.append(new_line(shop, wanted) if before is None else _edited(shop, before, wanted))
    if shop.switches.line_ids_on_edit == "replaced":
        standing = [replace(line, id=shop.new_id()) for line in standing]
    if shop.switches.removed_lines == "gone":
        return tuple(standing)
    gone = [line for line in held if line.removed]
    return (*standing, *gone, *(replace(line, removed=True) for line in by_id.values()))


def _edited(shop: Shop, before: Line, wanted: LineInput) -> Line:
    numbers = {name: amount(wanted[name], name) for name in _NUMBERS if name in wanted}
    texts = {name: text(wanted, name) for name in _TEXTS if name in wanted}
    after = replace(before, **numbers, **texts)  # type: ignore[arg-type]  # description is never null below
    after = replace(after, description=after.description or "")
    return before if after == before else replace(after, modified=shop.stamp())


def as_input(line: Line) -> dict[str, Any]:
    """Return a line as a form would send it back unchanged."""
    shown = {name: getattr(line, name) for name in (*_NUMBERS, *_TEXTS)}
    return {"id": line.id, "item_id": line.item.id if line.item else None, **shown}


def content(line: Line) -> tuple[Any, ...]:
    """Return what an event is made of, without the id."""
    return (*(getattr(line, name) for name in (*_NUMBERS, *_TEXTS)), line.item)


def _item(shop: Shop, given: LineInput) -> Item | None:
    item_id = given.get("item_id")
    if not item_id:
        return None
    for item in shop.items:
        if item.id == item_id:
            return item
    raise Refused("item_id", "exists", "This item does not exist")
