"""Plan the receipt of a purchase order: the bill first, once, then the order is billed."""

from dataclasses import replace
from urllib.parse import quote

from contracts.commands import DocumentSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused, warning
from mappers.totals import totals
from sinks.planner.contact_lookups import quoted
from sinks.planner.contacts import is_archived, plan_archived, read_contact
from sinks.planner.documents import (
    GONE,
    UNAPPROVED,
    before_cutoff,
    document_facts,
    document_of,
    document_warnings,
    give_up,
    link_of_invoice,
    prepare,
    refused_for_state,
    refused_party,
)
from sinks.planner.orders import (
    bill_target,
    order_status,
    plan_order,
    read_order,
    refuse_billed,
    refuse_removed_order,
    update_order,
)
from sinks.planner.review import is_as_sent, refuse_unsettled
from sinks.planner.situation import AskFacts, Done, Learn, Plan, Send, Situation, Wait
from sinks.resolve import ResolvedDocument, resolve_bill
from sinks.xero.elements import Element, Link, StepKey
from sinks.xero.facts import DocumentFacts
from sinks.xero.names import same_name


def plan_receipt(situation: Situation) -> Plan:
    """Plan for a purchase order that was received in full."""
    if before_cutoff(situation):
        return Done("before_cutoff")
    _refuse_in_part(situation)
    link = situation.order_link
    if link is None:
        step = plan_order(situation)
        assert step is not None
        return step
    bill = bill_target(situation.command.record_id)
    if bill in situation.unknown:
        return _look_up(situation, link, bill)
    if situation.bill_link is not None and situation.bill_link.seq != situation.seq:
        _refuse_other_lines(situation, link, situation.bill_link)
    if order_status(situation, link) == "BILLED":
        return _billed(situation, link)
    refuse_removed_order(situation, link)
    if situation.bill_link is None and situation.settings.received_as == "bill":
        return _send_bill(situation, link, bill)
    return _mark_billed(situation, link)


def _refuse_in_part(s: Situation) -> None:
    """Check that all of the order has arrived: only then is a full bill right. SalesBinder's status takes
    precedence over the lines, which do not change when an order is marked as received as a whole.
    """
    if s.command.in_part and not s.command.says_received:
        raise Refused("received_in_part", list=s.command.in_part)


def _refuse_other_lines(situation: Situation, link: Link, bill: Link) -> None:
    """Raise ``order_billed`` if this receipt has other lines or totals than those of the bill of an earlier
    one. The lines as they were sent count, not the settings at that time.
    """
    received = _received(situation, link)
    if bill.text("received_lines"):
        same = bill.text("received_lines") == received.lines_digest and _same_totals(received, bill)
    else:  # sent before lines were kept
        same = bill.amount("expected_total") in (0, totals(received).total)
    if not same:
        refuse_billed(situation, link)


def _same_totals(received: DocumentSnapshot, bill: Link) -> bool:
    """Return True if the bill has the totals that the receipt states; one that it does not state says
    nothing.
    """
    if "expected_tax" not in bill.facts:  # sent before it was kept
        return True
    stated, tax = totals(received), bill.amount("expected_tax")
    same_net = received.subtotal is None or stated.subtotal == bill.amount("expected_total") - tax
    return same_net and (received.tax is None or stated.tax + stated.tax2 == tax)


def _billed(situation: Situation, link: Link) -> Plan:
    """Return the end. An order that somebody billed in Xero by hand may have a bill there that is
    not ours.
    """
    bill = situation.bill_link
    if bill is None and situation.settings.received_as == "bill" and not link.text("billed_seq"):
        refuse_billed(situation, link)
    if not link.text("received_version"):  # billed by a call whose answer was lost, or by hand
        facts = {**link.facts, "status": "BILLED", **_received_facts(situation, link)}
        return Learn((replace(link, facts=facts),))
    brought = link.seq == situation.seq
    warnings = document_warnings(link) if brought else ()
    if bill is not None and bill.seq == situation.seq:
        warnings = tuple(dict.fromkeys((*warnings, *document_warnings(bill))))
    if situation.command.in_part:
        warnings = (*warnings, warning("lines_say_in_part", list=situation.command.in_part))
    return Done(None, bill or link, warnings, "order" if brought else "receipts")


def _approve(situation: Situation, link: Link) -> Plan | None:
    """Return the next step until the order is approved; None if it is."""
    if order_status(situation, link) not in UNAPPROVED:
        return None
    if situation.known.order is None and refused_for_state(situation, "authorise order"):
        return read_order(link)
    give_up(situation, "authorise order")
    return update_order(link, "authorise order", {"Status": "AUTHORISED"}, {})


def _mark_billed(situation: Situation, link: Link) -> Plan:
    if (step := _approve(situation, link)) is not None:
        return step
    if situation.known.order is None and refused_for_state(situation, "order billed"):
        return read_order(link)
    give_up(situation, "order billed")
    link_facts: DocumentFacts = {"billed_seq": str(situation.seq), **_received_facts(situation, link)}
    return update_order(link, "order billed", {"Status": "BILLED"}, link_facts)


