"""Plan purchase orders: created, edited, deleted."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import NoReturn

from contracts.commands import DocumentSnapshot
from contracts.json import JsonObject
from contracts.money import to_cents
from contracts.newness import Stamp, stamp
from contracts.reasons import Refused
from sinks.planner.amounts import xero_day
from sinks.planner.contacts import plan_party, trouble_warnings
from sinks.planner.documents import (
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
    """Return the step key of a purchase order."""
    return StepKey("purchase_order", record_id)


def bill_target(record_id: str) -> StepKey:
    """Return the step key of the bill for a purchase order: there is one, however often it is received."""
    return StepKey("bill", record_id)


def plan_order_command(situation: Situation) -> Plan:
    """Plan for a purchase order that was created or edited."""
    if before_cutoff(situation):
        return Done("before_cutoff")
    document = document_of(situation)
    link = situation.order_link
    if link is not None:
        refuse_removed_order(situation, link)
        if link.stamp >= document.stamp and not sends_again(situation, link):
            return contact_along(situation, link) or settled(situation, link, document)
        if is_billed(situation, link):
            return _edit_of_billed(situation, link, document)
    step = plan_order(situation)
    if step is not None:
        return step
    assert situation.order_link is not None
    return settled(situation, situation.order_link, document)


def plan_order(situation: Situation) -> Plan | None:
    """Return the next step until Xero's order equals this snapshot; None if it does.

    Raises:
        Refused: it cannot be.
    """
    document = document_of(situation)
    link = situation.order_link
    resolved = resolve_order(document, situation.settings, situation.facts, link.facts if link else None)
    if link is None:
        return prepare(situation) or _create(situation, document, resolved)
    if not is_changed(link, document, resolved) and not sends_again(situation, link):
        return plan_party(situation, creates=False) or as_sent(situation, link, document)
    return _edit(situation, link, document, resolved)


def plan_order_removal(situation: Situation) -> Plan:
    """Plan for a purchase order that was deleted."""
    link = situation.order_link
    if before_cutoff(situation):
        return Done("before_cutoff")
    if link is None:
        return Learn((_never_sent(situation),))
    ours = link.text("removed_seq") == str(situation.seq)
    if situation.retried and situation.overtaken and not ours:
        raise Refused("overtaken", later="a later action")
    if not link.xero_id:
        return Done("not_needed")
    if link.removed:
        return Done(None if ours else "already_there", link)
    if order_status(situation, link) in GONE:
        return Learn((_gone(situation, link),))
    if is_billed(situation, link):
        refuse_billed(situation, link)
    if situation.known.order is None and refused_for_state(situation, "remove order"):
        return read_order(link)
    give_up(situation, "remove order")
    return update_order(link, "remove order", {"Status": "DELETED"}, {"removed_seq": str(situation.seq)})


def refuse_billed(situation: Situation, link: Link) -> NoReturn:
    """Raise ``order_billed``, with SalesBinder's total and that of the bill."""
    billed = situation.bill_link or link
    known = situation.command.amount is not None
    total = situation.command.amount if known else link.amount("expected_total")
    raise Refused(
        "order_billed", total=to_cents(total or Decimal(0)), xero_total=to_cents(billed.amount("total"))
    )


def is_billed(s: Situation, link: Link) -> bool:
    """Return True once the order is a bill: by a receipt, even if its response was lost, or by hand in
    Xero.
    """
    bill = bill_target(s.command.record_id)
    return order_status(s, link) == "BILLED" or s.bill_link is not None or bill in s.unknown


def order_status(s: Situation, link: Link) -> str:
    """Return the order's status in Xero: as just read, else as last seen. An order that is no longer there
    was deleted.
    """
    if s.known.order is None:
        return link.text("status")
    return str(s.known.order.get("Status") or "DELETED")


def refuse_removed_order(s: Situation, link: Link) -> None:
    """Raise ``document_removed`` if the order was taken out of Xero, by us or by hand."""
    if link.removed or order_status(s, link) in GONE:
        raise Refused("document_removed", number=link.xero_number)


def read_order(link: Link) -> Send:
    """Read the order as Xero has it now."""
    day = {"DateFrom": link.text("date")}
    return Send(Element("orders.read", "read order", link.target, xero_id=link.xero_id, query=day))


def update_order(link: Link, step: Step, body: JsonObject, link_facts: Facts) -> Send:
    """Change the order in Xero; fields missing in ``body`` stay."""
    body = {"PurchaseOrderID": link.xero_id, **body}
    return Send(
        Element("orders.update", step, link.target, body, xero_id=link.xero_id, link_facts=link_facts)
    )


def _edit_of_billed(s: Situation, link: Link, document: DocumentSnapshot) -> Plan:
    """Plan for a received order, which is final. A snapshot that is older than the received one, or that says
    the same with the same stamp, has nothing to add to it.
    """
    received = _received_stamp(link)
    told_again = received.equals(document.stamp) and link.text("received_content") == document.digest
    if document.stamp <= received or told_again:
        return contact_along(s, link) or Done("superseded", link, trouble_warnings(s))
    refuse_billed(s, link)


