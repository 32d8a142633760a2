"""Our credit notes: looked up by their marks if a response was lost, taken out by a removal."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from contracts.json import JsonObject
from contracts.reasons import Refused
from sinks.planner.amounts import amount_in, shown, xero_day
from sinks.planner.contact_lookups import quoted
from sinks.planner.documents import GONE, give_up
from sinks.planner.payments import is_marked
from sinks.planner.review import refuse_unsettled
from sinks.planner.situation import Learn, Plan, Send, Situation, Wait
from sinks.planner.told import TAKEN_OFF_BY
from sinks.resolve import contact_of
from sinks.xero.elements import Element, Link, Step, StepKey
from sinks.xero.facts import MoneyFacts

_Found = JsonObject
_APPROVED = ("AUTHORISED", "PAID")
GENERATION: Final = "generation"
"""Fact of a credit note's link: how many the transaction has had, including this one."""


def credit_note_target(record_id: str, transaction_id: str) -> StepKey:
    """Return the step key of a refund's credit note."""
    return StepKey("credit_note", record_id, transaction_id)


def refund_target(record_id: str, transaction_id: str) -> StepKey:
    """Return the step key of the payment that pays a refund's credit note out."""
    return StepKey("refund", record_id, transaction_id)


def credit_note_number(invoice: Link, mark: str, generation: int = 1) -> str:
    """Return ``{invoice number}-{first 8 of the transaction id}``, with the whole id if that is the mark. One
    that replaces a voided one, which keeps its number, ends with ``-2``, ``-3`` …
    """
    number = f"{invoice.xero_number}-{mark.removeprefix('#')}"
    return number if generation == 1 else f"{number}-{generation}"


def live_of_ours(s: Situation, found: Iterable[_Found], reference: str) -> list[_Found]:
    """Return the credit notes found that bear this mark, exist in Xero and are linked to nothing."""
    return [note for note in _ours(s, found, reference) if note.get("Status") not in GONE]


def voided_of_ours(s: Situation, found: Iterable[_Found], reference: str) -> _Found | None:
    """Return one that bears this mark and was voided or deleted: it keeps its number, and is adopted by
    nothing.
    """
    gone = (note for note in _ours(s, found, reference, linked=True) if note.get("Status") in GONE)
    return next(gone, None)


def _ours(s: Situation, found: Iterable[_Found], reference: str, *, linked: bool = False) -> list[_Found]:
    own = set() if linked else {note.xero_id for note in s.credit_note_links.values()}
    others = s.linked_elsewhere | own
    sales = (note for note in found if note.get("Type", "ACCRECCREDIT") == "ACCRECCREDIT")
    return [n for n in sales if is_marked(n, reference) and n["CreditNoteID"] not in others]


def read_credit_note(note: Link) -> Send:
    """Read the credit note as Xero has it now."""
    return Send(Element("credit_notes.read", "read credit note", note.target, xero_id=note.xero_id))


def find_credit_note(target: StepKey, number: str) -> Send:
    """Look for a credit note by its number, which is unique among those of sales."""
    query = {"where": f"CreditNoteNumber=={quoted(number)}", "page": "1"}
    return Send(Element("credit_notes.find", "look up credit note", target, query=query, wanted=number))


def link_of_credit_note(
    target: StepKey, note: _Found, link_facts: MoneyFacts, seq: int, warned: tuple[str, ...] = ()
) -> Link:
    """Return the link for a credit note as Xero returned it. ``warned``: Xero's warnings about it."""
    facts = link_facts.copy()
    facts["status"] = str(note.get("Status") or "")
    total, expected = note.get("Total"), Decimal(str(facts.get("amount", 0)))
    if total is not None and Decimal(str(total)) != expected and facts["status"] not in GONE:
        warned = (*warned, f"the credit note is {total} in Xero and the refund {expected} in SalesBinder")
    facts["warned"] = list(warned)
    number = str(note.get("CreditNoteNumber") or "")
    return Link(target, str(note["CreditNoteID"]), number, seq, facts["status"] in GONE, facts)


