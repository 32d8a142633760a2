"""Planning an invoice's own state in Xero: created, edited, authorised."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, NoReturn

import msgspec

from contracts.commands import DocumentSnapshot
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.planner.amounts import amount_in, xero_day
from sinks.planner.contact_lookups import quoted
from sinks.planner.contacts import (
    contact_target,
    party_warnings,
    plan_archived,
    plan_gone,
    plan_party,
    trouble_warnings,
)
from sinks.planner.items import plan_item, refuse_tracked
from sinks.planner.line_ids import lines_lost, lines_refused, with_line_ids
from sinks.planner.review import is_as_sent, refuse_unsettled
from sinks.planner.situation import Done, Learn, Plan, Send, Situation, Wait
from sinks.resolve import ResolvedDocument, resolve_invoice
from sinks.xero.elements import Element, Link, Step, StepKey
from sinks.xero.facts import DocumentFacts

GONE = ("VOIDED", "DELETED")
RESEND: Final = "resend_seq"
"""Fact of a link: the position of the action that is to send the document again, though nothing is new."""
UNAPPROVED = ("DRAFT", "SUBMITTED")
# Refusals that may only mean that somebody changed the invoice in Xero since we last saw it.
_STATE = (
    "document_not_authorised",
    "document_not_editable",
    "document_not_in_xero",
    "paid_not_editable",
    "xero_refused",
)


def invoice_target(record_id: str) -> StepKey:
    """The step key of an invoice."""
    return StepKey("invoice", record_id)


def before_cutoff(s: Situation) -> bool:
    """True for a document that was there before the connection was enabled and that never came to Xero."""
    linked = any(link is not None and link.xero_id for link in (s.invoice_link, s.order_link))
    return not linked and s.document is not None and s.document.created < s.settings.enabled_at


def plan_snapshot_command(s: Situation) -> Plan:
    """An invoice was created or edited."""
    if before_cutoff(s):
        return Done("before_cutoff")
    document = document_of(s)
    link = s.invoice_link
    if link is not None:
        refuse_removed(s, link)
        if link.stamp >= document.stamp and not sends_again(s, link):
            return contact_along(s, link) or settled(s, link, document)
    step = plan_invoice(s)
    if step is not None:
        return step
    assert s.invoice_link is not None
    return settled(s, s.invoice_link, document)


def settled(s: Situation, link: Link, document: DocumentSnapshot) -> Done:
    """How a created or edited action ends when Xero has this snapshot or a newer one."""
    same = link.stamp == document.stamp
    if same and link.seq == s.seq:
        return Done(None, link, document_warnings(link), supersedes="snapshots")
    if same and link.text("confirmed_seq") == str(s.seq):
        return Done("already_there", link, trouble_warnings(s), supersedes="snapshots")
    return Done("already_there" if same else "superseded", link, trouble_warnings(s))


def document_warnings(link: Link) -> tuple[Warning, ...]:
    """What a bookkeeper should know about the document as it was sent: what we changed, and what Xero said.

    They are those of the moment of sending: settings may have changed since.
    """
    said = (warning("xero_warned", message=text) for text in link.document.get("warned") or ())
    return (*msgspec.convert(link.document.get("warnings") or [], list[Warning]), *said)


def plan_invoice(s: Situation) -> Plan | None:
    """The next step until Xero's invoice is what this snapshot says; none when it is.

    Raises:
        Refused: it cannot be.
    """
    document = document_of(s)
    link = s.invoice_link
    posted = link.facts if link else None
    resolved = resolve_invoice(document, s.settings, s.facts, s.command.account, posted)
    if link is None:
        return prepare(s) or _create(s, document, resolved)
    if not is_changed(link, document, resolved) and not sends_again(s, link):
        return plan_party(s, creates=False) or as_sent(s, link, document)
    return _edit(s, link, document, resolved)


def sends_again(s: Situation, link: Link) -> bool:
    """True when somebody has changed the document in Xero, and this action is to put it right."""
    return link.text(RESEND) == str(s.seq)


def contact_along(s: Situation, link: Link) -> Plan | None:
    """The next step until the contact is right, too: customer data goes along with every snapshot, also with
    one that is older than the document in Xero. What this action has sent itself needs it only when it is
    done again.
    """
    own = str(s.seq) in (str(link.seq), link.text("confirmed_seq"))
    linked = s.contact_link is not None and not s.contact_link.removed
    return plan_party(s, creates=False) if s.retried or (linked and not own) else None


def is_changed(link: Link, document: DocumentSnapshot, resolved: ResolvedDocument) -> bool:
    """True when the document, or whose it is, differs from what was last sent."""
    party = contact_target(document.contact).record_id
    if link.text("party") != party:
        return True
    if link.stamp.equals(document.stamp) and link.text("content") == document.digest:
        return False  # told once more: that settings have changed since is no edit
    return link.text("fingerprint") != resolved.fingerprint


def prepare(s: Situation, *, creates: bool = True) -> Plan | None:
    """What must be in Xero before the document: the item that its lines name, and the contact.

    Args:
        creates: the document is made, or gets another contact, which an archived one cannot be.
    """
    return plan_item(s) or plan_party(s, creates=creates)


def other_party(s: Situation, link: Link, document: DocumentSnapshot) -> bool:
    """True when a document that is in Xero needs its contact named: it is another one, or it is to be put
    right. Otherwise it is left out, since Xero takes no archived one, not even where it stands already.
    """
    return link.text("party") != contact_target(document.contact).record_id or sends_again(s, link)


def refuse_removed(s: Situation, link: Link) -> None:
    """Raises ``document_removed`` when the invoice was taken out of Xero, by us or by hand."""
    if link.removed or (s.known.invoice is not None and status_of(s, link) in GONE):
        raise Refused("document_removed", number=link.xero_number)


def status_of(s: Situation, link: Link) -> str:
    """The invoice's status in Xero: as just read, else as last seen. What is no longer there was deleted."""
    if s.known.invoice is None:
        return link.text("status")
    return str(s.known.invoice.get("Status") or "DELETED")


