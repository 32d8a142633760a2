"""The common parts of invoices, bills and orders: the checks, and the facts kept in their links. Pure."""

from dataclasses import replace
from typing import Final

import msgspec

from contracts.commands import DocumentSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.planner.contacts import (
    contact_target,
    party_warnings,
    plan_archived,
    plan_gone,
    plan_party,
    trouble_warnings,
)
from sinks.planner.items import plan_item
from sinks.planner.situation import Done, Learn, Plan, Situation
from sinks.resolve import ResolvedDocument
from sinks.xero.elements import Link, Step, StepKey
from sinks.xero.facts import DocumentFacts

GONE = ("VOIDED", "DELETED")
RESEND: Final = "resend_seq"
"""Fact of a link: the position of the action that is to send the document again, although nothing is new."""
UNAPPROVED = ("DRAFT", "SUBMITTED")
# Refusals that may only mean that somebody changed the invoice in Xero since we last saw it.
_STATE = (
    "document_not_authorised",
    "document_not_editable",
    "document_not_in_xero",
    "paid_not_editable",
    "xero_refused",
)


def before_cutoff(s: Situation) -> bool:
    """Return True for a document that was there before the connection was enabled and that never came to
    Xero.
    """
    linked = any(link is not None and link.xero_id for link in (s.invoice_link, s.order_link))
    return not linked and s.document is not None and s.document.created < s.settings.enabled_at


def settled(situation: Situation, link: Link, document: DocumentSnapshot) -> Done:
    """Return how a created or edited action ends when Xero has this snapshot or a newer one."""
    same = link.stamp == document.stamp
    if same and link.seq == situation.seq:
        return Done(None, link, document_warnings(link), supersedes="snapshots")
    if same and link.text("confirmed_seq") == str(situation.seq):
        return Done("already_there", link, trouble_warnings(situation), supersedes="snapshots")
    return Done("already_there" if same else "superseded", link, trouble_warnings(situation))


def document_warnings(link: Link) -> tuple[Warning, ...]:
    """Return the warnings for a bookkeeper about the document as it was sent: our changes to it, and Xero's
    warnings.

    They are those of the moment of sending: settings may have changed since.
    """
    said = (warning("xero_warned", message=text) for text in link.document.get("warned") or ())
    return (*msgspec.convert(link.document.get("warnings") or [], list[Warning]), *said)


def sends_again(s: Situation, link: Link) -> bool:
    """Return True if somebody has changed the document in Xero, and this action is to correct it."""
    return link.text(RESEND) == str(s.seq)


def contact_along(s: Situation, link: Link) -> Plan | None:
    """Return the next step until the contact is right, too: customer data goes along with every snapshot,
    also with one that is older than the document in Xero. If this action has sent it itself, that is needed
    only when it is done again.
    """
    own = str(s.seq) in (str(link.seq), link.text("confirmed_seq"))
    linked = s.contact_link is not None and not s.contact_link.removed
    return plan_party(s, creates=False) if s.retried or (linked and not own) else None


def is_changed(link: Link, document: DocumentSnapshot, resolved: ResolvedDocument) -> bool:
    """Return True if the document, or its contact, differs from what was last sent."""
    party = contact_target(document.contact).record_id
    if link.text("party") != party:
        return True
    if link.stamp.equals(document.stamp) and link.text("content") == document.digest:
        return False  # published again: a change of settings since then is not an edit
    return link.text("fingerprint") != resolved.fingerprint


def prepare(s: Situation, *, creates: bool = True) -> Plan | None:
    """Return the step for things that must be in Xero before the document: the item that its lines name, and
    the contact.

    Args:
        creates: the document is made, or gets another contact, which an archived one cannot be.
    """
    return plan_item(s) or plan_party(s, creates=creates)


