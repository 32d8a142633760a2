"""Cases that a person must decide: an object in Xero may be the one that was sent, and nothing settles it."""

from collections.abc import Sequence
from typing import NoReturn

from contracts.json import Body, JsonObject
from contracts.money import to_cents
from contracts.reasons import Refused
from sinks.planner.amounts import amount_in, xero_day
from sinks.planner.situation import Situation
from sinks.resolve import ResolvedDocument
from sinks.xero.elements import Link, encode_jsonb
from sinks.xero.links import xero_page


def refuse_unsettled(
    situation: Situation, step: str, candidates: Sequence[tuple[JsonObject, Link]]
) -> NoReturn:
    """Raise ``needs_review``, which names the candidates and keeps the data for a decision.

    Args:
        step: what was sent, in words.
        candidates: the objects in Xero, each with the link that adopting it would make. All links have one
            target.
    """
    options = [_option(situation, found, link) for found, link in candidates]
    raise Refused(
        "needs_review",
        step=step,
        candidates="; ".join(_named(option) for option in options),
        target=target_text(candidates[0][1]),
        options=encode_jsonb(options),
    )


def is_as_sent(situation: Situation, found: JsonObject, document: ResolvedDocument) -> bool:
    """Return True if the object that Xero has under the document's number has its total, day and contact,
    too.
    """
    contact = situation.contact_link.xero_id if situation.contact_link else ""
    return (
        amount_in(found, "Total") == document.total
        and xero_day(found) == str(document.body["Date"])
        and (found.get("Contact") or {}).get("ContactID") == contact
    )


def target_text(link: Link) -> str:
    """Return the step whose result must be decided."""
    return " ".join(link.target).strip()


def _option(situation: Situation, found: JsonObject, link: Link) -> Body:
    kind = link.target.kind
    return {
        "xero_id": link.xero_id,
        "kind": kind,
        "number": link.xero_number,
        "amount": str(to_cents(amount_in(found, "Amount" if kind in ("payment", "refund") else "Total"))),
        "date": xero_day(found),
        "status": str(found.get("Status") or ""),
        "reference": str(found.get("Reference") or ""),
        "url": xero_page("payment" if kind == "refund" else kind, link.xero_id, situation.facts.short_code),
        "target": list(link.target),
        "seq": link.seq,
        "removed": link.removed,
        "facts": link.facts,
    }


def _named(option: JsonObject) -> str:
    """Return ``payment on 1042 of 20.00 on 2026-03-02 (AUTHORISED, Cash #1a2b3c4d), id …, https://…``."""
    kind = option["kind"].replace("_", " ")
    on = " on" if option["kind"] in ("payment", "refund") else ""
    told = ", ".join(text for text in (option["status"], option["reference"]) if text)
    what = f"{kind}{on} {option['number']} of {option['amount']} on {option['date']} ({told})"
    return ", ".join(text for text in (what, f"id {option['xero_id']}", option["url"]) if text)
