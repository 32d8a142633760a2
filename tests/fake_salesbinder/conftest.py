"""A shop with somebody to sell to."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.fake_salesbinder import acts

from .caller import Caller

LINES = [{"name": "Work Shirt", "quantity": 2, "price": "98.00", "tax": 8}]
"""2 × 98 = 196, tax 8 % = 15.68 (salesbinder.md §1.5, sample)."""
TOTAL = "211.68"


class Stage(Caller):
    """A caller with a customer, a supplier, and short words for what is done to documents."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.customer = acts.create_party(
            self.shop, "customer", name="Widgets & Co", office_email="a@w.example"
        )
        self.supplier = acts.create_party(self.shop, "supplier", name="Northern Parts")

    def invoice(self, **given: Any) -> str:
        """Create an invoice of 211.68."""
        return acts.create_document(self.shop, "invoice", self.customer, given.pop("lines", LINES), **given)

    def order(self, **given: Any) -> str:
        """Create a purchase order of two lines."""
        lines = [
            {"name": "Bolt", "quantity": 10, "cost": "1.50"},
            {"name": "Nut", "quantity": 4, "cost": "2.00"},
        ]
        return acts.create_document(self.shop, "purchase_order", self.supplier, lines, **given)

    def later(self, seconds: float = 60) -> None:
        """Move the clock."""
        self.world.clock.advance(seconds)

    def moved(self, document_id: str, act: Callable[..., Any], *arguments: Any, **named: Any) -> bool:
        """Return whether an act moved the document's `modified`."""
        before = self.shop.document(document_id).modified
        self.later()
        act(self.shop, document_id, *arguments, **named)
        return self.shop.document(document_id).modified != before


@pytest.fixture
def stage() -> Stage:
    """The likeliest SalesBinder."""
    return Stage()