def refused_for_state(s: Situation, *steps: Step) -> bool:
    """True when Xero refused one of these steps perhaps because the invoice was changed there by hand."""
    return s.refusal is not None and s.refusal.step in steps and s.refusal.code in _STATE


def give_up(s: Situation, *steps: Step) -> None:
    """Raises what Xero said when it refused one of these steps."""
    if s.refusal is not None and s.refusal.step in steps:
        raise Refused(s.refusal.code, **s.refusal.details)


def read_invoice(link: Link) -> Send:
    """Read the invoice as Xero has it now."""
    return Send(Element("invoices.read", "read invoice", link.target, xero_id=link.xero_id))


def authorise(s: Situation, link: Link) -> Send:
    """Approve a draft.

    Raises:
        Refused: ``item_tracked``; a draft moves no stock, an approved invoice does.
    """
    refuse_tracked(s, s.settings.item_code)
    body = {"InvoiceID": link.xero_id, "Status": "AUTHORISED"}
    return Send(Element("invoices.update", "authorise", link.target, body, xero_id=link.xero_id))


def document_of(s: Situation) -> DocumentSnapshot:
    """The snapshot that the command is planned from.

    Raises:
        Refused: there is none.
    """
    if s.document is None:
        raise Refused("our_error", message="the command carries no document")
    return s.document


