"""Planning purchase orders: created, edited, deleted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NoReturn

from contracts.commands import DocumentSnapshot
from contracts.money import to_cents
from contracts.newness import Stamp, stamp
from contracts.reasons import Refused
from sinks.planner.amounts import xero_day
from sinks.planner.contacts import plan_party, trouble_warnings
from sinks.planner.invoices import (
    GONE,
    as_sent,
    before_cutoff,
    contact_along,
    document_facts,
    document_of,
    facts_of,
    give_up,
    is_changed,
    other_party,
    prepare,
    refused_for_state,
    refused_party,
    sends_again,
    settled,
)
from sinks.planner.line_ids import lines_lost, lines_refused, with_line_ids
from sinks.planner.review import is_as_sent, refuse_unsettled
from sinks.planner.situation import Done, Learn, Plan, Send, Situation, Wait
from sinks.resolve import ResolvedDocument, resolve_order
from sinks.xero.elements import Element, Link, Step, StepKey
from sinks.xero.facts import DocumentFacts, Facts


def order_target(record_id: str) -> StepKey:
    """The step key of a purchase order."""
    return StepKey("purchase_order", record_id)


def bill_target(record_id: str) -> StepKey:
    """The step key of the bill for a purchase order: there is one, however often it is received."""
    return StepKey("bill", record_id)


def plan_order_command(s: Situation) -> Plan:
    """A purchase order was created or edited."""
    if before_cutoff(s):
        return Done("before_cutoff")
    document = document_of(s)
    link = s.order_link
    if link is not None:
        refuse_removed_order(s, link)
        if link.stamp >= document.stamp and not sends_again(s, link):
            return contact_along(s, link) or settled(s, link, document)
        if is_billed(s, link):
            return _edit_of_billed(s, link, document)
    step = plan_order(s)
    if step is not None:
        return step
    assert s.order_link is not None
    return settled(s, s.order_link, document)


def plan_order(s: Situation) -> Plan | None:
    """The next step until Xero's order is what this snapshot says; none when it is.

    Raises:
        Refused: it cannot be.
    """
    document = document_of(s)
    link = s.order_link
    resolved = resolve_order(document, s.settings, s.facts, link.facts if link else None)
    if link is None:
        return prepare(s) or _create(s, document, resolved)
    if not is_changed(link, document, resolved) and not sends_again(s, link):
        return plan_party(s, creates=False) or as_sent(s, link, document)
    return _edit(s, link, document, resolved)


def plan_order_removal(s: Situation) -> Plan:
    """A purchase order was deleted."""
    link = s.order_link
    if before_cutoff(s):
        return Done("before_cutoff")
    if link is None:
        return Learn((_never_sent(s),))
    ours = link.text("removed_seq") == str(s.seq)
    if s.retried and s.overtaken and not ours:
        raise Refused("overtaken", later="a later action")
    if not link.xero_id:
        return Done("not_needed")
    if link.removed:
        return Done(None if ours else "already_there", link)
    if order_status(s, link) in GONE:
        return Learn((_gone(s, link),))
    if is_billed(s, link):
        refuse_billed(s, link)
    if s.known.order is None and refused_for_state(s, "remove order"):
        return read_order(link)
    give_up(s, "remove order")
    return update_order(link, "remove order", {"Status": "DELETED"}, {"removed_seq": str(s.seq)})


def refuse_billed(s: Situation, link: Link) -> NoReturn:
    """Raises ``order_billed``, with SalesBinder's total and that of what was billed."""
    billed = s.bill_link or link
    known = s.command.amount is not None
    total = s.command.amount if known else link.amount("expected_total")
    raise Refused(
        "order_billed", total=to_cents(total or Decimal(0)), xero_total=to_cents(billed.amount("total"))
    )


def is_billed(s: Situation, link: Link) -> bool:
    """True once the order is a bill: by a receipt, be it that its answer was lost, or by hand in Xero."""
    bill = bill_target(s.command.record_id)
    return order_status(s, link) == "BILLED" or s.bill_link is not None or bill in s.unknown


def order_status(s: Situation, link: Link) -> str:
    """The order's status in Xero: as just read, else as last seen. What is no longer there was deleted."""
    if s.known.order is None:
        return link.text("status")
    return str(s.known.order.get("Status") or "DELETED")


def refuse_removed_order(s: Situation, link: Link) -> None:
    """Raises ``document_removed`` when the order was taken out of Xero, by us or by hand."""
    if link.removed or order_status(s, link) in GONE:
        raise Refused("document_removed", number=link.xero_number)


def read_order(link: Link) -> Send:
    """Read the order as Xero has it now."""
    day = {"DateFrom": link.text("date")}
    return Send(Element("orders.read", "read order", link.target, xero_id=link.xero_id, query=day))


def update_order(link: Link, step: Step, body: Mapping[str, Any], link_facts: Facts) -> Send:
    """Change the order in Xero; what ``body`` does not name stays."""
    body = {"PurchaseOrderID": link.xero_id, **body}
    return Send(
        Element("orders.update", step, link.target, body, xero_id=link.xero_id, link_facts=link_facts)
    )


