"""Details and rows of invoices and purchase orders. Pure.

Only a detail is fit for an event: rows have no transactions, and perhaps not all lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from contracts.events import records
from contracts.events.types import CONTEXTS
from contracts.money import plain
from sources.events import checked
from sources.problems import LOOK_AGAIN, Unreadable
from sources.salesbinder.accounts import account_body
from sources.salesbinder.answers import listed
from sources.salesbinder.rows import (
    DocumentEntity,
    is_taken_out,
    row_header,
    row_lines,
    row_mark,
    row_receipts,
    row_rest,
    status_of,
    sum_paid,
)
from sources.salesbinder.transactions import Transaction, read_transactions
from sources.salesbinder.values import (
    Clean,
    code,
    identifier,
    is_blank,
    is_true,
    lenient_text,
    moment,
    number,
    picked,
    text,
)

_HEADER: Final[dict[str, Clean]] = {
    "id": identifier,
    "document_number": code,
    "context_id": number,
    "customer_id": identifier,
    "name": text,
    "issue_date": moment,
    "expiry_date": moment,
    "due_date": moment,
    "currency": text,
    "currency_rate": number,
    "total_cost": number,
    "total_price": number,
    "total_tax": number,
    "total_tax2": number,
    "total_transactions": number,
    "created": moment,
    "modified": moment,
}
_LINE: Final[dict[str, Clean]] = {
    "id": identifier,
    "quantity": number,
    "price": number,
    "name": text,
    "description": text,
    "cost": number,
    "discount_percent": number,
    "discounted_price": number,
    "tax": number,
    "tax2": number,
    "quantity_partially_received": number,
    "item_id": identifier,
    "item_variation_data": lenient_text,
}
_ITEM: Final[dict[str, Clean]] = dict.fromkeys(
    ("name", "item_number", "sku", "barcode", "serial_number"), lenient_text
)
_SENSES: Final = frozenset(_HEADER) - {"id", "created", "modified", "total_transactions"}
_REMEDY: Final = LOOK_AGAIN + "If it stays, open the document in SalesBinder and report the answer to them."


@dataclass(frozen=True, slots=True)
class Shape:
    """The contract's fields that a detail has: one that is missing later is a problem, not a change."""

    header: tuple[str, ...]
    lines: tuple[str, ...] | None
    """Those that each of the lines has; none without lines."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A document as one detail answer shows it."""

    entity: DocumentEntity
    id: str
    body: Mapping[str, Any]
    """The record of an event: the contract's fields."""
    document: records.Document
    """The same as the pipeline reads it."""
    status: str
    """Its name in lower case; blank if it has none."""
    shape: Shape
    transactions: tuple[Transaction, ...]
    total: Decimal
    """``total_transactions``."""
    is_total_blank: bool
    """Whether it is blank, which may be a sum of no rows, or of what the key may not see."""
    mark: str
    """What a row of this state would show (``row_mark``)."""
    row_header: str
    """And its header (``row_header``)."""
    row_lines: str
    """And its lines (``row_lines``), if it has them all."""
    row_rest: str
    """And its lines and receipts together (``row_rest``)."""
    unreadable_money: Unreadable | None
    """Why transactions and total cannot be read; the rest of the detail can."""


