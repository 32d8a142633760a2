"""What a result of Xero changes in what we know: links, and what a command has read."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sinks.ledger.entries import now_utc
from sinks.ledger.jobs import Job
from sinks.planner import Refusal, XeroReads
from sinks.planner.contact_refusals import with_refusal
from sinks.planner.credit_notes import link_of_credit_note
from sinks.planner.invoices import GONE, link_of_invoice
from sinks.planner.orders import link_of_order
from sinks.xero.elements import ROUTES, Element, Link
from sinks.xero.names import alike, same_name
from sinks.xero.responses import Result
from sinks.xero.statuses import is_archived

FACT_CODES = frozenset(
    {
        "period_locked",
        "account_code_unknown",
        "account_code_archived",
        "payment_account_unknown",
        "payment_account_not_payable",
        "tax_type_unknown",
        "tax_type_unfit",
        "item_code_invalid",
        "item_code_taken",
        "item_tracked",
        "currency_not_enabled",
    }
)
"""Reasons that may only mean that the organisation was changed since we last asked about it."""


def apply(element: Element, result: Result, jobs: Sequence[Job], link: Link | None) -> Link | None:
    """Take one result into ``jobs``, the commands that the element served.

    Args:
        link: what the element's target is linked to so far.

    Returns:
        the target's link as it must be kept now; none when it stays as it is.
    """
    if result.verdict == "refused":
        if (
            element.route == "payments.remove"
            and result.code == "payment_already_removed"
            and link is not None
        ):
            return _taken_off(element, link)
        for job in jobs:
            route = ROUTES[element.route]
            refusal = Refusal(
                element.step, result.code, result.details, look_up=route.reads, create=route.creates
            )
            job.refused(refusal, _without_what_was_refused(job.known, element))
        return with_refusal(element, result.code, result.details, link, now_utc())
    if result.verdict != "ok":
        for job in jobs:
            job.not_done(halve=result.halve or result.verdict == "split")
        return None
    if ROUTES[element.route].reads:
        for job in jobs:
            job.learnt(_learnt(job.known, element, result.found))
        return _refreshed(element, result.found, link)
    found = result.found[0] if result.found else {}
    for job in jobs:
        job.changed_xero(_after_change(job.known, element, found))
    return _changed(element, result, jobs, link)


def _without_what_was_refused(known: XeroReads, element: Element) -> XeroReads:
    """It may have been changed since it was read: by a call of ours that arrived late, too."""
    if element.route == "orders.update":
        return replace(known, order=None)
    if element.step == "remove":
        return replace(known, invoice=None)
    if element.route == "credit_notes.update":
        notes = {i: note for i, note in known.credit_notes.items() if i != element.xero_id}
        return replace(known, credit_notes=notes)
    if element.route == "payments.remove":
        payments = {i: payment for i, payment in known.payments.items() if i != element.xero_id}
        return replace(known, payments=payments)
    return known


def _learnt(known: XeroReads, element: Element, found: tuple[Mapping[str, Any], ...]) -> XeroReads:
    first = found[0] if found else {}
    if element.route == "contacts.read":
        return replace(known, contact=first)
    if element.route == "contacts.find_number":
        return replace(known, contact_by_number=found)
    if element.route == "contacts.find_numbers":
        return replace(known, contact_by_number=found)
    if element.route in ("contacts.find", "contacts.search", "contacts.list"):
        return _learnt_of_name(known, element, found)
    if element.route in ("invoices.find", "bills.find"):
        return replace(known, invoice_by_number=found)
    if element.route == "invoices.read":
        return replace(known, invoice=first)
    if element.route == "orders.find":
        return replace(known, order_by_number=found)
    if element.route == "orders.read":
        return replace(known, order=first)
    if element.route == "payments.read":
        return replace(known, payments={**known.payments, element.xero_id: first})
    if element.route == "credit_notes.find":
        return replace(known, credit_note_by_number=found)
    if element.route == "credit_notes.read":
        return replace(known, credit_notes={**known.credit_notes, element.xero_id: first})
    raise ValueError(f"{element.route} is no look-up")


def _learnt_of_name(known: XeroReads, element: Element, found: tuple[Mapping[str, Any], ...]) -> XeroReads:
    """Contacts of a name, and how far it is looked for."""
    if element.route == "contacts.find":
        return replace(known, contact_by_name=found, names_asked=1)
    same = tuple(c for c in found if same_name(str(c.get("Name") or ""), element.wanted))
    near = tuple(c for c in found if alike(str(c.get("Name") or ""), element.wanted))
    if not same and len(near) == 1:
        same = near
    if element.route == "contacts.search":
        return replace(known, contact_by_name=same, names_asked=2)
    more = len(found) >= int(ROUTES[element.route].query["pageSize"])
    return replace(known, contact_by_name=same, names_asked=int(element.query["page"]) + 2 if more else -1)


def _refreshed(element: Element, found: tuple[Mapping[str, Any], ...], link: Link | None) -> Link | None:
    """The link with the state that a document was found in."""
    if element.route not in ("invoices.read", "orders.read", "credit_notes.read") or link is None:
        return None
    status = str(found[0].get("Status") or "") if found else "DELETED"
    if status == link.text("status"):
        return None
    return replace(link, removed=status in GONE, facts={**link.facts, "status": status})


def _after_change(known: XeroReads, element: Element, found: Mapping[str, Any]) -> XeroReads:
    """What is still known once Xero did what the element asks."""
    if element.target.kind == "contact":
        return replace(known, contact=found if _is_away(found) else None)
    if element.route in ("invoices.create", "invoices.update", "bills.create"):
        return replace(known, invoice=None)
    if element.route in ("orders.create", "orders.update"):
        return replace(known, order=found or None)
    return known


def _is_away(contact: Mapping[str, Any]) -> bool:
    """True for an archived contact, and for one that was merged into another."""
    return is_archived(contact) or bool(contact.get("MergedToContactID"))


def _changed(element: Element, result: Result, jobs: Sequence[Job], link: Link | None) -> Link | None:
    found = result.found[0] if result.found else {}
    seq = jobs[0].entry.seq
    if element.target.kind == "contact":
        if _is_away(found):  # nobody sees what was written to it: that counts as not sent
            return None
        name = str(found.get("Name") or element.memory.get("name") or "")
        xero_id = str(found.get("ContactID") or element.xero_id)
        return Link(element.target, xero_id, name, seq, facts=dict(element.memory))
    if element.route in ("invoices.create", "invoices.update", "bills.create"):
        return _document_link(element, result, found, seq, link)
    if element.route in ("orders.create", "orders.update"):
        return _document_link(element, result, found, seq, link)
    if element.route in ("payments.create", "refunds.create"):
        number = str(element.memory.get("number") or "")
        facts = {**element.memory, "warned": list(result.warned)}
        return Link(element.target, str(found["PaymentID"]), number, seq, facts=facts)
    if element.route == "payments.remove" and link is not None:
        return _taken_off(element, link)
    if element.route == "credit_notes.create":
        return link_of_credit_note(element.target, found, element.memory, seq, result.warned)
    if element.route == "credit_notes.update" and link is not None:
        status = str(found.get("Status") or (element.body or {}).get("Status") or "")
        return replace(link, removed=status in GONE, facts={**link.facts, **element.memory, "status": status})
    return None


def _taken_off(element: Element, link: Link) -> Link:
    return replace(link, removed=True, facts={**link.facts, **element.memory})


def _document_link(
    element: Element, result: Result, found: Mapping[str, Any], seq: int, link: Link | None
) -> Link:
    if "fingerprint" not in element.memory and link is not None:
        status = str(found.get("Status") or (element.body or {}).get("Status") or "")
        facts = {**link.facts, **element.memory, "status": status}
        return replace(link, removed=status in GONE, facts=facts)
    sent = (element.body or {}).get("Status") or (link.text("status") if link is not None else "")
    found = {**found, "Status": found.get("Status") or sent}
    link_of = link_of_order if element.target.kind == "purchase_order" else link_of_invoice
    made = link_of(element.target, found, element.memory, seq)
    facts = dict(made.facts)
    if link is not None and "lines" not in facts and "lines" in link.facts:
        facts["lines"] = link.facts["lines"]
    warned = list(result.warned)
    expected = Decimal(str(element.memory.get("expected_total", made.facts["total"])))
    if Decimal(str(made.facts["total"])) != expected:
        warned.append(f"the total is {made.facts['total']} in Xero and {expected} in SalesBinder")
    tax, of_it = found.get("TotalTax"), element.memory.get("expected_tax")
    if tax is not None and of_it is not None and Decimal(str(tax)) != Decimal(str(of_it)):
        warned.append(f"the tax is {tax} in Xero and {of_it} in SalesBinder")
    facts["warned"] = warned
    return replace(made, facts=facts)
