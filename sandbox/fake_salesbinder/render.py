"""Records as the API's JSON: rows of lists and details (reference §3, salesbinder.md §1.4 to §1.7)."""

import base64
import json
from datetime import date, datetime
from decimal import Decimal
from math import inf, nextafter
from typing import Any

from .access import User
from .records import CONTEXTS, ORDER, OTHER_PARTY_FIELDS, PARTY_FIELDS, Document, Line, Party, Transaction
from .shop import Shop
from .statuses import status
from .switches import Switches
from .totals import total_transactions, totals, unit_amount

Json = dict[str, Any]


def moment(given: datetime | None) -> str | None:
    """Return a time as `2016-10-06T17:58:46+00:00`."""
    return None if given is None else given.isoformat(timespec="seconds")


def midnight(given: date | None) -> str | None:
    """Return a day as SalesBinder shows it: midnight UTC."""
    return None if given is None else f"{given.isoformat()}T00:00:00+00:00"


def number(value: Decimal, switches: Switches, *, of_row: bool = False) -> Any:
    """Return a number as the switch has it. `of_row`: of a transaction, or a document's number."""
    if switches.numbers == "strings" or (switches.numbers == "mixed" and of_row):
        places = 0 if value == value.to_integral_value() and of_row and value.as_tuple().exponent == 0 else 2
        return f"{value:.{places}f}" if value == round(value, places) else f"{value.normalize():f}"
    if value == value.to_integral_value():
        return int(value)
    return nextafter(float(value), inf) if switches.numbers == "noisy" else float(value)


def object_or_empty(held: Json, name: str, value: Any, switches: Switches) -> None:
    """Put an object under `name`; one without content becomes null, `[]`, or nothing."""
    if value:
        held[name] = value
    elif switches.empty_object != "absent":
        held[name] = None if switches.empty_object == "null" else []


def party(shop: Shop, held: Party, *, row: bool = False) -> Json:
    """Return an account, as a row or whole."""
    switches = shop.switches
    shown: Json = {
        "id": held.id,
        "name": held.fields["name"],
        "customer_number": number(Decimal(held.number), switches, of_row=True),
    }
    if switches.account_context_id == "shown":
        shown["context_id"] = held.context_id
    for name in (*PARTY_FIELDS[1:], *OTHER_PARTY_FIELDS):
        if row and switches.account_rows == "partial" and name.startswith(("billing_", "shipping_")):
            continue
        shown[switches.phone_name if name == "office_phone" else name] = held.fields[name]
    if not row or switches.account_rows == "whole":
        shown["billing_region_id"] = None
    shown["last_invoiced"] = moment(held.last_invoiced)
    if switches.archived_flag == "shown":
        shown["archived"] = held.archived
    return shown | {"created": moment(held.created), "modified": moment(held.modified)}


def document_row(shop: Shop, held: Document) -> Json:
    """Return a document as lists have it: no transactions; lines by the switch."""
    shown = _header(shop, held)
    customer = _customer(shop, held)
    shown["customer"] = {"name": customer.name, "customer_number": customer.number}
    gone = shop.switches.removed_lines == "gone"
    if shop.switches.row_lines != "absent":
        shown["document_items"] = [
            _line(shop, held, index, row=True)
            for index, line in enumerate(held.lines)
            if (index == 0 or shop.switches.row_lines == "whole") and not (line.removed and gone)
        ]
    return shown


def document(shop: Shop, held: Document) -> Json:
    """Return a document whole."""
    switches = shop.switches
    shown = _header(shop, held)
    shown["customer"] = party(shop, _customer(shop, held))
    shown["document_items"] = [
        _line(shop, held, index, row=False)
        for index, line in enumerate(held.lines)
        if not line.removed or switches.removed_lines == "everywhere"
    ]
    shown["transactions"] = [transaction(shop, held.id, row) for row in held.transactions]
    return shown


def transaction(shop: Shop, document_id: str, held: Transaction) -> Json:
    """Return a row of `transactions`."""
    switches = shop.switches
    shown: Json = {
        "id": held.id,
        "document_id": document_id,
        "amount": number(held.amount, switches, of_row=True),
        "reference": held.reference,
        "transaction_date": midnight(held.day),
    }
    if held.marked and switches.refund_mark == "type":
        shown["transaction_type"] = "refund"
    elif held.marked and switches.refund_mark == "flag":
        shown["is_refund"] = True
    if switches.transaction_fields == "whole":
        shown |= {
            "account_id": shop.tenant_id,
            "created": moment(held.created),
            "modified": moment(held.modified),
        }
    return shown


