"""Plan an invoice's own state in Xero: created, edited, authorised."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NoReturn

from contracts.commands import DocumentSnapshot
from contracts.json import Body, JsonObject
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.planner.amounts import amount_in, xero_day
from sinks.planner.contact_lookups import quoted
from sinks.planner.contacts import plan_party
from sinks.planner.documents import (
    GONE,
    UNAPPROVED,
    as_sent,
    before_cutoff,
    contact_along,
    document_facts,
    document_of,
    give_up,
    is_changed,
    link_of_invoice,
    other_party,
    prepare,
    refused_for_state,
    refused_party,
    sends_again,
    settled,
)
from sinks.planner.items import refuse_tracked
from sinks.planner.line_ids import lines_lost, lines_refused, with_line_ids
from sinks.planner.review import is_as_sent, refuse_unsettled
from sinks.planner.situation import Done, Learn, Plan, Send, Situation, Wait
from sinks.resolve import ResolvedDocument, resolve_invoice
from sinks.xero.elements import Element, Link, Step, StepKey


def invoice_target(record_id: str) -> StepKey:
    """Return the step key of an invoice."""
    return StepKey("invoice", record_id)


def plan_snapshot_command(situation: Situation) -> Plan:
    """Plan for an invoice that was created or edited."""
    if before_cutoff(situation):
        return Done("before_cutoff")
    document = document_of(situation)
    link = situation.invoice_link
    if link is not None:
        refuse_removed(situation, link)
        if link.stamp >= document.stamp and not sends_again(situation, link):
            return contact_along(situation, link) or settled(situation, link, document)
    step = plan_invoice(situation)
    if step is not None:
        return step
    assert situation.invoice_link is not None
    return settled(situation, situation.invoice_link, document)


def plan_invoice(situation: Situation) -> Plan | None:
    """Return the next step until Xero's invoice equals this snapshot; None if it does.

    Raises:
        Refused: it cannot be.
    """
    document = document_of(situation)
    link = situation.invoice_link
    posted = link.facts if link else None
    resolved = resolve_invoice(
        document, situation.settings, situation.facts, situation.command.account, posted
    )
    if link is None:
        return prepare(situation) or _create(situation, document, resolved)
    if not is_changed(link, document, resolved) and not sends_again(situation, link):
        return plan_party(situation, creates=False) or as_sent(situation, link, document)
    return _edit(situation, link, document, resolved)


def refuse_removed(s: Situation, link: Link) -> None:
    """Raise ``document_removed`` if the invoice was taken out of Xero, by us or by hand."""
    if link.removed or (s.known.invoice is not None and status_of(s, link) in GONE):
        raise Refused("document_removed", number=link.xero_number)


def status_of(s: Situation, link: Link) -> str:
    """Return the invoice's status in Xero: as just read, else as last seen. An invoice that is no longer
    there was deleted.
    """
    if s.known.invoice is None:
        return link.text("status")
    return str(s.known.invoice.get("Status") or "DELETED")


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


def _create(situation: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    target = invoice_target(document.record_id)
    if target in situation.unknown:
        return _look_up(situation, document, resolved, target)
    if situation.known.invoice_by_number is not None:
        return _adopt(situation, document, resolved)
    if (step := refused_party(situation, *_PUSHES)) is not None:
        return step
    if _number_refused(situation, "invoice"):
        return _find(target, resolved.number)
    give_up(situation, "invoice")
    assert situation.contact_link is not None
    status = "DRAFT" if situation.settings.invoice_status == "draft" else "AUTHORISED"
    body = {**resolved.body, "Contact": {"ContactID": situation.contact_link.xero_id}, "Status": status}
    link_facts = document_facts(situation, document, resolved)
    return Send(Element("invoices.create", "invoice", target, body, link_facts=link_facts))


def _look_up(
    situation: Situation, document: DocumentSnapshot, resolved: ResolvedDocument, target: StepKey
) -> Plan:
    """Look up the invoice of a call whose response was lost; if it is not there, send it again."""
    if situation.now < situation.unknown[target]:
        return Wait(situation.unknown[target], "waiting_for_answer")
    if situation.known.invoice_by_number is None:
        return _find(target, resolved.number)
    if _ours(situation, resolved):
        return _adopt(situation, document, resolved)
    return Learn((), (target,), afresh=True)


def _find(target: StepKey, number: str) -> Send:
    """Look the invoice up by number: only a page of invoices has their lines. ``InvoiceNumbers`` is a
    comma-separated list.
    """
    by = {"where": f"InvoiceNumber=={quoted(number)}"} if "," in number else {"InvoiceNumbers": number}
    return Send(Element("invoices.find", "look up invoice", target, query={**by, "page": "1"}, wanted=number))


def _number_refused(s: Situation, *steps: Step) -> bool:
    """Return True if Xero did not take the document because of its number."""
    return s.refusal is not None and s.refusal.step in steps and s.refusal.code == "number_taken"


def _sales(s: Situation) -> list[JsonObject]:
    """Return the invoices that were found by their number, without bills, whose numbers are not unique."""
    return [i for i in s.known.invoice_by_number or () if i.get("Type") == "ACCREC"]


def _ours(s: Situation, resolved: ResolvedDocument) -> list[JsonObject]:
    """Return those of the invoices found by number that bear the document's link and are no other
    document's.
    """
    url = resolved.body.get("Url")
    return [i for i in _sales(s) if i.get("Url") == url and i["InvoiceID"] not in s.linked_elsewhere]


def _refuse_number(number: str, holders: Sequence[JsonObject]) -> NoReturn:
    holder = str((holders[0].get("Contact") or {}).get("Name", "")) if holders else ""
    raise Refused("number_taken", number=number, contact=holder, setting="invoice_number_format")


def _adopt(situation: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    """Find out who has the number: our document, from a call whose response was lost, or another one."""
    ours = _ours(situation, resolved)
    if not ours:
        _refuse_number(resolved.number, _sales(situation))
    invoice = ours[0]
    link_facts = document_facts(situation, document, resolved)
    link = link_of_invoice(invoice_target(document.record_id), invoice, link_facts, situation.seq)
    if invoice.get("Status") not in GONE and not is_as_sent(situation, invoice, resolved):
        refuse_unsettled(situation, f"create invoice {resolved.number}", [(invoice, link)])
    return Learn((link,), (link.target,), afresh=True)


def _edit(situation: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    refuse_removed(situation, link)
    if (step := refused_party(situation, *_PUSHES)) is not None:
        return step
    if _number_refused(situation, *_PUSHES):
        if situation.known.invoice_by_number is None:
            return _find(link.target, resolved.number)
        _refuse_number(resolved.number, [i for i in _sales(situation) if i.get("InvoiceID") != link.xero_id])
    if situation.known.invoice is None and (
        refused_for_state(situation, "invoice") or lines_refused(situation, "invoice")
    ):
        return read_invoice(link)
    if (lost := lines_lost(situation, link, situation.known.invoice)) is not None:
        return lost
    if status_of(situation, link) in UNAPPROVED:
        give_up(situation, "invoice")
        body = {**with_line_ids(link, resolved), "Status": "DRAFT"}
        step = prepare(situation, creates=other_party(situation, link, document))
        return step or _push(situation, link, document, resolved, body, "invoice")
    if situation.known.invoice is None:
        return read_invoice(link)
    if situation.settings.edit_authorised == "refuse":
        if (contact_step := plan_party(situation, creates=False)) is not None:
            return contact_step
        raise Refused("authorised_not_editable", number=link.xero_number)
    give_up(situation, "invoice push")
    return _push_authorised(situation, link, document, resolved)


def _push_authorised(
    situation: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument
) -> Plan:
    """Plan an edit: lines and amounts while nothing is paid; then only the changes that Xero allows, or none
    at all.
    """
    invoice = situation.known.invoice
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
    step = prepare(situation, creates=other_party(situation, link, document))
    return step or _push(situation, link, document, resolved, body, "invoice push")


def _paid_body(invoice: JsonObject, resolved: ResolvedDocument) -> Body:
    """Return the body without the parts that are fixed; its lines are those of the invoice, one for one."""
    body = {name: value for name, value in resolved.body.items() if name not in _FIXED_ONCE_PAID}
    existing = [line.get("LineItemID") for line in invoice.get("LineItems") or ()]
    if len(existing) != len(body["LineItems"]):
        raise Refused("paid_not_editable", number=resolved.number)
    pairs = zip(body["LineItems"], existing, strict=True)
    body["LineItems"] = [{**line, "LineItemID": line_id} for line, line_id in pairs]
    return body


def _kept_date(invoice: JsonObject, resolved: ResolvedDocument) -> tuple[Warning, ...]:
    before, now = xero_day(invoice), str(resolved.body["Date"])
    return () if before == now else (warning("date_kept", value=before, sent=now),)


_PUSHES: tuple[Step, ...] = ("invoice", "invoice push")
_APPLIED = ("AmountPaid", "AmountCredited")
# Of a part-paid or paid invoice Xero lets change only reference, due date, number, contact, Url, line texts.
_FIXED_ONCE_PAID = ("Date", "CurrencyCode", "CurrencyRate", "LineAmountTypes")


def _push(
    situation: Situation,
    link: Link,
    document: DocumentSnapshot,
    resolved: ResolvedDocument,
    body: Body,
    step: Step,
) -> Plan:
    assert situation.contact_link is not None
    body = {**body, "InvoiceID": link.xero_id}
    if other_party(situation, link, document):
        body["Contact"] = {"ContactID": situation.contact_link.xero_id}
    link_facts = document_facts(situation, document, resolved)
    return Send(
        Element("invoices.update", step, link.target, body, xero_id=link.xero_id, link_facts=link_facts)
    )