def read_detail(record: Mapping[str, Any], document_id: str, account: str) -> Detail:
    """Return the document of the detail answer that was asked for by this id.

    Raises:
        Unreadable: it is another document, or cannot be read; it names the field.
    """
    body = picked(record, _HEADER)
    if body.get("id") != document_id:
        raise Unreadable(
            "id", body.get("id"), f"{document_id} was asked for", _REMEDY, "record_foreign"
        )  # fmt: skip
    entity = _entity(body.get("context_id"))
    status = status_of(record)
    body["status"] = {"name": status} if status else None
    lines = _lines(record.get("document_items"), entity)
    body["document_items"] = lines
    body["customer"] = _customer(record.get("customer"))
    rows, total, wrong = _money(record, document_id)
    if wrong is not None:
        body.pop("total_transactions", None)
    body["transactions"] = [{"id": row.id, "amount": plain(row.amount)} for row in rows]
    data = checked(account, entity, document_id, {"document": body}).data
    assert isinstance(data, records.DocumentData)
    document = data.document
    if not lines and any((document.total_price, document.total_cost, document.total_tax)):
        raise Unreadable("document_items", "[]", "there are no lines, but there are totals", _REMEDY)
    shape = Shape(tuple(sorted(set(record) & _SENSES)), _common_fields(record.get("document_items")))
    return Detail(
        entity=entity,
        id=document_id,
        body=body,
        document=document,
        status=status,
        shape=shape,
        transactions=rows,
        total=total,
        is_total_blank=number(record.get("total_transactions")) is None,
        mark=row_mark(record),
        row_header=row_header(record),
        row_lines=row_lines(record, entity),
        row_rest=row_rest(row_lines(record, entity), row_receipts(record)),
        unreadable_money=wrong,
    )


def _entity(context: Any) -> DocumentEntity:
    for entity in ("invoice", "purchase_order"):
        if str(context) == str(CONTEXTS[entity]):
            return entity
    raise Unreadable(
        "context_id",
        context,
        "it is neither an invoice (5) nor a purchase order (11)",
        _REMEDY,
        "record_foreign",
    )


def _lines(value: Any, entity: DocumentEntity) -> list[dict[str, Any]]:
    """Return the lines; one that was taken out (``delete: 1``) is none.

    Raises:
        Unreadable: they are not a list of objects.
    """
    rows = listed(value)
    if rows is None:
        raise Unreadable("document_items", value, "it is not a list", _REMEDY)
    return [_line(row, place, entity) for place, row in enumerate(rows) if not is_taken_out(row)]


def _line(row: Any, place: int, entity: DocumentEntity) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise Unreadable(f"document_items[{place}]", row, "it is not an object", _REMEDY)
    line = {name: value for name, value in picked(row, _LINE).items() if value is not None}
    if entity == "purchase_order" and "price" in row and "cost" in line:
        # What an order's goods cost is its unit amount; they need not have a price for selling them.
        line.setdefault("price", "0")
    if (item := row.get("item")) and isinstance(item, Mapping):
        line["item"] = {**picked(item, _ITEM), "item_details": _details(item.get("item_details"))}
    return line


def _details(value: Any) -> list[dict[str, Any]]:
    """Return the custom fields that can be read; nothing depends on the others."""
    found = []
    for row in listed(value) or []:
        field = row.get("custom_field") if isinstance(row, Mapping) else None
        if isinstance(field, Mapping) and (name := lenient_text(field.get("name"))) is not None:
            publish = is_true(field.get("publish"))
            weight = field.get("weight") if isinstance(field.get("weight"), int) else None
            custom = {"name": name, "weight": weight, "publish": publish}
            found.append({"value": lenient_text(row.get("value")), "custom_field": custom})
    return found


def _customer(value: Any) -> dict[str, Any]:
    if is_blank(value):
        raise Unreadable(
            "customer", value, "it is required: a document is for a customer or from a supplier", _REMEDY
        )
    body = account_body(value)
    body.pop("context_id", None)
    return body


def _money(
    record: Mapping[str, Any], document_id: str
) -> tuple[tuple[Transaction, ...], Decimal, Unreadable | None]:
    """Return transactions and their stated sum, or why one of them cannot be read."""
    total = Decimal(0)
    try:
        total = sum_paid(record)
        if "transactions" not in record or record["transactions"] is None:
            raise Unreadable(
                "transactions", None, "they are missing in this answer", _REMEDY, "transactions_missing"
            )
        return read_transactions(record["transactions"], document_id), total, None
    except Unreadable as wrong:
        return (), total, wrong


def _common_fields(lines: Any) -> tuple[str, ...] | None:
    rows = [row for row in listed(lines) or [] if isinstance(row, Mapping) and not is_taken_out(row)]
    if not rows:
        return None
    return tuple(sorted(set(_LINE).intersection(*(set(row) for row in rows)) - {"id"}))
