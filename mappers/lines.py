"""Document lines: quantity, unit amount, rates, and a description with all details of the item sold."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from contracts.commands import Line
from contracts.events.records import DocumentItem, Item, ItemDetail
from mappers.texts import text

_ZERO = Decimal(0)


def to_line(item: DocumentItem, kind: Literal["invoice", "purchase_order"]) -> Line:
    """Return one line. A purchase order's unit amount is ``cost``, or ``price`` if that is absent.

    Numbers are carried as given: which of them count is decided when the line is sent.
    """
    costed = kind == "purchase_order" and item.cost is not None
    amount = item.cost if costed and item.cost is not None else item.price
    return Line(
        line_id=item.id,
        description=describe(item),
        quantity=Decimal(item.quantity),
        unit_amount=Decimal(amount),
        discount_percent=_number(item.discount_percent),
        tax_rate=_number(item.tax),
        tax2_rate=_number(item.tax2),
        price=Decimal(item.price) if costed else None,
        discounted_price=Decimal(item.discounted_price) if item.discounted_price else None,
    )


def _number(value: Decimal | None) -> Decimal:
    return _ZERO if value is None or not value else Decimal(value)


def describe(item: DocumentItem) -> str:
    """Return name, description, variation, SKU, serial number and custom fields, each on a line
    of its own.
    """
    stock = item.item
    name = text(item.name) or text(stock.name if stock else None)
    own = text(item.description)
    parts = [name, own if own != name else "", _variation(item)]
    if stock:
        sku, serial = text(stock.sku), text(stock.serial_number)
        parts += [f"SKU: {sku}" if sku else "", f"Serial number: {serial}" if serial else ""]
        parts += _custom_fields(stock)
    return "\n".join(part for part in parts if part)


def _variation(item: DocumentItem) -> str:
    values: Mapping[str, Any] = {}
    if isinstance(item.variation, dict) and item.variation:
        values = item.variation
    elif item.item_variation_data:
        values = decode_variation(item.item_variation_data)
    return ", ".join(f"{text(name)}: {text(value)}" for name, value in values.items() if _sayable(value))


def _sayable(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and bool(text(value))


def decode_variation(data: object) -> Mapping[str, Any]:
    """Return the variation in ``item_variation_data``: base64 of ``{"ItemVariation": {name: value}}``.

    An unreadable one is left out: it must not stop the money.
    """
    if not isinstance(data, str):
        return {}
    compact = "".join(data.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        raw = base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
        decoded = msgspec.json.decode(raw)
    except (binascii.Error, msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
        return {}
    while isinstance(decoded, dict) and len(decoded) == 1:
        (inner,) = decoded.values()
        if not isinstance(inner, dict):
            break
        decoded = inner
    return decoded if isinstance(decoded, dict) else {}


def _custom_fields(item: Item) -> Iterator[str]:
    """Yield published custom fields as ``Name: value``, by weight, then as listed; those without a weight
    last.
    """
    published = [detail for detail in item.item_details or () if _is_published(detail)]
    for detail in sorted(published, key=_weight):
        name = text(detail.custom_field.name if detail.custom_field else None)
        if _sayable(detail.value):
            yield f"{name}: {text(detail.value)}" if name else text(detail.value)


def _is_published(detail: ItemDetail) -> bool:
    publish = detail.custom_field.publish if detail.custom_field else None
    return publish in (True, "1", "true")


def _weight(detail: ItemDetail) -> Decimal:
    weight = detail.custom_field.weight if detail.custom_field else None
    return Decimal("Infinity") if weight is None else weight