def _received_stamp(link: Link) -> Stamp:
    """Return how new the snapshot was that was received."""
    until = link.time("received_time") if link.text("received_time") else datetime.max.replace(tzinfo=UTC)
    return stamp(link.time("received_version"), until, int(link.text("received_position") or 0))


def _create(situation: Situation, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    target = order_target(document.record_id)
    if target in situation.unknown:
        return _look_up(situation, document, resolved, target)
    if situation.known.order_by_number is not None:
        return _adopt(situation, document, resolved, situation.known.order_by_number)
    if (step := refused_party(situation, "order")) is not None:
        return step
    if (
        situation.refusal is not None
        and situation.refusal.step == "order"
        and situation.refusal.code == "number_taken"
    ):
        return _find(target, resolved)
    give_up(situation, "order")
    assert situation.contact_link is not None
    status = "DRAFT" if situation.settings.purchase_order_status == "draft" else "AUTHORISED"
    body = {**resolved.body, "Contact": {"ContactID": situation.contact_link.xero_id}, "Status": status}
    link_facts = document_facts(situation, document, resolved)
    return Send(Element("orders.create", "order", target, body, link_facts=link_facts))


def _look_up(
    situation: Situation, document: DocumentSnapshot, resolved: ResolvedDocument, target: StepKey
) -> Plan:
    """Look up the order of a call whose response was lost; if it is not there, send it again."""
    if situation.now < situation.unknown[target]:
        return Wait(situation.unknown[target], "waiting_for_answer")
    found = situation.known.order_by_number
    if found is None:
        return _find(target, resolved)
    if _ours(situation, resolved, found):
        return _adopt(situation, document, resolved, found)
    return Learn((), (target,), afresh=True)


def _ours(s: Situation, resolved: ResolvedDocument, found: tuple[JsonObject, ...]) -> list[JsonObject]:
    """Return those of the orders found by number that bear the document's mark and are no other
    document's.
    """
    mark = str(resolved.body["Reference"]).split(" ")[-1]
    marked = [o for o in found if str(o.get("Reference") or "").split(" ")[-1] == mark]
    return [o for o in marked if o["PurchaseOrderID"] not in s.linked_elsewhere]


def _find(target: StepKey, resolved: ResolvedDocument) -> Send:
    """Find the order by its number alone, or among the orders of its day."""
    number, day = resolved.number, {"DateFrom": str(resolved.body["Date"])}
    return Send(Element("orders.find", "look up order", target, xero_id=number, query=day, wanted=number))


def _adopt(
    situation: Situation,
    document: DocumentSnapshot,
    resolved: ResolvedDocument,
    found: tuple[JsonObject, ...],
) -> Plan:
    """Find out who has the number: our document, from a call whose response was lost, or another one."""
    ours = _ours(situation, resolved, found)
    if not ours:
        holder = str((found[0].get("Contact") or {}).get("Name") or "") if found else ""
        setting = "purchase_order_number_format"
        raise Refused("number_taken", number=resolved.number, contact=holder, setting=setting)
    order = ours[0]
    link_facts = document_facts(situation, document, resolved)
    link = link_of_order(order_target(document.record_id), order, link_facts, situation.seq)
    if order.get("Status") not in GONE and not is_as_sent(situation, order, resolved):
        refuse_unsettled(situation, f"create purchase order {resolved.number}", [(order, link)])
    return Learn((link,), (link.target,), afresh=True)


def _edit(situation: Situation, link: Link, document: DocumentSnapshot, resolved: ResolvedDocument) -> Plan:
    """Plan an edit. An order is not part of the books: until it is billed, an approved one is changed like a
    draft. Its status is left out, so that it stays.
    """
    if (step := refused_party(situation, "order")) is not None:
        return step
    if situation.known.order is None and (
        refused_for_state(situation, "order") or lines_refused(situation, "order")
    ):
        return read_order(link)
    if (lost := lines_lost(situation, link, situation.known.order)) is not None:
        return lost
    give_up(situation, "order")
    named = other_party(situation, link, document)
    if (step := prepare(situation, creates=named)) is not None:
        return step
    assert situation.contact_link is not None
    body = with_line_ids(link, resolved)
    if named:
        body = {**body, "Contact": {"ContactID": situation.contact_link.xero_id}}
    return update_order(link, "order", body, document_facts(situation, document, resolved))


def link_of_order(target: StepKey, order: JsonObject, link_facts: DocumentFacts, seq: int) -> Link:
    """Return the link for a purchase order as Xero returned it, with the content that was sent."""
    facts: DocumentFacts = {**facts_of(order, link_facts), "date": xero_day(order)}
    number = str(order.get("PurchaseOrderNumber") or "")
    return Link(target, str(order["PurchaseOrderID"]), number, seq, facts["status"] in GONE, facts)


def _never_sent(s: Situation) -> Link:
    """Remember that an order that never was in Xero is gone, so that nothing creates it there later."""
    facts = {"status": "DELETED", "removed_seq": str(s.seq)}
    return Link(order_target(s.command.record_id), "", s.command.record_number, s.seq, True, facts)


def _gone(s: Situation, link: Link) -> Link:
    return replace(link, removed=True, facts={**link.facts, "status": order_status(s, link)})
