"""The effects of Xero's responses, by route: on the reads of a command, and on the target's link. Pure.

A table beside the routes: each route has one row, which says what is learnt from its response, which part of
it the link keeps, and which reads can no longer be trusted once Xero refused it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from contracts.json import JsonObject
from sinks.planner.contact_refusals import with_refusal
from sinks.planner.credit_notes import link_of_credit_note
from sinks.planner.documents import GONE, link_of_invoice
from sinks.planner.orders import link_of_order
from sinks.planner.situation import Refusal, XeroReads
from sinks.xero.elements import Element, Link
from sinks.xero.facts import Facts, of_document, of_money
from sinks.xero.names import alike, same_name
from sinks.xero.responses import Result
from sinks.xero.routes import ROUTES, RouteName
from sinks.xero.statuses import is_away

_Found = tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Xero's answer to an element, and the link that its target had until then."""

    element: Element
    result: Result
    seq: int
    """Position of the command for which the link is kept."""
    link: Link | None

    @property
    def found(self) -> JsonObject:
        """The object that Xero returned; ``{}`` if it returned none."""
        return self.result.found[0] if self.result.found else {}


def _nothing_learnt(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return known


def _no_link(change: Change) -> Link | None:
    return None


def _all_is_fresh(known: XeroReads, element: Element) -> XeroReads:
    return known


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of an answer on one route."""

    learn: Callable[[XeroReads, Element, _Found], XeroReads] = _nothing_learnt
    """Takes the earlier reads, the element and the object that Xero returned; returns the reads that hold
    now.
    """
    link: Callable[[Change], Link | None] = _no_link
    """The target's link as it must be kept now; None if it does not change."""
    refused: Callable[[XeroReads, Element], XeroReads] = _all_is_fresh
    """The reads that are still fresh once Xero refused it: the others may have been changed since, even by
    one of our calls that arrived late.
    """


# Reads learnt from responses


def _contact(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, contact=_first(found))


def _contact_numbers(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, contact_by_number=found)


def _contact_by_exact_name(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, contact_by_name=found, names_asked=1)


def _contact_by_search(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, contact_by_name=_of_the_name(element, found), names_asked=2)


def _contact_by_page(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    more = len(found) >= int(ROUTES[element.route].query["pageSize"])
    asked = int(element.query["page"]) + 2 if more else -1
    return replace(known, contact_by_name=_of_the_name(element, found), names_asked=asked)


def _of_the_name(element: Element, found: _Found) -> _Found:
    same = tuple(c for c in found if same_name(str(c.get("Name") or ""), element.wanted))
    near = tuple(c for c in found if alike(str(c.get("Name") or ""), element.wanted))
    return near if not same and len(near) == 1 else same


def _contact_written(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    contact = _first(found)
    return replace(known, contact=contact if is_away(contact) else None)


def _invoice_numbers(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, invoice_by_number=found)


def _invoice(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, invoice=_first(found))


def _invoice_written(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, invoice=None)


def _order_numbers(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, order_by_number=found)


def _order(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, order=_first(found))


def _order_written(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, order=_first(found) or None)


def _payment(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, payments={**known.payments, element.xero_id: _first(found)})


def _credit_note_numbers(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, credit_note_by_number=found)


def _credit_note(known: XeroReads, element: Element, found: _Found) -> XeroReads:
    return replace(known, credit_notes={**known.credit_notes, element.xero_id: _first(found)})


def _first(found: _Found) -> JsonObject:
    return found[0] if found else {}


# Reads that a refusal makes doubtful


def _invoice_is_stale(known: XeroReads, element: Element) -> XeroReads:
    return replace(known, invoice=None) if element.step == "remove" else known


def _order_is_stale(known: XeroReads, element: Element) -> XeroReads:
    return replace(known, order=None)


def _payment_is_stale(known: XeroReads, element: Element) -> XeroReads:
    return replace(known, payments={i: p for i, p in known.payments.items() if i != element.xero_id})


def _credit_note_is_stale(known: XeroReads, element: Element) -> XeroReads:
    return replace(known, credit_notes={i: n for i, n in known.credit_notes.items() if i != element.xero_id})


# Facts that a link keeps


def _status_found(change: Change) -> Link | None:
    """Return the link with the state that a document was found in."""
    if change.link is None:
        return None
    status = str(change.found.get("Status") or "") if change.result.found else "DELETED"
    return None if status == change.link.text("status") else _with_status(change.link, status)


def _with_status(link: Link, status: str, more: Facts | None = None) -> Link:
    return replace(link, removed=status in GONE, facts={**link.facts, **(more or {}), "status": status})


def _contact_link(change: Change) -> Link | None:
    element, found = change.element, change.found
    if is_away(found):  # nobody sees writes to it: they count as not sent
        return None
    name = str(found.get("Name") or element.link_facts.get("name") or "")
    xero_id = str(found.get("ContactID") or element.xero_id)
    return Link(element.target, xero_id, name, change.seq, facts=dict(element.link_facts))


def _money_link(change: Change) -> Link | None:
    link_facts = change.element.link_facts
    facts = {**link_facts, "warned": list(change.result.warned)}
    number = str(link_facts.get("number") or "")
    return Link(change.element.target, str(change.found["PaymentID"]), number, change.seq, facts=facts)


def _taken_off(change: Change) -> Link | None:
    if change.link is None:
        return None
    return replace(change.link, removed=True, facts={**change.link.facts, **change.element.link_facts})


def _credit_note_link(change: Change) -> Link | None:
    element = change.element
    return link_of_credit_note(
        element.target, change.found, of_money(element.link_facts), change.seq, change.result.warned
    )


def _credit_note_status(change: Change) -> Link | None:
    if change.link is None:
        return None
    return _with_status(change.link, _status_sent(change), change.element.link_facts)


def _status_sent(change: Change) -> str:
    return str(change.found.get("Status") or (change.element.body or {}).get("Status") or "")


def _document_link(change: Change) -> Link | None:
    element, found, link = change.element, change.found, change.link
    if "fingerprint" not in element.link_facts and link is not None:
        return _with_status(link, _status_sent(change), element.link_facts)
    sent = (element.body or {}).get("Status") or (link.text("status") if link is not None else "")
    found = {**found, "Status": found.get("Status") or sent}
    link_of = link_of_order if element.target.kind == "purchase_order" else link_of_invoice
    made = link_of(element.target, found, of_document(element.link_facts), change.seq)
    facts = dict(made.facts)
    if link is not None and "lines" not in facts and "lines" in link.facts:
        facts["lines"] = link.facts["lines"]
    facts["warned"] = [*change.result.warned, *_unexpected_totals(made, element, found)]
    return replace(made, facts=facts)


def _unexpected_totals(made: Link, element: Element, found: JsonObject) -> list[str]:
    """Return warnings for a total or tax that differs between Xero and SalesBinder."""
    remarks = []
    total = made.facts["total"]
    expected = element.link_facts.get("expected_total", total)
    if Decimal(str(total)) != Decimal(str(expected)):
        remarks.append(f"the total is {total} in Xero and {Decimal(str(expected))} in SalesBinder")
    tax, of_it = found.get("TotalTax"), element.link_facts.get("expected_tax")
    if tax is not None and of_it is not None and Decimal(str(tax)) != Decimal(str(of_it)):
        remarks.append(f"the tax is {tax} in Xero and {of_it} in SalesBinder")
    return remarks


EFFECTS: Mapping[RouteName, Effect] = {
    "contacts.create": Effect(_contact_written, _contact_link),
    "contacts.update": Effect(_contact_written, _contact_link),
    "contacts.find": Effect(_contact_by_exact_name),
    "contacts.search": Effect(_contact_by_search),
    "contacts.list": Effect(_contact_by_page),
    "contacts.find_number": Effect(_contact_numbers),
    "contacts.find_numbers": Effect(_contact_numbers),
    "contacts.read": Effect(_contact),
    "items.create": Effect(),
    "invoices.create": Effect(_invoice_written, _document_link),
    "invoices.update": Effect(_invoice_written, _document_link, _invoice_is_stale),
    "invoices.find": Effect(_invoice_numbers),
    "invoices.read": Effect(_invoice, _status_found),
    "orders.create": Effect(_order_written, _document_link),
    "orders.update": Effect(_order_written, _document_link, _order_is_stale),
    "orders.find": Effect(_order_numbers),
    "orders.read": Effect(_order, _status_found),
    "bills.create": Effect(_invoice_written, _document_link),
    "bills.find": Effect(_invoice_numbers),
    "payments.create": Effect(link=_money_link),
    "payments.remove": Effect(link=_taken_off, refused=_payment_is_stale),
    "payments.read": Effect(_payment),
    "refunds.create": Effect(link=_money_link),
    "credit_notes.create": Effect(link=_credit_note_link),
    "credit_notes.update": Effect(link=_credit_note_status, refused=_credit_note_is_stale),
    "credit_notes.find": Effect(_credit_note_numbers),
    "credit_notes.read": Effect(_credit_note, _status_found),
}


def learn(known: XeroReads, element: Element, result: Result) -> XeroReads:
    """Return the reads that hold once Xero did what the element asks."""
    return EFFECTS[element.route].learn(known, element, result.found)


def link_after(change: Change) -> Link | None:
    """Return the target's link once Xero did what the element asks; None if it does not change."""
    return EFFECTS[change.element.route].link(change)


def is_taken_off_already(change: Change) -> bool:
    """Return True if Xero refused to take something off because it is off already: the desired state."""
    code, route = change.result.code, change.element.route
    return route == "payments.remove" and code == "payment_already_removed" and change.link is not None


def refusal_of(element: Element, result: Result) -> Refusal:
    """Return the refusal in the form that the planner takes."""
    route = ROUTES[element.route]
    code = result.code or "our_error"
    return Refusal(element.step, code, result.details, look_up=route.reads, create=route.creates)


def known_after_refusal(known: XeroReads, element: Element) -> XeroReads:
    """Return the reads that are still fresh once Xero refused what the element asks."""
    return EFFECTS[element.route].refused(known, element)


def link_after_refusal(change: Change, at: datetime) -> Link | None:
    """Return the target's link once Xero refused what the element asks; None if it does not change."""
    code = change.result.code or "our_error"
    return with_refusal(change.element, code, change.result.details, change.link, at)
