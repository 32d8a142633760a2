"""Purchase orders for tests of the sink: events in, what became of them in the fake's books out."""

import copy
from typing import Any

from tests.integration.sinks.shops import Maker, Shop


def order(make: Maker, number: int = 701, price: str = "100.00", **more: Any) -> dict[str, Any]:
    """A purchase order of 108.00 with its supplier."""
    supplier = more.pop("customer", None) or make.customer("Northern Parts")
    return make.document(supplier, number, price, **{"context_id": 11, **more})


def happened(make: Maker, action: str, document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """``created``, ``received`` or ``deleted``. ``more`` are attributes of the event."""
    data = {"id": document["id"]} if action == "deleted" else copy.deepcopy(document)
    return make.event(f"purchase_order.{action}", document["id"], {"document": data}) | more


def edited(make: Maker, document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The order edited now."""
    make.minute += 1
    document |= changes
    document["modified"] = make.now
    return happened(make, "edited", document)


def with_price(document: dict[str, Any], price: str) -> dict[str, Any]:
    """Its first line at another price."""
    return {"document_items": [{**document["document_items"][0], "price": price}]}


def order_in(books: Shop, number: str = "701") -> Any:
    """The one order of this number in Xero."""
    [found] = [o for o in books.books["purchase_orders"] if o["number"] == number]
    return found


def bills_in(books: Shop) -> list[Any]:
    """All bills in Xero."""
    return [i for i in books.books["invoices"] if i["type"] == "ACCPAY"]


def set_by_hand(books: Shop, status: str) -> None:
    """Somebody gives the order another status in Xero."""
    body = {"PurchaseOrderID": order_in(books)["id"], "Status": status}
    books.by_hand("POST", "PurchaseOrders", {"PurchaseOrders": [body]})


async def ordered(books: Shop, make: Maker, **settings: str) -> dict[str, Any]:
    """An order of 108.00 that stands in Xero."""
    if settings:
        await books.settings(**settings)
    document = order(make)
    assert await books.run(happened(make, "created", document)) == ["posted"]
    return document