def _customer(shop: Shop, held: Document) -> Party:
    live = shop.store.parties.get(held.party_id)
    return held.party_as_saved if live is None or shop.switches.nested_customer == "as_saved" else live


def _header(shop: Shop, held: Document) -> Json:
    switches = shop.switches
    status_id, status_name = status(held, switches)
    sums = totals(held)
    shown: Json = {
        "id": held.id,
        "document_number": number(Decimal(held.number), switches, of_row=True),
        "name": held.name,
        "context_id": held.context_id,
        "customer_id": held.party_id,
        "user_id": held.user_id,
        "issue_date": midnight(held.issue_date),
        "expiry_date": midnight(held.expiry_date),
        "date_sent": moment(held.date_sent),
        "status_id": status_id,
        "status": {"id": status_id, "name": status_name},
        "context": {"id": held.context_id, "name": CONTEXTS[held.context_id].replace("_", " ")},
        "cache__customer_name": held.party_as_saved.name,
        "associated_document_id": held.source_id,
        "shipped_percent": 0,
    }
    others = (
        "shipping_address",
        "public_note",
        "external_po_number",
        "custom_doc_number",
        "shipping_location",
    )
    shown |= {name: (held.others or {}).get(name) for name in others}
    if switches.archived_flag == "shown":
        shown["archived"] = held.archived
    paid = total_transactions(held, switches.marked_row_in_total == "added")
    amounts = {
        "total_cost": Decimal(0) if _hidden(held, switches, "cost") else sums.cost,
        "total_price": Decimal(0) if _hidden(held, switches, "price") else sums.price,
        "total_tax": sums.tax,
        "total_tax2": sums.tax2,
        "total_transactions": paid,
    }
    shown |= {name: number(amount, switches) for name, amount in amounts.items()}
    user = next((user for user in shop.users.values() if user.id == held.user_id), None)
    object_or_empty(shown, "user", _user(user), switches)
    return shown | {"created": moment(held.created), "modified": moment(held.modified)}


def _user(user: User | None) -> Json | None:
    return {"id": user.id, "first_name": user.first_name, "last_name": user.last_name} if user else None


def _hidden(held: Document, switches: Switches, name: str) -> bool:
    """Return whether an order's amounts do not stand in this column."""
    return held.context_id == ORDER and switches.order_amount not in (name, "both")


def _amount(held: Document, line: Line, switches: Switches, name: str) -> Decimal:
    if held.context_id != ORDER:
        return line.price if name == "price" else line.cost
    return Decimal(0) if _hidden(held, switches, name) else unit_amount(held, line)


def _line(shop: Shop, held: Document, index: int, *, row: bool) -> Json:
    line, switches = held.lines[index], shop.switches
    received = line.received
    if held.state == "received" and switches.receipt == "status_only":
        received = Decimal(0)
    discounted = line.price * (1 - line.discount_percent / 100) if line.discount_percent else Decimal(0)
    amounts = {
        "quantity": line.quantity,
        "quantity_partially_received": received,
        "quantity_partially_shipped": Decimal(0),
        "price": _amount(held, line, switches, "price"),
        "cost": _amount(held, line, switches, "cost"),
        "discount_percent": line.discount_percent,
        "discounted_price": round(discounted, 4),
        "tax": line.tax,
        "tax2": line.tax2,
    }
    shown: Json = {"id": line.id, "document_id": held.id, "item_id": line.item.id if line.item else None}
    shown |= {"name": line.name, "description": line.description}
    shown |= {name: number(amount, switches) for name, amount in amounts.items()}
    shown |= {
        "weight": index,
        "unit_id": None,
        "service_category_id": None,
        "item_variations_location_id": None,
    }
    shown["item_variation_data"] = _variation(line.variation)
    if line.removed:
        shown["delete"] = 1
    if switches.item_in_lines != "absent":
        object_or_empty(
            shown, "item", _item(line, whole=not row and switches.item_in_lines == "whole"), switches
        )
    return shown | {"created": moment(line.created), "modified": moment(line.modified)}


def _variation(held: Any) -> str | None:
    return base64.b64encode(json.dumps({"ItemVariation": dict(held)}).encode()).decode() if held else None


def _item(line: Line, *, whole: bool) -> Json | None:
    item = line.item
    if item is None:
        return None
    if not whole:
        return {"name": item.name}
    details = [
        {"value": value, "custom_field": {"name": name, "weight": weight, "publish": public}}
        for weight, (name, value, public) in enumerate(item.details, 1)
    ]
    return {
        "id": item.id,
        "item_number": item.number,
        "name": item.name,
        "sku": item.sku,
        "barcode": item.barcode,
        "serial_number": item.serial_number,
        "item_details": details,
    }
