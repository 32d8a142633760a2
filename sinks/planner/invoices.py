"""Planning an invoice's own state in Xero: created, edited, authorised."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connections.facts import day
from contracts.commands import DocumentSnapshot
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.planner.contacts import contact_warnings, plan_contact
from sinks.planner.situation import Done, Plan, Remember, Send, Situation
from sinks.resolve import ResolvedDocument, resolve_invoice
from sinks.steps import Element, Link, Target

GONE = ("VOIDED", "DELETED")
_UNAPPROVED = ("DRAFT", "SUBMITTED")


def invoice_target(record_id: str) -> Target:
    """The step key of an invoice."""
    return Target("invoice", record_id)


def before_cutoff(s: Situation) -> bool:
    """True for a document that was there before the connection was enabled and that is not linked."""
    return s.invoice_link is None and s.document is not None and s.document.created < s.settings.enabled_at


def plan_snapshot_command(s: Situation) -> Plan:
    """An invoice was created or edited."""
    if before_cutoff(s):
        return Done("before_cutoff")
    document = _document(s)
    link = s.invoice_link
    if link is not None:
        refuse_removed(s, link)
        if _sent(link) >= (document.version, document.event_time):
            return _settled(s, link, document)
    step = plan_invoice(s)
    if step is not None:
        return step
    assert s.invoice_link is not None
    return _settled(s, s.invoice_link, document)


def _settled(s: Situation, link: Link, document: DocumentSnapshot) -> Done:
    own = _sent(link) == (document.version, document.event_time) and link.seq == s.seq
    if own:
        return Done(None, link, document_warnings(s), supersedes="snapshots")
    same = _sent(link) == (document.version, document.event_time)
    return Done("already_there" if same else "superseded", link)


def document_warnings(s: Situation) -> tuple[Warning, ...]:
    """What a bookkeeper should know about the invoice as it was sent."""
    link = s.invoice_link
    sent = tuple(
        warning("xero_warned", message=text) for text in (link.facts.get("warned") if link else None) or ()
    )
    resolved = resolve_invoice(_document(s), s.settings, s.facts, s.command.account)
    return (*resolved.warnings, *contact_warnings(s), *sent)


def plan_invoice(s: Situation) -> Plan | None:
    """The next step until Xero's invoice is what this snapshot says; none when it is.

    Raises:
        Refused: it cannot be.
    """
    document = _document(s)
    resolved = resolve_invoice(document, s.settings, s.facts, s.command.account)
    link = s.invoice_link
    if link is not None and link.text("fingerprint") == resolved.fingerprint and s.refusal is None:
        if (contact_step := plan_contact(s)) is not None:
            return contact_step
        if _sent(link) < (document.version, document.event_time):
            return Remember((_as_sent(link, document, s.seq),))
        return None
    if s.facts.item_codes is not None and s.settings.item_code not in s.facts.item_codes:
        return _item(s)
    if (contact_step := plan_contact(s)) is not None:
        return contact_step
    if link is None:
        return _create(s, document, resolved)
    return _edit(s, link, document, resolved)


def refuse_removed(s: Situation, link: Link) -> None:
    """Raises ``document_removed`` when the invoice was taken out of Xero, by us or by hand."""
    by_hand = s.known.invoice is not None and s.known.invoice.get("Status", "DELETED") in GONE
    if link.removed or by_hand:
        raise Refused("document_removed", number=link.xero_number, status=link.text("status").lower())


def read_invoice(link: Link) -> Send:
    """Read the invoice as Xero has it now."""
    return Send(Element("invoices.read", "read invoice", link.target, xero_id=link.xero_id))


def authorise(s: Situation, link: Link) -> Send:
    """Approve a draft."""
    body = {"InvoiceID": link.xero_id, "Status": "AUTHORISED"}
    return Send(Element("invoices.update", "authorise", link.target, body, xero_id=link.xero_id))


def _document(s: Situation) -> DocumentSnapshot:
    if s.document is None:
        raise Refused("our_error", message="the command carries no document")
    return s.document


def _item(s: Situation) -> Send:
    code = s.settings.item_code
    if s.refusal is not None and s.refusal.step == "item":
        raise Refused(s.refusal.code, **s.refusal.details)
    body = {"Code": code, "Name": code, "Description": "SalesBinder item"}
    return Send(Element("items.create", "item", Target("item", code), body))


def _create(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    target = invoice_target(document.record_id)
    if s.known.invoice_by_number is not None:
        return _adopt(s, document, resolved, s.known.invoice_by_number)
    if s.refusal is not None and s.refusal.step == "invoice":
        if s.refusal.code == "number_taken":
            query = {"InvoiceNumbers": resolved.number, "unitdp": "4"}
            return Send(Element("invoices.find", "look up invoice", target, query=query))
        raise Refused(s.refusal.code, **s.refusal.details)
    assert s.contact_link is not None
    status = "DRAFT" if s.settings.invoice_status == "draft" else "AUTHORISED"
    body = {**resolved.body, "Contact": {"ContactID": s.contact_link.xero_id}, "Status": status}
    return Send(Element("invoices.create", "invoice", target, body, memory=_memory(s, document, resolved)))


def _adopt(
    s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument, found: tuple[Mapping[str, Any], ...]
) -> Plan:
    """The number is taken: by ours, of a call whose answer was lost, or by somebody else's?"""
    same = [
        i
        for i in found
        if str(i.get("InvoiceNumber", "")).casefold() == resolved.number.casefold()
        and i.get("Type") == "ACCREC"
    ]
    ours = [
        i
        for i in same
        if i.get("Url") == resolved.body.get("Url") and i["InvoiceID"] not in s.linked_elsewhere
    ]
    if not ours:
        holder = str((same[0].get("Contact") or {}).get("Name", "")) if same else ""
        raise Refused("number_taken", number=resolved.number, contact=holder, setting="invoice_number_format")
    invoice = ours[0]
    assert s.contact_link is not None
    equal = (
        Decimal(str(invoice.get("Total", 0))) == resolved.total
        and xero_day(invoice) == str(resolved.body["Date"])
        and (invoice.get("Contact") or {}).get("ContactID") == s.contact_link.xero_id
        and invoice.get("Status") not in GONE
    )
    if not equal:
        raise Refused(
            "needs_review",
            step=f"create invoice {resolved.number}",
            candidates=f"{invoice['InvoiceID']} ({invoice.get('Status')}, total {invoice.get('Total')})",
        )
    memory = _memory(s, document, resolved)
    link = link_of_invoice(invoice_target(document.record_id), invoice, memory, s.seq)
    return Remember((link,), (link.target,))


