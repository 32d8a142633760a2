"""Is Xero's object equal to this snapshot? Compare field by field, as far as our bodies name them. Pure."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from contracts.commands import DocumentSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused
from sinks.ledger.entries import Entry
from sinks.planner.amounts import amount_in, xero_day
from sinks.recover.record import Found, Record
from sinks.resolve import ResolvedDocument

Resolve = Callable[[Entry, DocumentSnapshot], ResolvedDocument]
_TEXTS = ("Reference", "CurrencyCode")
_LINE_TEXTS = ("Description", "ItemCode")
_LINE_NUMBERS = ("Quantity", "UnitAmount", "DiscountRate", "TaxAmount")


def newest_whole(
    record: Record, found: Found, candidates: Sequence[tuple[Entry, DocumentSnapshot]], resolve: Resolve
) -> tuple[Entry, DocumentSnapshot, ResolvedDocument] | None:
    """Return the newest of the snapshots that is in Xero whole; None if something differs from each."""
    for entry, document in sorted(candidates, key=lambda one: one[1].stamp, reverse=True):
        resolved = resolved_or_none(resolve, entry, document)
        if resolved is not None and is_whole(record, found, document, resolved):
            return entry, document, resolved
    return None


def resolved_or_none(resolve: Resolve, entry: Entry, document: DocumentSnapshot) -> ResolvedDocument | None:
    """Return the document as it would be sent today; None if it cannot be."""
    try:
        return resolve(entry, document)
    except Refused:
        return None


def is_whole(record: Record, found: Found, document: DocumentSnapshot, resolved: ResolvedDocument) -> bool:
    """Return True if everything that our body names is in Xero as it names it. Accounts and tax types of
    lines are left out: people put those right in Xero, and they say nothing of which snapshot it is.
    """
    body = resolved.body
    if amount_in(found, "Total") != resolved.total or xero_day(found) != str(body["Date"]):
        return False
    if any(_text(found.get(name)) != _text(body[name]) for name in _TEXTS if name in body):
        return False
    if "DueDate" in body and _due(found) not in ("", str(body["DueDate"])):
        return False
    party = record.situation(record.entries[0], document).contact_link
    contact = str((found.get("Contact") or {}).get("ContactID") or "")
    if party is not None and contact and contact != party.xero_id:
        return False
    return _same_lines(found.get("LineItems") or (), body["LineItems"])


def _same_lines(there: Sequence[JsonObject], ours: Sequence[JsonObject]) -> bool:
    if len(there) != len(ours):
        return False
    for one, other in zip(there, ours, strict=True):
        if any(_text(one.get(name)).casefold() != _text(other.get(name)).casefold() for name in _LINE_TEXTS):
            return False
        if any(_number(one.get(name)) != _number(other.get(name)) for name in _LINE_NUMBERS):
            return False
    return True


def _due(found: Found) -> str:
    return xero_day({"DateString": found.get("DueDateString"), "Date": found.get("DueDate")})


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _number(value: Any) -> Decimal:
    return Decimal(str(value or 0)).normalize()
