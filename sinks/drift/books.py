"""Keep what Xero shows of documents while its books are read, and tell it by records.

It is Xero's side of a reconciliation: nothing of what was sent goes into it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import structlog

from contracts.json import JsonObject
from runtime.database import Row, fetch_all, fetch_one
from runtime.sql import load_queries
from sinks.ledger import store as ledger
from sinks.planner.amounts import amount_in, xero_day
from sinks.xero.elements import encode_jsonb

log = structlog.stdlib.get_logger(__name__)

_SQL = load_queries(__file__)
_NUMBERS: Final = {
    "Invoices": "InvoiceNumber",
    "CreditNotes": "CreditNoteNumber",
    "PurchaseOrders": "PurchaseOrderNumber",
}
"""The lists that are kept, and the field that holds a document's number."""
_IDS: Final = {"Invoices": "InvoiceID", "CreditNotes": "CreditNoteID", "PurchaseOrders": "PurchaseOrderID"}
_NOTHING: Final = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class BookDocument:
    """A document as Xero showed it last."""

    kind: str
    xero_id: str
    number: str
    contact_id: str
    party: str
    day: date | None
    status: str
    net: Decimal
    tax: Decimal
    total: Decimal
    paid: Decimal
    """By payments on it; of a credit note, what was paid out."""
    currency: str
    url: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Linked:
    """An object in Xero that a record of SalesBinder is linked to."""

    kind: str
    record_id: str
    transaction_id: str
    xero_id: str
    removed: bool
    shown: BookDocument | None
    """None if Xero has not shown it."""


@dataclass(frozen=True, slots=True)
class Actions:
    """How the actions of a record stand."""

    is_open: bool
    """Whether one waits or runs."""
    last_at: datetime
    """When anything happened to one of them last."""
    failed: Mapping[str, object] | None
    """The newest that failed: ``command_id``, ``action``, ``reason_code``, ``reason_args``."""
    skipped: Mapping[str, object] | None
    """The newest that an operator ended: ``command_id``, ``action``, ``actor``."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """A field in which Xero differs from what was last synced, by the comparison with that."""

    field: str
    ours: str
    xeros: str
    why: str
    """Blank: it was changed in Xero."""
    changed_at: datetime | None
    changed_by: str
    adopted_by: str
    """Who has accepted Xero's version; blank if nobody has."""


def kept_of(envelope: str, found: JsonObject) -> Row | None:
    """Return what is kept of an object of this list; None for one that is not kept. Pure."""
    kind = _kind(envelope, str(found.get("Type") or ""))
    own_id = str(found.get(_IDS.get(envelope, "")) or "")
    if kind is None or not own_id:
        return None
    contact = found.get("Contact") or {}
    total = amount_in(found, "Total")
    return {
        "xero_id": own_id,
        "kind": kind,
        "number": str(found.get(_NUMBERS[envelope]) or ""),
        "contact_id": str(contact.get("ContactID") or ""),
        "party": str(contact.get("Name") or ""),
        "day": xero_day(found) or None,
        "status": str(found.get("Status") or ""),
        "net": str(amount_in(found, "SubTotal")),
        "tax": str(amount_in(found, "TotalTax")),
        "total": str(total),
        "paid": str(_paid(kind, found, total)),
        "currency": str(found.get("CurrencyCode") or ""),
        "url": str(found.get("Url") or ""),
    }


def _kind(envelope: str, kind: str) -> str | None:
    if envelope == "Invoices":
        return {"ACCREC": "invoice", "ACCPAY": "bill"}.get(kind)
    if envelope == "CreditNotes":
        return "credit_note" if kind == "ACCRECCREDIT" else None
    return "purchase_order" if envelope == "PurchaseOrders" else None


def _paid(kind: str, found: JsonObject, total: Decimal) -> Decimal:
    if kind != "credit_note":
        return amount_in(found, "AmountPaid")
    allocated = sum((amount_in(one, "Amount") for one in found.get("Allocations") or ()), _NOTHING)
    return total - amount_in(found, "RemainingCredit") - allocated


