"""Rows of invoices and purchase orders: enough to see that something changed, never what. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from contracts.events.types import CONTEXTS
from sources.problems import Unreadable
from sources.salesbinder.answers import listed
from sources.salesbinder.statuses import is_received
from sources.salesbinder.values import (
    amount_of,
    identifier,
    is_true,
    lenient_text,
    moment,
    moment_or_none,
    number,
    own_id,
)

DocumentEntity = Literal["invoice", "purchase_order"]

_MARKED: Final = ("document_number", "customer_id", "name", "issue_date", "total_cost", "total_price",
                  "total_tax", "total_tax2", "total_transactions", "modified")  # fmt: skip
_LINE_NUMBERS: Final = ("quantity", "price", "tax", "tax2", "discount_percent")
_LINE_TEXTS: Final = ("name", "description", "item_id", "item_variation_data")
_REPORT: Final = "Report the answer to SalesBinder."


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """What a row of a list shows of a document."""

    entity: DocumentEntity
    id: str
    modified: datetime | None
    created: datetime | None
    status: str
    total: Decimal | None
    """``total_transactions``; none if it cannot be read."""
    mark: str
    """A digest of all that a row and a detail both show, apart from lines and customer."""
    lines: str
    """A digest of the row's own lines; blank if it has none."""
    receipts: str
    """A digest of how much of each line has come in."""
    header: str
    """A digest of the header without status, sum paid and ``modified``."""
    received: bool
    """Whether an order has come in in full, as far as the row shows it."""


def read_row(row: Any, entity: DocumentEntity) -> DocumentRow:
    """Return what a row of the list of ``entity`` shows.

    Raises:
        Unreadable: it names no document, or one of another context.
    """
    if not isinstance(row, Mapping):
        raise Unreadable("row", row, "it is not an object", _REPORT)
    record_id = own_id(row.get("id"))
    if record_id is None:
        raise Unreadable("id", row.get("id"), "it is required", _REPORT)
    context = number(row.get("context_id"))
    if context is not None and str(context) != str(CONTEXTS[entity]):
        raise Unreadable(
            "context_id", context, f"rows of {CONTEXTS[entity]} were asked for", _REPORT, "record_foreign"
        )
    return DocumentRow(
        entity,
        record_id,
        moment_or_none(row.get("modified")),
        moment_or_none(row.get("created")),
        status_of(row),
        _sum_or_none(row),
        row_mark(row),
        row_lines(row, entity),
        row_receipts(row),
        row_header(row),
        entity == "purchase_order" and is_received(status_of(row), _came(row)),
    )


def row_header(record: Mapping[str, Any]) -> str:
    """Return a digest of the header without what has events of its own."""
    names = [name for name in _MARKED if name not in ("total_transactions", "modified")]
    return hash_of([_marked_text(name, record.get(name)) for name in names])


def _came(record: Mapping[str, Any]) -> list[tuple[Decimal, Decimal]]:
    """Return quantity and quantity received of each line."""
    nothing = Decimal(0)
    return [
        (
            _amount_or_none(line.get("quantity")) or nothing,
            _amount_or_none(line.get("quantity_partially_received")) or nothing,
        )
        for line in _live_lines(record)
    ]


def row_rest(lines: str, receipts: str) -> str:
    """Return a digest of what a row shows besides its mark: lines and receipts."""
    return hash_of([lines, receipts])


def row_mark(record: Mapping[str, Any]) -> str:
    """Return a digest of what a row and a detail of one state both show, however they write it."""
    return hash_of([status_of(record), *(_marked_text(name, record.get(name)) for name in _MARKED)])


def row_lines(record: Mapping[str, Any], entity: DocumentEntity) -> str:
    """Return a digest of the lines as a row shows them; blank if it shows none."""
    lines = _live_lines(record)
    numbers = _LINE_NUMBERS if entity == "invoice" else (*_LINE_NUMBERS, "cost")
    if not lines:
        return ""
    return hash_of(
        sorted(
            hash_of(
                [
                    *(_plain(line.get(name)) for name in numbers),
                    *(str(identifier(line.get(name)) or "") for name in _LINE_TEXTS),
                ]
            )
            for line in lines
        )
    )


def row_receipts(record: Mapping[str, Any]) -> str:
    """Return a digest of how much of each line has come in."""
    return hash_of(sorted(_plain(line.get("quantity_partially_received")) for line in _live_lines(record)))


def _live_lines(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = listed(record.get("document_items")) or []
    return [row for row in rows if isinstance(row, Mapping) and not is_taken_out(row)]


def is_taken_out(row: Any) -> bool:
    """Return True for a line that was taken out of its document (``delete: 1``) and is sent along."""
    return isinstance(row, Mapping) and is_true(row.get("delete"))


def status_of(record: Mapping[str, Any]) -> str:
    """Return the name of the record's status in lower case; blank if there is none.

    Status ids are not looked at: they are documented for two states only.
    """
    status = record.get("status")
    name = status.get("name") if isinstance(status, Mapping) else status
    cleaned = lenient_text(name)
    return " ".join(cleaned.split()).casefold() if isinstance(cleaned, str) else ""


def _marked_text(name: str, value: Any) -> str:
    if name.startswith("total_"):
        return _plain(value)
    if name in ("modified", "issue_date"):
        found = moment_or_none(value)
        return found.isoformat() if found is not None else repr(moment(value))
    return str(identifier(value) or "")


def _plain(value: Any) -> str:
    if number(value) is None:
        return "0"
    amount = _amount_or_none(value)
    return number_text(amount) if amount is not None else repr(value)


def number_text(value: Decimal | None) -> str:
    """Return a number without the noise of floats; nothing and zero are the same."""
    rounded = round(value or Decimal(0), 6)
    return format(rounded.normalize(), "f") if rounded else "0"


def hash_of(parts: Sequence[str]) -> str:
    """Return a digest of texts in their order."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def sum_paid(record: Mapping[str, Any]) -> Decimal:
    """Return the sum of the transactions as the record states it. Blank is 0: MySQL's sum of no rows is NULL.

    Raises:
        Unreadable: it is missing or is not a number.
    """
    value = record.get("total_transactions")
    if "total_transactions" in record and number(value) is None:
        return Decimal(0)
    return amount_of(value, "total_transactions")


def _sum_or_none(record: Mapping[str, Any]) -> Decimal | None:
    try:
        return sum_paid(record)
    except Unreadable:
        return None


def _amount_or_none(value: Any) -> Decimal | None:
    try:
        return amount_of(value, "")
    except Unreadable:
        return None