def adopt_credit_note(
    situation: Situation,
    found: tuple[_Found, ...],
    wanted: JsonObject,
    link_facts: MoneyFacts,
    target: StepKey,
) -> Plan:
    """Find out who has the number: our document, from a call whose response was lost, or another one.

    To be adopted, number, mark, amount, date and contact must all match, and the credit note must not be
    linked already, voided or deleted.

    Args:
        wanted: ``CreditNoteNumber``, ``Reference``, ``Date`` and ``Contact`` as they were sent.
        link_facts: the facts that the link keeps.
    """
    ours = live_of_ours(situation, found, str(wanted["Reference"]))
    if not ours:
        sales = [n for n in found if n.get("Type") == "ACCRECCREDIT"]
        holder = str((sales[0].get("Contact") or {}).get("Name", "")) if sales else ""
        number = wanted["CreditNoteNumber"]
        raise Refused("number_taken", number=number, contact=holder, setting="invoice_number_format")
    note = ours[0]
    same = (
        note.get("Status") in _APPROVED
        and amount_in(note, "Total") == Decimal(str(link_facts["amount"]))
        and xero_day(note) == wanted["Date"]
        and contact_of(note) == contact_of(wanted)
    )
    told = link_facts.get("told")
    link = link_of_credit_note(target, note, link_facts, int(told["seq"]) if told else situation.seq)
    if not same:
        refuse_unsettled(situation, f"credit note {wanted['CreditNoteNumber']}", [(note, link)])
    return Learn((link,), (target,), afresh=True)


# Removal


def prepare_credit_notes(situation: Situation) -> Plan | None:
    """Return the next step until everything is read that decides whether our credit notes can be taken out;
    None then.

    Raises:
        Refused: one has something of others on it, or something of ours cannot be taken off.
    """
    step = _look_up_lost(situation)
    if step is not None:
        return step
    for note in _standing(situation):
        if note.xero_id not in situation.known.credit_notes:
            return read_credit_note(note)
    for note in _standing(situation):
        if (step := _prepare(situation, note)) is not None:
            return step
    for note in _standing(situation):
        _refuse_fixed(situation, note)
    return None


def prepare_note(situation: Situation, note: Link) -> Plan | None:
    """Return the next step until everything is read that decides whether this one can be taken out; None
    then.

    Raises:
        Refused: it has something of others on it, or it cannot be taken out.
    """
    if note.xero_id not in situation.known.credit_notes:
        return read_credit_note(note)
    if (step := _prepare(situation, note)) is not None:
        return step
    _refuse_fixed(situation, note)
    return None


def _prepare(s: Situation, note: Link) -> Plan | None:
    found = s.known.credit_notes[note.xero_id]
    if str(found.get("Status") or "DELETED") in GONE:
        return Learn(_gone(s, note), afresh=s.refusal is not None)
    return _prepare_payments(s, note, found)


def take_credit_note_out(s: Situation) -> Send | None:
    """Return the next step until none of our credit notes is left: the money paid out first, then the credit
    note.
    """
    standing = _standing(s)
    return take_note_out(s, standing[0]) if standing else None


def take_note_out(situation: Situation, note: Link) -> Send:
    """Return the next step until this credit note is out: the money paid out first, then the credit note."""
    refund = situation.refund_links.get(note.target.transaction_id)
    link_facts = {TAKEN_OFF_BY: str(situation.seq)}
    if refund is not None and not refund.removed:
        step: Step = "take refund off"
        give_up(situation, step)
        body = {"Status": "DELETED"}
        return Send(
            Element(
                "payments.remove", step, refund.target, body, xero_id=refund.xero_id, link_facts=link_facts
            )
        )
    step = "void credit note"
    give_up(situation, step)
    body = {"CreditNoteID": note.xero_id, "Status": "VOIDED"}
    return Send(
        Element("credit_notes.update", step, note.target, body, xero_id=note.xero_id, link_facts=link_facts)
    )


def has_credit_notes(s: Situation) -> bool:
    """Return True if one of our credit notes from before this action exists, or may exist."""
    return bool(_standing(s) or _lost(s))


def _standing(s: Situation) -> list[Link]:
    """Return our credit notes that this action takes out. A reset leaves those that came after it."""
    everything = s.command.action != "reset"
    notes = sorted(s.credit_note_links.values(), key=lambda note: (note.seq, note.target))
    return [note for note in notes if not note.removed and (everything or note.seq < s.seq)]


def _lost(situation: Situation) -> list[tuple[StepKey, str, int]]:
    """Return the credit notes that were sent before and of which nobody knows whether they are there."""
    found = []
    for transaction_id, (mark, seq) in situation.refund_marks.items():
        target = credit_note_target(situation.command.record_id, transaction_id)
        if target in situation.unknown and seq < situation.seq:
            found.append((target, mark, seq))
    return sorted(found)