def _edit(s: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    status = link.text("status")
    if s.known.invoice is not None:
        refuse_removed(s, link)
        status = str(s.known.invoice.get("Status", status))
    if s.refusal is not None and s.refusal.step == "invoice":
        if s.known.invoice is None:
            return read_invoice(link)
        if status in _UNAPPROVED:
            raise Refused(s.refusal.code, **s.refusal.details)
    if status in _UNAPPROVED:
        return _push(s, link, document, resolved, {**_with_line_ids(link, resolved), "Status": "DRAFT"})
    if s.settings.edit_authorised == "refuse":
        raise Refused("authorised_not_editable", number=link.xero_number)
    return _push_authorised(s, link, document, resolved)


def _push_authorised(
    s: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument
) -> Plan:
    if s.known.invoice is None:
        return read_invoice(link)
    refused_push = s.refusal is not None and s.refusal.step == "invoice push"
    body = _with_line_ids(link, resolved)
    applied = sum(
        (Decimal(str(s.known.invoice.get(name) or 0)) for name in ("AmountPaid", "AmountCredited")),
        Decimal(0),
    )
    if applied:
        if link.text("amounts") != resolved.amounts_fingerprint:
            raise Refused("paid_not_editable", number=link.xero_number, paid=applied)
        body = {name: value for name, value in body.items() if name not in _FIXED_ONCE_PAID}
    if refused_push:
        assert s.refusal is not None
        raise Refused(s.refusal.code, **s.refusal.details)
    body["Status"] = "AUTHORISED"
    return _push(s, link, document, resolved, body, "invoice push")


# Of a part-paid or paid invoice Xero lets change only reference, due date, number, contact, Url and line texts.
_FIXED_ONCE_PAID = ("Date", "CurrencyCode", "CurrencyRate", "LineAmountTypes")


def _push(
    s: Situation,
    link: Link,
    document: DocumentSnapshot,
    resolved: ResolvedDocument,
    body: dict[str, Any],
    step: str = "invoice",
) -> Plan:
    assert s.contact_link is not None
    body = {**body, "InvoiceID": link.xero_id, "Contact": {"ContactID": s.contact_link.xero_id}}
    if (
        body["Status"] == "AUTHORISED"
        and s.known.invoice is not None
        and s.known.invoice.get("Status") == "PAID"
    ):
        del body["Status"]
    memory = _memory(s, document, resolved)
    return Send(Element("invoices.update", step, link.target, body, xero_id=link.xero_id, memory=memory))


def _with_line_ids(link: Link, resolved: ResolvedDocument) -> dict[str, Any]:
    """The body, with the LineItemID of each line that Xero has already, so that what people added there stays."""
    known = dict(link.facts.get("lines") or ())
    lines = [
        {**line, "LineItemID": known[line_id]} if line_id in known else line
        for line_id, line in zip(resolved.line_ids, resolved.body["LineItems"], strict=True)
    ]
    return {**resolved.body, "LineItems": lines}


def _memory(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> dict[str, Any]:
    return {
        "fingerprint": resolved.fingerprint,
        "amounts": resolved.amounts_fingerprint,
        "version": document.version.isoformat(),
        "event_time": document.event_time.isoformat(),
        "line_ids": resolved.line_ids,
        "expected_total": resolved.total,
        "currency": resolved.currency,
    }


def _sent(link: Link) -> tuple[Any, Any]:
    return link.time("version"), link.time("event_time")


def _as_sent(link: Link, document: DocumentSnapshot, seq: int) -> Link:
    newer = {"version": document.version.isoformat(), "event_time": document.event_time.isoformat()}
    return Link(link.target, link.xero_id, link.xero_number, link.seq, link.removed, {**link.facts, **newer})


def link_of_invoice(target: Target, invoice: Mapping[str, Any], memory: Mapping[str, Any], seq: int) -> Link:
    """The link for an invoice as Xero returned it, with what was sent to get there."""
    facts = dict(memory)
    line_ids = facts.pop("line_ids", ())
    items = [str(line.get("LineItemID") or "") for line in invoice.get("LineItems") or ()]
    if line_ids and len(items) == len(line_ids):
        facts["lines"] = [pair for pair in zip(line_ids, items, strict=True) if pair[1]]
    facts["status"] = str(invoice.get("Status") or "")
    facts["total"] = str(invoice.get("Total", facts.get("expected_total", 0)))
    return Link(
        target,
        str(invoice["InvoiceID"]),
        str(invoice.get("InvoiceNumber") or ""),
        seq,
        facts["status"] in GONE,
        facts,
    )


def xero_day(document: Mapping[str, Any]) -> str:
    """The document's date as ``YYYY-MM-DD``, from ``DateString`` or whatever form of ``Date`` Xero used."""
    return day(str(document.get("DateString") or document.get("Date") or "")).isoformat()
