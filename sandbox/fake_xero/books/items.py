"""Items of the price list. Tracked ones are known as such; their stock is not counted."""

import copy
from typing import Any

from . import errors as e
from .errors import BadBody, Refused
from .ledger import Books, new_id
from .model import Item, ItemDetails
from .reading import number, record_id, round_to, text

_TAKEN = "Price List Item with Code '{}' already exists"


def find(books: Books, key: str) -> Item | None:
    """Return an item by ItemID or by code."""
    item_id = record_id(key)
    return books.items.get(item_id) if item_id else books.item_with_code(key)


def create(books: Books, element: dict[str, Any], unit_places: int) -> Item:
    """Add an item. Raises Refused with Xero's texts."""
    return _store(books, Item(new_id(), "", ""), element, unit_places)


def upsert(books: Books, element: dict[str, Any], unit_places: int) -> Item:
    """POST: update the item named by ItemID or code; else create."""
    if given := text(element, "ItemID"):
        found = books.items.get(record_id(given) or "")
        if found is None:
            raise Refused(e.ID_NOT_FOUND.format("Item", "ItemID"))
        return update(books, found, element, unit_places)
    found = books.item_with_code(text(element, "Code") or "")
    return update(books, found, element, unit_places) if found else create(books, element, unit_places)


def update(books: Books, item: Item, element: dict[str, Any], unit_places: int) -> Item:
    """Change one item; missing fields stay."""
    changed = copy.copy(item)
    changed.sales, changed.purchase = copy.copy(item.sales), copy.copy(item.purchase)
    return _store(books, changed, element, unit_places)


def _store(books: Books, item: Item, element: dict[str, Any], unit_places: int) -> Item:
    item.code = text(element, "Code", 30) or item.code
    if not item.code:
        raise Refused("Price List Item Code must be specified")
    holder = books.item_with_code(item.code)
    if holder is not None and holder.item_id != item.item_id:
        raise Refused(_TAKEN.format(item.code))
    name = text(element, "Name", 50)
    item.name = item.name if name is None else name
    description = text(element, "Description", 4000)
    item.description = item.description if description is None else description
    purchase = text(element, "PurchaseDescription", 4000)
    item.purchase_description = item.purchase_description if purchase is None else purchase
    item.tracked = item.tracked or bool(text(element, "InventoryAssetAccountCode"))
    item.is_sold = bool(element.get("IsSold", item.is_sold))
    item.is_purchased = bool(element.get("IsPurchased", item.is_purchased))
    _fill_details(books, item.sales, element.get("SalesDetails"), unit_places)
    _fill_details(books, item.purchase, element.get("PurchaseDetails"), unit_places)
    books.put_item(item)
    return item


def _fill_details(books: Books, details: ItemDetails, element: Any, unit_places: int) -> None:
    if element is None:
        return
    if not isinstance(element, dict):
        raise BadBody("SalesDetails and PurchaseDetails must be objects")
    price = number(element, "UnitPrice")
    details.unit_price = details.unit_price if price is None else round_to(price, unit_places)
    if code := text(element, "AccountCode"):
        if books.account_with_code(code) is None:
            raise Refused(e.ACCOUNT_INVALID.format(code))
        details.account_code = code
    if tax := text(element, "TaxType"):
        if tax not in books.tax_rates:
            raise Refused(e.TAX_UNKNOWN.format(tax))
        details.tax_type = tax