def _look_up_lost(situation: Situation) -> Plan | None:
    """Look up a credit note with our number and mark, which is ours; its refund ended without finding out."""
    for target, mark, seq in _lost(situation):
        assert situation.invoice_link is not None
        sent = situation.sent.get(target)
        number = credit_note_number(situation.invoice_link, mark)
        if sent is not None:
            number = str(sent.body.get("CreditNoteNumber") or number)
        if situation.now < situation.unknown[target]:
            return Wait(situation.unknown[target], "waiting_for_answer")
        if situation.known.credit_note_by_number is None:
            return find_credit_note(target, number)
        ours = live_of_ours(situation, situation.known.credit_note_by_number, mark)
        link_facts: MoneyFacts = sent.money.copy() if sent is not None else {}
        if ours:
            link_facts |= {"reference": mark, "amount": str(ours[0].get("Total") or 0)}
        links = (link_of_credit_note(target, ours[0], link_facts, seq),) if ours else ()
        return Learn(links, (target,), afresh=True)
    return None


def _prepare_payments(situation: Situation, note: Link, found: _Found) -> Plan | None:
    """Check the payments on one credit note: ours are linked and read, any others stop the removal."""
    refund = situation.refund_links.get(note.target.transaction_id)
    taken_off = refund.xero_id if refund is not None and refund.removed else ""
    applied = [p for p in found.get("Payments") or () if p.get("Status") != "DELETED"]
    applied = [p for p in applied if str(p["PaymentID"]) != taken_off]
    own_id = refund.xero_id if refund is not None and not refund.removed else ""
    ours = [p for p in applied if str(p["PaymentID"]) == own_id]
    if not ours:
        ours = [p for p in applied if is_marked(p, note.text("reference"))][:1]
    _refuse_foreign(note, found, [p for p in applied if p not in ours])
    if not ours:
        return Learn((_deleted(refund),)) if refund is not None and own_id else None
    payment_id = str(ours[0]["PaymentID"])
    if payment_id != own_id:
        target = refund_target(note.target.record_id, note.target.transaction_id)
        facts = {"amount": str(ours[0].get("Amount", 0))}
        return Learn((Link(target, payment_id, note.xero_number, note.seq, facts=facts),))
    if payment_id not in situation.known.payments:
        assert refund is not None
        return Send(Element("payments.read", "read refund", refund.target, xero_id=payment_id))
    return None


def _refuse_foreign(note: Link, found: _Found, others: list[_Found]) -> None:
    listed = [shown(p) for p in others]
    for allocation in found.get("Allocations") or ():
        invoice = (allocation.get("Invoice") or {}).get("InvoiceNumber") or ""
        listed.append(f"{amount_in(allocation, 'Amount')} put on invoice {invoice}".strip())
    if listed:
        document = f"credit note {note.xero_number}"
        raise Refused("foreign_payments", list=", ".join(listed), document=document, number=note.xero_number)


def _refuse_fixed(situation: Situation, note: Link) -> None:
    """Refuse to touch money that is reconciled with the bank or lies in a locked period."""
    found = situation.known.credit_notes[note.xero_id]
    document = f"credit note {note.xero_number}"
    refund = situation.refund_links.get(note.target.transaction_id)
    dates = [xero_day(found)]
    if refund is not None and not refund.removed:
        payment = situation.known.payments[refund.xero_id]
        dates.append(xero_day(payment))
        if payment.get("IsReconciled") is True:
            raise Refused("payment_reconciled", list=shown(payment), document=document)
    lock = situation.facts.lock_date
    locked = [day for day in dates if lock is not None and "" < day <= lock.isoformat()]
    if locked:
        raise Refused(
            "period_locked", number=note.xero_number, document=document, date=min(locked), lock_date=lock
        )


def _gone(s: Situation, note: Link) -> tuple[Link, ...]:
    """Return the links after somebody voided it, for which the payout had to be taken off first."""
    refund = s.refund_links.get(note.target.transaction_id)
    rest = (_deleted(refund),) if refund is not None and not refund.removed else ()
    return (replace(note, removed=True, facts={**note.facts, "status": "VOIDED"}), *rest)


def _deleted(payment: Link) -> Link:
    return replace(payment, removed=True, facts={**payment.facts, "status": "DELETED"})
