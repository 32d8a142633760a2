"""The log in a bookkeeper's words, and how the page formats values."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from contracts.reasons import CATALOGUE, Kind
from contracts.urls import split_address
from log_projection import steps

STATES = {"queued": "Queued", "running": "Running", "completed": "Completed", "failed": "Failed"}
MARKS = {"queued": "○", "running": "◐", "completed": "✓", "failed": "✕"}
ENTITIES = {
    "customer": "Customer",
    "supplier": "Supplier",
    "invoice": "Invoice",
    "purchase_order": "Purchase order",
}
ACTIONS = {
    "created": "Created",
    "edited": "Edited",
    "deleted": "Deleted",
    "cancelled": "Cancelled",
    "reset": "Reset",
    "payment_applied": "Payment applied",
    "refund_applied": "Refund applied",
    "received": "Received",
}
OUTCOMES = {
    "posted": "Posted to Xero",
    "already_there": "Already in Xero",
    "not_needed": "Nothing to do in Xero",
    "before_cutoff": "Older than the connection, not synced",
    "superseded": "Superseded by a later change",
    "skipped_by_operator": "Skipped by an operator",
}
PERIODS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "last_7_days": "Last 7 days",
    "last_30_days": "Last 30 days",
    "this_month": "This month",
    "last_month": "Last month",
    "this_year": "This year",
    "last_year": "Last year",
}
SORTS = {
    "-time": "Newest first",
    "time": "Oldest first",
    "-amount": "Largest amount first",
    "amount": "Smallest amount first",
    "document": "Lowest number first",
    "-document": "Highest number first",
}
TRIGGERS = {
    "event": "Change in SalesBinder",
    "retry": "Retried",
    "replay": "Replayed",
    "drift": "Sent again after a comparison with Xero",
    "decision": "Decided",
    "dead_letter": "Unreadable event",
    "source": "Reading SalesBinder",
}
PROPOSALS = {
    "resend": "Send SalesBinder's again",
    "adopt": "Accept Xero's",
    "follows": "Fixed along with others",
}
XERO_TYPES = {
    "contact": "Contact",
    "invoice": "Invoice",
    "payment": "Payment",
    "credit_note": "Credit note",
    "bill": "Bill",
    "purchase_order": "Purchase order",
    "refund": "Refund",
}


def in_words(value: str | None) -> str:
    """Return ``Tax rate unmapped`` for ``tax_rate_unmapped``."""
    text = (value or "").replace("_", " ")
    return text[:1].upper() + text[1:]


def step(row: Mapping[str, Any]) -> str:
    """Return a step of an entry in a line: ``Retried by ann``, ``Failed: Xero has no such tax rate.``"""
    text = steps.in_words(row)
    return text[:1].upper() + text[1:]


def every(interval: str) -> str:
    """Return ``every day`` for ``1d``, ``every 12 hours`` for ``12h``."""
    count, unit = int(interval[:-1]), {"h": "hour", "d": "day", "w": "week"}[interval[-1]]
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def document(row: Mapping[str, Any]) -> str:
    """Return the record's number, else its name, else the beginning of its id."""
    if row["entity"] in ("customer", "supplier"):
        return str(row["party_name"] or row["record_number"] or row["record_id"][:8])
    return str(row["record_number"] or row["record_id"][:8])


def money(amount: Decimal | None) -> str:
    """Return ``1,234.50``, with the decimals that it has; blank for None."""
    return "" if amount is None else f"{amount:,}"


def moment(at: datetime | None, shape: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Return a moment in UTC; blank for None."""
    return "" if at is None else at.astimezone(UTC).strftime(shape)


def took(started: datetime | None, finished: datetime | None) -> str:
    """Return how long something took: ``240 ms``, ``1.4 s``, ``3 min``; blank if it has not ended."""
    if started is None or finished is None:
        return ""
    return span((finished - started).total_seconds())


def span(seconds: float | None) -> str:
    """Return a duration: ``240 ms``, ``1.4 s``, ``3 min``, ``5 h``, ``3 days``; blank for None."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for bound, unit, shape in ((120, 1, "{:.1f} s"), (7200, 60, "{:.0f} min"), (172_800, 3600, "{:.0f} h")):
        if seconds < bound:
            return shape.format(seconds / unit)
    return f"{seconds / 86_400:.0f} days"


def pretty(text: str) -> str:
    """Return a body for people: JSON with one value per line, anything else unchanged."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return text


_KINDS: dict[Kind, str] = {
    "failed": "Failed in Xero or before it",
    "settings": "Because of a setting",
    "waiting": "Waiting",
    "source": "Reading SalesBinder",
    "event": "Unreadable events",
}
"""The kinds of reasons that entries have. A warning is not the reason of an entry's state."""


def reasons_by_kind(codes: Iterable[str]) -> list[tuple[str | None, str]]:
    """Return codes with titles to choose from, each kind's after its heading, which has no code."""
    titles = {kind: list[tuple[str | None, str]]() for kind in _KINDS}
    for code in codes:
        reason = CATALOGUE[code]
        if reason.kind in titles:
            titles[reason.kind].append((code, reason.title))
    found: list[tuple[str | None, str]] = []
    for kind, pairs in titles.items():
        found += [(None, _KINDS[kind]), *sorted(pairs, key=lambda pair: pair[1])] if pairs else []
    return found


def web_address(value: str) -> str:
    """Return ``value`` if it is a web address, else blank: no other scheme becomes a link."""
    parts = split_address(value)
    return value if parts is not None and parts.scheme in ("http", "https") and parts.netloc else ""


def cause(code: str | None) -> str:
    """Return why this happens; blank for a code that is not in the catalogue."""
    return CATALOGUE[code].cause if code in CATALOGUE else ""


def by_itself(code: str | None) -> str:
    """Return what happens automatically; blank for a code that is not in the catalogue."""
    return CATALOGUE[code].retry if code in CATALOGUE else ""