def _received_facts(situation: Situation, link: Link) -> DocumentFacts:
    """Return which snapshot was received: those up to it have nothing to add."""
    own = document_of(situation)
    newest, content = (
        (own.stamp, own.digest) if own.stamp >= link.stamp else (link.stamp, link.text("content"))
    )
    return {
        "received_version": newest.moment.isoformat(),
        "received_time": newest.time.isoformat(),
        "received_position": str(newest.position),
        "received_content": content,
    }


def _send_bill(situation: Situation, link: Link, target: StepKey) -> Plan:
    """Send the bill. Everything that can be checked is checked before a draft order is approved. The order is
    read first: one that somebody billed or deleted in Xero must not get a bill.
    """
    resolved = _resolved(situation, link)
    if (step := refused_party(situation, "bill")) is not None:
        return step
    give_up(situation, "bill")
    if situation.known.order is None:
        return read_order(link)
    if not situation.facts_are_fresh:
        return AskFacts()
    step = prepare(situation) or _archived_party(situation, link) or _approve(situation, link)
    if step is not None:
        return step
    assert situation.contact_link is not None
    status = "DRAFT" if situation.settings.purchase_order_status == "draft" else "AUTHORISED"
    body = {**resolved.body, "Contact": {"ContactID": situation.contact_link.xero_id}, "Status": status}
    link_facts = _bill_facts(situation, link, resolved)
    return Send(Element("bills.create", "bill", target, body, link_facts=link_facts))


def _archived_party(s: Situation, link: Link) -> Plan | None:
    """Check, before an order is approved for its bill, that Xero would take a bill of this contact."""
    if order_status(s, link) not in UNAPPROVED or s.contact_link is None:
        return None
    if s.known.contact is None:
        return read_contact(s, s.contact_link)
    return plan_archived(s) if is_archived(s) else None


def _bill_facts(s: Situation, link: Link, bill: ResolvedDocument) -> DocumentFacts:
    received = _received(s, link)
    return {**document_facts(s, received, bill), "received_lines": received.lines_digest}


def _resolved(s: Situation, link: Link) -> ResolvedDocument:
    """Return the bill, with the number that the order has in Xero."""
    day = s.command.received_on or s.command.event.time.date()
    posted = (s.bill_link or link).facts
    bill = resolve_bill(_received(s, link), s.settings, s.facts, s.command.account, day, posted)
    number = link.xero_number
    return replace(bill, number=number, body={**bill.body, "InvoiceNumber": number})


def _received(s: Situation, link: Link) -> DocumentSnapshot:
    """Return the goods received: the receipt's own snapshot, unless the order in Xero is newer and of the
    same supplier, since the bill has the order's lines.
    """
    own, newest = document_of(s), s.newest
    if newest is None or own.stamp >= link.stamp:
        return own
    return newest if newest.contact.record_id == own.contact.record_id else own


def _look_up(situation: Situation, link: Link, target: StepKey) -> Plan:
    """Look up the bill of a call whose response was lost. Numbers of bills are not unique.

    To be adopted, the link to SalesBinder, number, contact, amount and date must all match, and the bill must
    not be linked already. If only the link to SalesBinder differs, a person must look at it.
    """
    if situation.now < situation.unknown[target]:
        return Wait(situation.unknown[target], "waiting_for_answer")
    bill = _resolved(situation, link)
    if situation.known.invoice_by_number is None:
        return _find(target, bill.number)
    live = [
        b
        for b in situation.known.invoice_by_number
        if b.get("Type") == "ACCPAY"
        and same_name(str(b.get("InvoiceNumber") or ""), bill.number)
        and b.get("Status") not in GONE
        and b["InvoiceID"] not in situation.linked_elsewhere
        and not _of_other_document(situation, b)
    ]
    marked = [b for b in live if b.get("Url") == bill.body["Url"]]
    equal = [b for b in live if is_as_sent(situation, b, bill)]
    if not marked and not equal:
        return Learn((), (target,))
    link_facts = _bill_facts(situation, link, bill)
    if len(marked) == 1 and marked == equal:
        return Learn((link_of_invoice(target, marked[0], link_facts, situation.seq),), (target,))
    listed = {b["InvoiceID"]: b for b in (*marked, *equal)}.values()
    links = [(b, link_of_invoice(target, b, link_facts, situation.seq)) for b in listed]
    refuse_unsettled(situation, f"bill {bill.number} of {bill.total}", links)


def _of_other_document(s: Situation, bill: JsonObject) -> bool:
    """Return True if the bill's Url leads to another document, perhaps of another account of the
    organisation. One of our addresses made under another ``document_url`` still names the record.
    """
    url = str(bill.get("Url") or "")
    return bool(url) and quote(s.command.record_id, safe="") not in url


def _find(target: StepKey, number: str) -> Send:
    """Look it up by number: ``InvoiceNumbers`` is a comma-separated list."""
    where = {"where": f'Type=="ACCPAY" AND InvoiceNumber=={quoted(number)}'}
    query = where if "," in number else {"InvoiceNumbers": number}
    return Send(Element("bills.find", "look up bill", target, query=query, wanted=number))