async def keep(
    connection: ledger.Connection,
    account: str,
    envelope: str,
    found: Sequence[JsonObject],
    gone: Sequence[str],
    asked_at: datetime | None,
) -> None:
    """Keep what a call has shown, and forget objects that Xero no longer knows.

    Args:
        gone: ids that were asked for and are not among ``found``.
    """
    if envelope not in _NUMBERS:
        return
    rows = [row for one in found if (row := _readable(envelope, one)) is not None]
    parameters = {"account": account, "rows": encode_jsonb(rows), "asked_at": asked_at, "gone": list(gone)}
    await connection.execute(_SQL["keep"], parameters)
    if gone:
        await connection.execute(_SQL["forget"], parameters)


def _readable(envelope: str, found: JsonObject) -> Row | None:
    """Return what is kept of an object. If something about it is odd, that must not stop the reading."""
    try:
        return kept_of(envelope, found)
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        log.exception("a document of Xero could not be kept", xero_id=found.get(_IDS[envelope]))
        return None


async def are_whole(connection: ledger.Connection, account: str) -> bool:
    """Return True if all documents of the account's organisation have been read once, so that reading what
    was changed since is enough.
    """
    row = await fetch_one(connection, _SQL["are_whole"], {"account": account})
    return row is not None and bool(row["are_whole"])


async def linked(
    connection: ledger.Connection, account: str, records: Sequence[str]
) -> dict[str, list[Linked]]:
    """Return, by record id, the invoices, orders, bills and credit notes that these records are linked to."""
    rows = await fetch_all(connection, _SQL["linked"], {"account": account, "records": list(records)})
    found: dict[str, list[Linked]] = {}
    for row in rows:
        shown = _document(row) if row["status"] is not None else None
        names = ("kind", "record_id", "transaction_id", "xero_id", "removed")
        one = Linked(**{name: row[name] for name in names}, shown=shown)
        found.setdefault(one.record_id, []).append(one)
    return found


async def with_urls(
    connection: ledger.Connection, account: str, urls: Iterable[str]
) -> dict[str, list[BookDocument]]:
    """Return, by ``Url``, the documents in Xero that point at these addresses, linked or not."""
    rows = await fetch_all(connection, _SQL["with_urls"], {"account": account, "urls": sorted(urls)})
    found: dict[str, list[BookDocument]] = {}
    for row in rows:
        found.setdefault(row["url"], []).append(_document(row))
    return found


def _document(row: Row) -> BookDocument:
    names = BookDocument.__slots__
    return BookDocument(**{name: row[name] for name in names})


async def next_linked(
    connection: ledger.Connection, account: str, after: tuple[str, str], limit: int
) -> list[tuple[str, str]]:
    """Return the linked documents (kind ``invoice`` or ``purchase_order``, record id) behind this one."""
    parameters = {"account": account, "kind": after[0], "record_id": after[1], "limit": limit}
    rows = await fetch_all(connection, _SQL["next_linked"], parameters)
    return [(row["kind"], row["record_id"]) for row in rows]


async def contacts_of(connection: ledger.Connection, account: str, parties: Iterable[str]) -> dict[str, str]:
    """Return the ContactID that each of these (``customer/ID``) is linked to."""
    rows = await fetch_all(connection, _SQL["contacts"], {"account": account, "parties": sorted(parties)})
    return {row["record_id"]: row["xero_id"] for row in rows}


async def actions_of(
    connection: ledger.Connection, account: str, records: Sequence[str]
) -> dict[tuple[str, str], Actions]:
    """Return, by entity and record id, how the actions of these records stand."""
    rows = await fetch_all(connection, _SQL["actions"], {"account": account, "records": list(records)})
    return {
        (row["entity"], row["record_id"]): Actions(
            row["is_open"], row["last_at"], row["failed"], row["skipped"]
        )
        for row in rows
    }


async def changed_by_hand(
    connection: ledger.Connection, account: str, records: Sequence[str]
) -> dict[str, list[ByHand]]:
    """Return, by record id, where the last comparison found Xero other than what was last synced."""
    rows = await fetch_all(connection, _SQL["by_hand"], {"account": account, "records": list(records)})
    found: dict[str, list[ByHand]] = {}
    for row in rows:
        found.setdefault(row.pop("record_id"), []).append(ByHand(**row))
    return found