def other_party(s: Situation, link: Link, document: DocumentSnapshot) -> bool:
    """Return True if the contact of a document in Xero must be sent: it is another one, or it is to be
    corrected. Otherwise it is left out, since Xero accepts no archived one, even if it is there already.
    """
    return link.text("party") != contact_target(document.contact).record_id or sends_again(s, link)


def refused_for_state(s: Situation, *steps: Step) -> bool:
    """Return True if Xero refused one of these steps perhaps because the invoice was changed
    there by hand.
    """
    return s.refusal is not None and s.refusal.step in steps and s.refusal.code in _STATE


def give_up(s: Situation, *steps: Step) -> None:
    """Raise Xero's refusal of one of these steps."""
    if s.refusal is not None and s.refusal.step in steps:
        raise Refused(s.refusal.code, **s.refusal.details)


def document_of(s: Situation) -> DocumentSnapshot:
    """Return the snapshot that the command is planned from.

    Raises:
        Refused: there is none.
    """
    if s.document is None:
        raise Refused("our_error", message="the command carries no document")
    return s.document


def refused_party(s: Situation, *steps: Step) -> Plan | None:
    """Return what to do if Xero did not take the document because its contact is archived, merged or not
    there; None if the reason was another one.

    Raises:
        Refused: nothing can be done.
    """
    if s.refusal is None or s.refusal.step not in steps:
        return None
    if s.refusal.code == "contact_gone":
        return plan_gone(s)
    return plan_archived(s) if s.refusal.code == "contact_archived" else None


def document_facts(
    situation: Situation, document: DocumentSnapshot, resolved: ResolvedDocument
) -> DocumentFacts:
    """Return the facts to keep of a document that is sent: what it was made of, and the warnings for a
    bookkeeper.
    """
    return {
        "fingerprint": resolved.fingerprint,
        "amounts": resolved.amounts_fingerprint,
        **stamped(document),
        "line_ids": resolved.line_ids,
        "expected_total": resolved.total,
        "expected_tax": resolved.total_tax,
        "number": resolved.number,
        "currency": resolved.currency,
        "money": resolved.posted,
        "party": contact_target(document.contact).record_id,
        "warnings": [*resolved.warnings, *party_warnings(situation)],
    }


def as_sent(s: Situation, link: Link, document: DocumentSnapshot) -> Learn | None:
    """Count an unchanged document as sent: an older snapshot must not undo it."""
    if link.stamp >= document.stamp:
        return None
    newer = {**stamped(document), "confirmed_seq": str(s.seq)}
    return Learn((replace(link, facts={**link.facts, **newer}),))


def stamped(document: DocumentSnapshot) -> DocumentFacts:
    """Return the facts of a link that identify the snapshot that Xero has."""
    return {
        "version": document.version.isoformat(),
        "event_time": document.event_time.isoformat(),
        "position": str(document.position),
        "content": document.digest,
    }


def link_of_invoice(target: StepKey, invoice: JsonObject, link_facts: DocumentFacts, seq: int) -> Link:
    """Return the link for an invoice or bill as Xero returned it, with the content that was sent."""
    facts = facts_of(invoice, link_facts)
    number = str(invoice.get("InvoiceNumber") or link_facts.get("number") or "")
    return Link(target, str(invoice["InvoiceID"]), number, seq, facts["status"] in GONE, facts)


def facts_of(document: JsonObject, link_facts: DocumentFacts) -> DocumentFacts:
    """Return the facts that a link keeps of a document: the content that was sent, the ids that Xero gave its
    lines, status and total.
    """
    facts = link_facts.copy()
    line_ids = facts.pop("line_ids", ())
    items = [str(line.get("LineItemID") or "") for line in document.get("LineItems") or ()]
    if line_ids and len(items) == len(line_ids):
        facts["lines"] = [pair for pair in zip(line_ids, items, strict=True) if pair[1]]
    facts["status"] = str(document.get("Status") or "")
    facts["total"] = str(document.get("Total", facts.get("expected_total", 0)))
    return facts
