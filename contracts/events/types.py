"""The types of change events: the entity and action of each, its topic, and the type of its ``data``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contracts.commands import Action, Entity
from contracts.events.records import (
    CustomerData,
    CustomerDeletedData,
    DocumentData,
    DocumentDeletedData,
    EventData,
    SupplierData,
    SupplierDeletedData,
    TransactionData,
)


@dataclass(frozen=True, slots=True)
class EventType:
    """The entity and action of an event type, the topic it belongs to, and the type of its ``data``."""

    topic: str
    entity: Entity
    action: Action
    data: type[EventData]

    @property
    def record(self) -> str:
        """Name of the record inside ``data``."""
        return self.entity if self.entity in ("customer", "supplier") else "document"


_ACTIONS: Final[dict[tuple[str, Entity], dict[Action, type[EventData]]]] = {
    ("salesbinder.customers", "customer"): {
        "created": CustomerData,
        "edited": CustomerData,
        "deleted": CustomerDeletedData,
    },
    ("salesbinder.suppliers", "supplier"): {
        "created": SupplierData,
        "edited": SupplierData,
        "deleted": SupplierDeletedData,
    },
    ("salesbinder.invoices", "invoice"): {
        "created": DocumentData,
        "edited": DocumentData,
        "cancelled": DocumentData,
        "reset": DocumentData,
        "payment_applied": TransactionData,
        "refund_applied": TransactionData,
        "deleted": DocumentDeletedData,
    },
    ("salesbinder.purchase-orders", "purchase_order"): {
        "created": DocumentData,
        "edited": DocumentData,
        "received": DocumentData,
        "deleted": DocumentDeletedData,
    },
}

EVENT_TYPES: Final[Mapping[str, EventType]] = {
    f"salesbinder.{entity}.{action}": EventType(topic, entity, action, data)
    for (topic, entity), actions in _ACTIONS.items()
    for action, data in actions.items()
}
"""Every event type by name."""

TOPIC_ENTITIES: Final[Mapping[str, Entity]] = {kind.topic: kind.entity for kind in EVENT_TYPES.values()}
"""The entity that each topic is about."""

CONTEXTS: Final[Mapping[Entity, int]] = {"customer": 2, "supplier": 10, "invoice": 5, "purchase_order": 11}
"""SalesBinder's ``context_id``. Source: the pages of its API 2.0 on accounts and documents."""
