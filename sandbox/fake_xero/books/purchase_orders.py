"""Purchase orders. Xero publishes no transition table for them: the one below is this fake's choice."""

from typing import Any

from . import documents
from .documents import Kind
from .errors import Refused
from .ledger import Books
from .model import Document

_TYPE = "PURCHASEORDER"
_TYPES = frozenset({_TYPE})

KIND = Kind(
    title="Purchase Order",
    id_field="PurchaseOrderID",
    number_field="PurchaseOrderNumber",
    types=_TYPES,
    sales_types=frozenset(),
    unique_types=_TYPES,
    number_taken="Order number must be unique",
    statuses=frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "BILLED", "DELETED"}),
    creatable=frozenset({"DRAFT", "SUBMITTED", "AUTHORISED"}),
    transitions={
        "DRAFT": frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"}),
        "SUBMITTED": frozenset({"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"}),
        "AUTHORISED": frozenset({"AUTHORISED", "BILLED", "DELETED"}),
        "BILLED": frozenset(),
        "DELETED": frozenset(),
    },
    extra_texts={
        "BrandingThemeID": None, "DeliveryAddress": None, "AttentionTo": None, "Telephone": None,
        "DeliveryInstructions": 500,
    },
    shelf=lambda books: books.purchase_orders,
    default_type=_TYPE,
    creates_contacts=False,
    obeys_locks=False,
    discount_rate_types=_TYPES,
    reference_types=_TYPES,
    fixed_unit_places=4,
)  # fmt: skip

SENT_WARNING = "Only AUTHORISED and BILLED purchase orders may have SentToContact updated."


def create(books: Books, element: dict[str, Any]) -> Document:
    """PUT, or POST of something new."""
    _need_prices(element)
    return documents.create(books, KIND, _without_sent(element, "DRAFT"), 4)


def upsert(books: Books, element: dict[str, Any]) -> Document:
    """POST: update the order named by id or number; else create."""
    target = documents.match(books, KIND, element)
    return update(books, target, element) if target else create(books, element)


def update(books: Books, order: Document, element: dict[str, Any]) -> Document:
    """Change one order; missing fields stay."""
    _need_prices(element)
    element = _without_sent(element, order.status)
    changed, problems = documents.begin_update(books, KIND, order, element, 4)
    if problems:
        raise Refused(*dict.fromkeys(problems))
    return documents.replace(books, KIND, order, changed)


def warnings(element: dict[str, Any], order: Document) -> list[str]:
    """Return Xero's warnings about a write that it accepted."""
    asked = element.get("SentToContact")
    return [SENT_WARNING] if asked is not None and bool(asked) != order.sent_to_contact else []


def _without_sent(element: dict[str, Any], status: str) -> dict[str, Any]:
    if element.get("SentToContact") is None or (element.get("Status") or status) in {"AUTHORISED", "BILLED"}:
        return element
    return {name: value for name, value in element.items() if name != "SentToContact"}


def _need_prices(element: dict[str, Any]) -> None:
    for line in element.get("LineItems") or []:
        if line.get("Quantity") is None or line.get("UnitAmount") is not None:
            continue
        if not line.get("LineItemID") and not line.get("ItemCode"):
            raise Refused("UnitAmount must be specified where Quantity is")
