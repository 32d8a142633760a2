"""Receiving purchase orders."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..records import ORDER, Document
from ..shop import Shop
from .base import Refused, act, amount
from .documents import is_full


@act
def receive(shop: Shop, document_id: str, quantities: Mapping[str, Any] | None = None) -> None:
    """Receive an order: in full, or these quantities by line id, on top of what has come in."""
    order = _order(shop, document_id)
    if order.state in ("received", "closed", "cancelled"):
        raise Refused("status_id", "received", f"This order is {order.state}")
    if quantities is None:
        return _received(
            shop, replace(order, lines=tuple(replace(line, received=line.quantity) for line in order.lines))
        )
    arrived = {line_id: amount(given, "quantity") for line_id, given in quantities.items()}
    lines = tuple(
        replace(line, received=line.received + arrived.get(line.id, Decimal(0)), modified=shop.stamp())
        for line in order.lines
    )
    order = replace(order, lines=lines)
    if is_full(order):
        return _received(shop, order)
    order = replace(order, state="partially_received")
    order = shop.save(order, moves=shop.switches.partial_receipt_moves_modified)
    shop.happened("received_in_part", order)
    return None


@act
def take_back_receipt(shop: Shop, document_id: str) -> None:
    """Set an order back to sent, with nothing received."""
    order = _order(shop, document_id)
    lines = tuple(replace(line, received=Decimal(0)) for line in order.lines)
    order = shop.save(replace(order, lines=lines, state="sent"), moves=shop.switches.receipt_moves_modified)
    shop.happened("receipt_taken_back", order)


@act
def close_order(shop: Shop, document_id: str, state: str = "closed") -> None:
    """Make an order `closed` or `cancelled`: statuses that nobody has described and no event is made of."""
    order = _order(shop, document_id)
    if state not in ("closed", "cancelled") or order.state == "received":
        raise Refused("status_id", "valid", f"{state!r} is not a status that this order can get")
    shop.happened(state, shop.save(replace(order, state=state), moves=shop.switches.cancel_moves_modified))


def _received(shop: Shop, order: Document) -> None:
    order = shop.save(replace(order, state="received"), moves=shop.switches.receipt_moves_modified)
    shop.truth.documents[order.id].received = True
    shop.happened("received", order)


def _order(shop: Shop, document_id: str) -> Document:
    order = shop.document(document_id)
    if order.context_id != ORDER:
        raise Refused("context_id", "valid", "Only purchase orders are received")
    return order
