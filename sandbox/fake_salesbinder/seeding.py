"""Fills a shop with history, fast: customers, suppliers, and invoices of the last three years."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from . import acts
from .records import Item
from .shop import Shop

_DAYS = 1000
_PAID, _PART_PAID = 0.9, 0.93


def stock(shop: Shop) -> None:
    """Put a few items into the shop's catalogue."""
    if not shop.items:
        with shop.lock:
            shop.items += [
                Item(shop.new_id(), 1001, "Work Shirt", "WORK-SHIRT", details=(("Fabric", "Cotton", True),)),
                Item(shop.new_id(), 1002, "Bolt M4", "BOLT-M4"),
                Item(
                    shop.new_id(),
                    1003,
                    "Drill",
                    "DRILL",
                    serial_number="DR-77",
                    details=(("Bin", "A-17", False),),
                ),
            ]


def fill(shop: Shop, *, customers: int, invoices: int, suppliers: int = 0, seed: int = 0) -> dict[str, int]:
    """Fill the shop; most invoices are paid. Everything is `brought_in` or created before anybody looks."""
    chance = Random(seed)
    stock(shop)
    clients = [
        acts.create_party(shop, "customer", name=f"Customer {index}", office_email=f"c{index}@shop.example")
        for index in range(1, customers + 1)
    ]
    for index in range(1, suppliers + 1):
        acts.create_party(shop, "supplier", name=f"Supplier {index}")
    now = shop.clock.now().replace(microsecond=0)
    for index in range(invoices if clients else 0):
        created = now - timedelta(days=_DAYS * (1 - index / invoices), seconds=3600)
        lines = [{"name": "Fitting", "quantity": chance.randrange(1, 9), "price": "12.50", "tax": 8}]
        party_id = chance.choice(clients)
        drawn = chance.random()
        _bring(shop, party_id, lines, created, drawn)
    return {"parties": len(shop.store.parties), "documents": len(shop.store.documents)}


def _bring(shop: Shop, party_id: str, lines: list[dict[str, Any]], created: Any, drawn: float) -> None:
    quantity = Decimal(lines[0]["quantity"])
    total = quantity * Decimal("13.50")  # 12.50 and 8 per cent
    paid = total if drawn < _PAID else Decimal(5) if drawn < _PART_PAID else Decimal(0)
    acts.bring_old_invoice(shop, party_id, lines, created=created, paid=paid)