def _create(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    target = invoice_target(document.record_id)
    if target in s.unknown:
        return _look_up(s, document, resolved, target)
    if s.known.invoice_by_number is not None:
        return _adopt(s, document, resolved)
    if (step := refused_party(s, *_PUSHES)) is not None:
        return step
    if _number_refused(s, "invoice"):
        return _find(target, resolved.number)
    give_up(s, "invoice")
    assert s.contact_link is not None
    status = "DRAFT" if s.settings.invoice_status == "draft" else "AUTHORISED"
    body = {**resolved.body, "Contact": {"ContactID": s.contact_link.xero_id}, "Status": status}
    link_facts = document_facts(s, document, resolved)
    return Send(Element("invoices.create", "invoice", target, body, link_facts=link_facts))


def _look_up(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument, target: StepKey) -> Plan:
    """The answer of an earlier call was not seen: is the invoice there? If not, it is sent anew."""
    if s.now < s.unknown[target]:
        return Wait(s.unknown[target], "waiting_for_answer")
    if s.known.invoice_by_number is None:
        return _find(target, resolved.number)
    if _ours(s, resolved):
        return _adopt(s, document, resolved)
    return Learn((), (target,), afresh=True)


def _find(target: StepKey, number: str) -> Send:
    """Only a page of invoices has their lines. ``InvoiceNumbers`` is a list parted by commas."""
    by = {"where": f"InvoiceNumber=={quoted(number)}"} if "," in number else {"InvoiceNumbers": number}
    return Send(Element("invoices.find", "look up invoice", target, query={**by, "page": "1"}, wanted=number))


def refused_party(s: Situation, *steps: Step) -> Plan | None:
    """What to do when Xero did not take the document because its contact is archived, merged or not there;
    none when that was not why.

    Raises:
        Refused: nothing can be done.
    """
    if s.refusal is None or s.refusal.step not in steps:
        return None
    if s.refusal.code == "contact_gone":
        return plan_gone(s)
    return plan_archived(s) if s.refusal.code == "contact_archived" else None


def _number_refused(s: Situation, *steps: Step) -> bool:
    """True when Xero did not take the document because of its number."""
    return s.refusal is not None and s.refusal.step in steps and s.refusal.code == "number_taken"


def _sales(s: Situation) -> list[Mapping[str, Any]]:
    """The invoices that were found by their number, without bills, whose numbers are not unique."""
    return [i for i in s.known.invoice_by_number or () if i.get("Type") == "ACCREC"]


def _ours(s: Situation, resolved: ResolvedDocument) -> list[Mapping[str, Any]]:
    """Those of the invoices found by number that bear the document's link and are no other document's."""
    url = resolved.body.get("Url")
    return [i for i in _sales(s) if i.get("Url") == url and i["InvoiceID"] not in s.linked_elsewhere]


def _refuse_number(number: str, holders: Sequence[Mapping[str, Any]]) -> NoReturn:
    holder = str((holders[0].get("Contact") or {}).get("Name", "")) if holders else ""
    raise Refused("number_taken", number=number, contact=holder, setting="invoice_number_format")


def _adopt(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    """The number is taken: by ours, of a call whose answer was lost, or by somebody else's?"""
    ours = _ours(s, resolved)
    if not ours:
        _refuse_number(resolved.number, _sales(s))
    invoice = ours[0]
    link_facts = document_facts(s, document, resolved)
    link = link_of_invoice(invoice_target(document.record_id), invoice, link_facts, s.seq)
    if invoice.get("Status") not in GONE and not is_as_sent(s, invoice, resolved):
        refuse_unsettled(s, f"create invoice {resolved.number}", [(invoice, link)])
    return Learn((link,), (link.target,), afresh=True)


def _edit(s: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    refuse_removed(s, link)
    if (step := refused_party(s, *_PUSHES)) is not None:
        return step
    if _number_refused(s, *_PUSHES):
        if s.known.invoice_by_number is None:
            return _find(link.target, resolved.number)
        _refuse_number(resolved.number, [i for i in _sales(s) if i.get("InvoiceID") != link.xero_id])
    if s.known.invoice is None and (refused_for_state(s, "invoice") or lines_refused(s, "invoice")):
        return read_invoice(link)
    if (lost := lines_lost(s, link, s.known.invoice)) is not None:
        return lost
    if status_of(s, link) in UNAPPROVED:
        give_up(s, "invoice")
        body = {**with_line_ids(link, resolved), "Status": "DRAFT"}
        step = prepare(s, creates=other_party(s, link, document))
        return step or _push(s, link, document, resolved, body, "invoice")
    if s.known.invoice is None:
        return read_invoice(link)
    if s.settings.edit_authorised == "refuse":
        if (contact_step := plan_party(s, creates=False)) is not None:
            return contact_step
        raise Refused("authorised_not_editable", number=link.xero_number)
    give_up(s, "invoice push")
    return _push_authorised(s, link, document, resolved)


def _push_authorised(
    s: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument
) -> Plan:
    """Lines and amounts while nothing is paid; then only what Xero lets change, or nothing at all."""
    invoice = s.known.invoice
    assert invoice is not None
    applied = sum((amount_in(invoice, name) for name in _APPLIED), Decimal(0))
    kept: tuple[Warning, ...] = ()
    if not applied:
        body = with_line_ids(link, resolved)
    elif link.text("amounts") == resolved.amounts_fingerprint:
        body = _paid_body(invoice, resolved)
        kept = _kept_date(invoice, resolved)
    else:
        raise Refused("paid_not_editable", number=link.xero_number, paid=applied)
    if invoice.get("Status") != "PAID":
        body["Status"] = "AUTHORISED"
    resolved = replace(resolved, warnings=(*resolved.warnings, *kept))
    step = prepare(s, creates=other_party(s, link, document))
    return step or _push(s, link, document, resolved, body, "invoice push")


def _paid_body(invoice: Mapping[str, Any], resolved: ResolvedDocument) -> dict[str, Any]:
    """The body without what is fixed; its lines are those of the invoice, one for one."""
    body = {name: value for name, value in resolved.body.items() if name not in _FIXED_ONCE_PAID}
    existing = [line.get("LineItemID") for line in invoice.get("LineItems") or ()]
    if len(existing) != len(body["LineItems"]):
        raise Refused("paid_not_editable", number=resolved.number)
    pairs = zip(body["LineItems"], existing, strict=True)
    body["LineItems"] = [{**line, "LineItemID": line_id} for line, line_id in pairs]
    return body


def _kept_date(invoice: Mapping[str, Any], resolved: ResolvedDocument) -> tuple[Warning, ...]:
    before, now = xero_day(invoice), str(resolved.body["Date"])
    return () if before == now else (warning("date_kept", value=before, sent=now),)


_PUSHES: tuple[Step, ...] = ("invoice", "invoice push")
_APPLIED = ("AmountPaid", "AmountCredited")
# Of a part-paid or paid invoice Xero lets change only reference, due date, number, contact, Url, line texts.
_FIXED_ONCE_PAID = ("Date", "CurrencyCode", "CurrencyRate", "LineAmountTypes")


def _push(
    s: Situation,
    link: Link,
    document: DocumentSnapshot,
    resolved: ResolvedDocument,
    body: dict[str, Any],
    step: Step,
) -> Plan:
    assert s.contact_link is not None
    body = {**body, "InvoiceID": link.xero_id}
    if other_party(s, link, document):
        body["Contact"] = {"ContactID": s.contact_link.xero_id}
    link_facts = document_facts(s, document, resolved)
    return Send(
        Element("invoices.update", step, link.target, body, xero_id=link.xero_id, link_facts=link_facts)
    )


def document_facts(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> DocumentFacts:
    """What to keep of a document that is sent: what it was made of, and what a bookkeeper should know."""
    return {
        "fingerprint": resolved.fingerprint,
        "amounts": resolved.amounts_fingerprint,
        **_stamped(document),
        "line_ids": resolved.line_ids,
        "expected_total": resolved.total,
        "expected_tax": resolved.total_tax,
        "number": resolved.number,
        "currency": resolved.currency,
        "money": resolved.posted,
        "party": contact_target(document.contact).record_id,
        "warnings": [*resolved.warnings, *party_warnings(s)],
    }


def as_sent(s: Situation, link: Link, document: DocumentSnapshot) -> Learn | None:
    """An unchanged document counts as sent: an older snapshot must not undo it."""
    if link.stamp >= document.stamp:
        return None
    newer = {**_stamped(document), "confirmed_seq": str(s.seq)}
    return Learn((replace(link, facts={**link.facts, **newer}),))


def _stamped(document: DocumentSnapshot) -> DocumentFacts:
    """Facts of a link that tell which snapshot Xero has."""
    return {
        "version": document.version.isoformat(),
        "event_time": document.event_time.isoformat(),
        "position": str(document.position),
        "content": document.digest,
    }


def link_of_invoice(target: StepKey, invoice: Mapping[str, Any], link_facts: DocumentFacts, seq: int) -> Link:
    """The link for an invoice or bill as Xero returned it, with what was sent to get there."""
    facts = facts_of(invoice, link_facts)
    number = str(invoice.get("InvoiceNumber") or link_facts.get("number") or "")
    return Link(target, str(invoice["InvoiceID"]), number, seq, facts["status"] in GONE, facts)


def facts_of(document: Mapping[str, Any], link_facts: DocumentFacts) -> DocumentFacts:
    """What a link keeps of a document: what was sent, the ids that Xero gave its lines, status and total."""
    facts = link_facts.copy()
    line_ids = facts.pop("line_ids", ())
    items = [str(line.get("LineItemID") or "") for line in document.get("LineItems") or ()]
    if line_ids and len(items) == len(line_ids):
        facts["lines"] = [pair for pair in zip(line_ids, items, strict=True) if pair[1]]
    facts["status"] = str(document.get("Status") or "")
    facts["total"] = str(document.get("Total", facts.get("expected_total", 0)))
    return facts