def _edit_of_billed(s: Situation, link: Link, document: DocumentSnapshot) -> Plan:
    """What was received is final. A snapshot that is older than the received one, or that says the same with
    the same stamp, has nothing to add to it.
    """
    received = _received_stamp(link)
    told_again = received.equals(document.stamp) and link.text("received_content") == document.digest
    if document.stamp <= received or told_again:
        return contact_along(s, link) or Done("superseded", link, trouble_warnings(s))
    refuse_billed(s, link)


def _received_stamp(link: Link) -> Stamp:
    """How new the snapshot was that was received."""
    until = link.time("received_time") if link.text("received_time") else datetime.max.replace(tzinfo=UTC)
    return stamp(link.time("received_version"), until, int(link.text("received_position") or 0))


def _create(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    target = order_target(document.record_id)
    if target in s.unknown:
        return _look_up(s, document, resolved, target)
    if s.known.order_by_number is not None:
        return _adopt(s, document, resolved, s.known.order_by_number)
    if (step := refused_party(s, "order")) is not None:
        return step
    if s.refusal is not None and s.refusal.step == "order" and s.refusal.code == "number_taken":
        return _find(target, resolved)
    give_up(s, "order")
    assert s.contact_link is not None
    status = "DRAFT" if s.settings.purchase_order_status == "draft" else "AUTHORISED"
    body = {**resolved.body, "Contact": {"ContactID": s.contact_link.xero_id}, "Status": status}
    link_facts = document_facts(s, document, resolved)
    return Send(Element("orders.create", "order", target, body, link_facts=link_facts))


def _look_up(s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument, target: StepKey) -> Plan:
    """The answer of an earlier call was not seen: is the order there? If not, it is sent anew."""
    if s.now < s.unknown[target]:
        return Wait(s.unknown[target], "waiting_for_answer")
    found = s.known.order_by_number
    if found is None:
        return _find(target, resolved)
    if _ours(s, resolved, found):
        return _adopt(s, document, resolved, found)
    return Learn((), (target,), afresh=True)


def _ours(
    s: Situation, resolved: ResolvedDocument, found: tuple[Mapping[str, Any], ...]
) -> list[Mapping[str, Any]]:
    """Those of the orders found by number that bear the document's mark and are no other document's."""
    mark = str(resolved.body["Reference"]).split(" ")[-1]
    marked = [o for o in found if str(o.get("Reference") or "").split(" ")[-1] == mark]
    return [o for o in marked if o["PurchaseOrderID"] not in s.linked_elsewhere]


def _find(target: StepKey, resolved: ResolvedDocument) -> Send:
    """By its number alone, or among the orders of its day."""
    number, day = resolved.number, {"DateFrom": str(resolved.body["Date"])}
    return Send(Element("orders.find", "look up order", target, xero_id=number, query=day, wanted=number))


def _adopt(
    s: Situation, document: DocumentSnapshot, resolved: ResolvedDocument, found: tuple[Mapping[str, Any], ...]
) -> Plan:
    """The number is taken: by ours, of a call whose answer was lost, or by somebody else's?"""
    ours = _ours(s, resolved, found)
    if not ours:
        holder = str((found[0].get("Contact") or {}).get("Name") or "") if found else ""
        setting = "purchase_order_number_format"
        raise Refused("number_taken", number=resolved.number, contact=holder, setting=setting)
    order = ours[0]
    link_facts = document_facts(s, document, resolved)
    link = link_of_order(order_target(document.record_id), order, link_facts, s.seq)
    if order.get("Status") not in GONE and not is_as_sent(s, order, resolved):
        refuse_unsettled(s, f"create purchase order {resolved.number}", [(order, link)])
    return Learn((link,), (link.target,), afresh=True)


def _edit(s: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    """An order is no part of the books: until it is billed, an approved one is changed like a draft. Its
    status is not named, so that it stays as it is."""
    if (step := refused_party(s, "order")) is not None:
        return step
    if s.known.order is None and (refused_for_state(s, "order") or lines_refused(s, "order")):
        return read_order(link)
    if (lost := lines_lost(s, link, s.known.order)) is not None:
        return lost
    give_up(s, "order")
    named = other_party(s, link, document)
    if (step := prepare(s, creates=named)) is not None:
        return step
    assert s.contact_link is not None
    body = with_line_ids(link, resolved)
    if named:
        body = {**body, "Contact": {"ContactID": s.contact_link.xero_id}}
    return update_order(link, "order", body, document_facts(s, document, resolved))


def link_of_order(target: StepKey, order: Mapping[str, Any], link_facts: DocumentFacts, seq: int) -> Link:
    """The link for a purchase order as Xero returned it, with what was sent to get there."""
    facts: DocumentFacts = {**facts_of(order, link_facts), "date": xero_day(order)}
    number = str(order.get("PurchaseOrderNumber") or "")
    return Link(target, str(order["PurchaseOrderID"]), number, seq, facts["status"] in GONE, facts)


def _never_sent(s: Situation) -> Link:
    """Remembers that an order that never was in Xero is gone, so that nothing brings it there later."""
    facts = {"status": "DELETED", "removed_seq": str(s.seq)}
    return Link(order_target(s.command.record_id), "", s.command.record_number, s.seq, True, facts)


def _gone(s: Situation, link: Link) -> Link:
    return replace(link, removed=True, facts={**link.facts, "status": order_status(s, link)})
