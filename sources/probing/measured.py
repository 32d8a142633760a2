"""What the reader of an account has measured, as findings. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mappers.receipts import RECEIVED
from sources.probing.questions import Finding
from sources.salesbinder.statuses import CANCELLED
from sources.schedule.layers import Listing
from sources.schedule.trust import Evidence, Kind

PART_OF: Final[Mapping[Kind, str]] = {
    "payment_applied": "a payment",
    "refund_applied": "Return Payment",
    "reset": "Reset Invoice",
    "cancelled": "cancelling",
    "received": "receiving in full",
}
_STATUS_PARTS: Final[Mapping[str, str]] = {
    "unpaid": "unpaid",
    "partially paid": "partially paid",
    "partial": "partially paid",
    "paid in full": "paid in full",
    "paid": "paid in full",
    "not sent": "an order that is not received",
    "sent": "an order that is not received",
    "open": "an order that is not received",
    "partially received": "partially received",
    **dict.fromkeys(CANCELLED, "cancelled"),
    **dict.fromkeys(RECEIVED, "received"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What is kept of an account that bears on the open questions."""

    trust: Mapping[Kind, Evidence]
    statuses: Mapping[Listing, frozenset[str]]
    """Ids of statuses of documents that are not settled."""
    problems: Mapping[str, int]
    """Codes of what cannot be made sense of, with how often they stand."""
    trouble: tuple[str, str] | None = None
    """A reason code, and what SalesBinder answered."""
    feed: str | None = None
    """How the change feed stands; none if it is not followed."""
    hook_at: datetime | None = None
    """When the last webhook came."""


def status_part(entity: str, name: str) -> str:
    """Return which part of the question about statuses a status answers; blank if none."""
    part = _STATUS_PARTS.get(name, "")
    is_of_orders = part in ("an order that is not received", "partially received", "received")
    return part if is_of_orders == (entity == "purchase_order") or part == "cancelled" else ""


def findings(known: Measured) -> list[Finding]:
    """Return what the reader has learnt of the open questions."""
    found = [
        _of_trust(kind, evidence)
        for kind, evidence in known.trust.items()
        if evidence.moved + evidence.unmoved
    ]
    for listing, ids in known.statuses.items():
        if ids:
            said = f"ids {', '.join(sorted(ids))}"
            found.append(Finding(f"statuses of {listing} that are not settled", said, 3, origin="reader"))
    if known.trouble is not None:
        code, text = known.trouble
        said = f"{code}: answered {text}" if text.isdigit() else code
        parts = {"salesbinder_blocked": (8, ""), "salesbinder_key_refused": (9, "a wrong key")}
        number, part = parts.get(code, (0, ""))
        found.append(Finding("trouble of the account", said, number, part, "reader"))
    counts = Counter(known.problems)
    if counts:
        said = ", ".join(f"{code} {count} times" for code, count in sorted(counts.items()))
        found.append(Finding("what the reader cannot make sense of", said, origin="reader"))
    if known.feed is not None:
        part = "whether it can be read" if known.feed.startswith("read") else ""
        found.append(Finding("the change feed", known.feed, 11, part, "reader"))
    if known.hook_at is not None:
        said = f"the last one came at {known.hook_at:%F %R} UTC"
        found.append(Finding("webhooks", said, 12, "whether they come", "reader"))
    return found


def _of_trust(kind: Kind, evidence: Evidence) -> Finding:
    said = f"moved modified {evidence.moved} times, and {evidence.unmoved} times not"
    if evidence.moved and evidence.unmoved:
        said += f"; {evidence.run} times in a row at last" if evidence.run else "; not at last"
    return Finding(PART_OF[kind], said, 1, PART_OF[kind], "reader")
