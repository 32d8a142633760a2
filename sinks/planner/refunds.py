"""Planning a refund: a credit note that is paid out, or the matching payment taken back, by setting."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from contracts.commands import TransactionSnapshot
from contracts.money import to_cents
from contracts.reasons import Refused
from sinks.planner.amounts import amount_in
from sinks.planner.credit_notes import (
    adopt_credit_note,
    credit_note_number,
    credit_note_target,
    find_credit_note,
    read_credit_note,
    refund_target,
)
from sinks.planner.invoices import (
    before_cutoff,
    document_warnings,
    give_up,
    read_invoice,
    refuse_removed,
    refused_for_state,
)
from sinks.planner.items import refuse_tracked_lines
from sinks.planner.line_ids import rounding_item
from sinks.planner.payments import look_up_payment, payment_of, transaction_of
from sinks.planner.reversals import plan_reversal, reversed_by
from sinks.planner.situation import Done, Plan, Remember, Send, Situation, Wait
from sinks.resolve import (
    Part,
    ResolvedPayment,
    completes,
    contact_of,
    parts_of,
    refund_warnings,
    resolve_refund,
)
from sinks.steps import Element, Link, Target


def plan_refund(s: Situation) -> Plan:
    """A refund was applied to an invoice. One transaction is refunded once, under however many event ids."""
    transaction = transaction_of(s)
    if (done := _done(s, transaction)) is not None:
        return done
    if before_cutoff(s):
        return Done("before_cutoff")
    if to_cents(transaction.amount) == 0:
        return Done("not_needed", s.invoice_link)
    link = s.invoice_link
    if link is None:
        raise Refused("document_not_in_xero")
    refuse_removed(s, link)
    begun = transaction.transaction_id in s.credit_note_links
    if begun or s.settings.refund_as == "credit_note" or _note_target(s, transaction) in s.unknown:
        return _credit(s, link, transaction)
    return plan_reversal(s, link, transaction)


def _done(s: Situation, transaction: TransactionSnapshot) -> Done | None:
    """The refund is in Xero, or was before something took it off."""
    payment = reversed_by(s, transaction.transaction_id)
    if payment is not None:
        return Done(None, payment)
    note = s.credit_note_links.get(transaction.transaction_id)
    if note is None or transaction.transaction_id not in s.refund_links:
        return None
    return Done(None, note, document_warnings(note) if note.seq == s.seq else ())


def _note_target(s: Situation, transaction: TransactionSnapshot) -> Target:
    return credit_note_target(s.command.record_id, transaction.transaction_id)


def _credit(s: Situation, link: Link, transaction: TransactionSnapshot) -> Plan:
    """The credit note, then the payment that pays it out; all that can be checked of both goes first."""
    payment = payment_of(s, link, transaction)
    note = s.credit_note_links.get(transaction.transaction_id)
    if note is None:
        return _make_note(s, link, transaction, payment)
    _refuse_voided(note)
    return _pay_out(s, note, transaction, payment)


def _make_note(s: Situation, link: Link, transaction: TransactionSnapshot, payment: ResolvedPayment) -> Plan:
    target = _note_target(s, transaction)
    number = credit_note_number(link, transaction.mark)
    lost = target in s.unknown
    if lost and s.now < s.unknown[target]:
        return Wait(s.unknown[target], "waiting_for_answer")
    if s.known.invoice is None:
        return read_invoice(link)
    taken = s.refusal is not None and s.refusal.step == "credit note" and s.refusal.code == "number_taken"
    if lost or taken:
        return _look_up_note(s, target, number, payment)
    give_up(s, "credit note")
    if (step := _check_paid(s, s.known.invoice, payment.amount)) is not None:
        return step
    if (step := _read_earlier(s, s.known.invoice, payment.amount)) is not None:
        return step
    rounding, earlier = rounding_item(link), _earlier_parts(s)
    body = resolve_refund(s.known.invoice, payment, number, s.facts, rounding=rounding, earlier=earlier)
    refuse_tracked_lines(s, body)
    return Send(Element("credit_notes.create", "credit note", target, body, memory=_memory(body, payment)))


def _read_earlier(s: Situation, invoice: Mapping[str, Any], amount: Decimal) -> Send | None:
    """The refund that completes the total takes what the others left: what they took is read where their
    links do not keep it."""
    notes = _earlier(s)
    refunded = sum((note.amount("amount") for note in notes), Decimal(0))
    if not completes(invoice, amount, refunded):
        return None
    unread = (n for n in notes if "parts" not in n.facts and n.xero_id not in s.known.credit_notes)
    note = next(unread, None)
    return None if note is None else read_credit_note(note)


def _earlier(s: Situation) -> list[Link]:
    return [note for note in s.credit_note_links.values() if not note.removed]


def _earlier_parts(s: Situation) -> list[Part]:
    found: list[Part] = []
    for note in _earlier(s):
        if "parts" in note.facts:
            found += msgspec.convert(note.facts["parts"], list[Part])
        else:
            found += parts_of(s.known.credit_notes.get(note.xero_id) or {})
    return found


def _look_up_note(s: Situation, target: Target, number: str, payment: ResolvedPayment) -> Plan:
    found = s.known.credit_note_by_number
    if found is None:
        return find_credit_note(target, number)
    if not found and target in s.unknown:
        return Remember((), (target,), afresh=True)
    assert s.known.invoice is not None
    wanted = {
        "CreditNoteNumber": number,
        "Reference": payment.reference,
        "Date": payment.date.isoformat(),
        "Contact": {"ContactID": contact_of(s.known.invoice)},
    }
    return adopt_credit_note(s, found, wanted, _memory(found[0] if found else {}, payment), target)


def _memory(note: Mapping[str, Any], payment: ResolvedPayment) -> dict[str, Any]:
    return {
        "amount": payment.amount,
        "reference": payment.reference,
        "parts": parts_of(note),
        "warnings": list(refund_warnings(note, payment)),
    }


def _check_paid(s: Situation, invoice: Mapping[str, Any], amount: Decimal) -> Plan | None:
    """Only money that came in, and that did not go back yet, can be paid back.

    Raises:
        Refused: ``refund_exceeds_paid``. Before, earlier credit notes are read: one may have been voided.
    """
    standing = [note for note in s.credit_note_links.values() if not note.removed]
    paid = amount_in(invoice, "AmountPaid")
    left = paid - sum((note.amount("amount") for note in standing), Decimal(0))
    if amount <= left:
        return None
    for note in standing:
        if note.xero_id not in s.known.credit_notes:
            return read_credit_note(note)
    raise Refused("refund_exceeds_paid", amount=amount, paid=max(left, Decimal("0.00")))


def _pay_out(s: Situation, note: Link, transaction: TransactionSnapshot, payment: ResolvedPayment) -> Plan:
    target = refund_target(s.command.record_id, transaction.transaction_id)
    found = s.known.credit_notes.get(note.xero_id)
    if target in s.unknown:
        if s.now < s.unknown[target]:
            return Wait(s.unknown[target], "waiting_for_answer")
        if found is None:
            return read_credit_note(note)
        made = Link(target, "", note.xero_number, s.seq, facts=_paid_out(note, payment))
        return look_up_payment(s, found, payment, made)
    if s.refusal is not None and s.refusal.step == "refund":
        if found is None and (refused_for_state(s, "refund") or s.refusal.code == "exceeds_amount_due"):
            return read_credit_note(note)
        if s.refusal.code == "exceeds_amount_due" and found is not None:
            due = amount_in(found, "RemainingCredit")
            raise Refused("exceeds_amount_due", amount=payment.amount, due=due, document=_name(note))
        give_up(s, "refund")
    body = {**payment.body, "CreditNote": {"CreditNoteID": note.xero_id}}
    return Send(Element("refunds.create", "refund", target, body, memory=_paid_out(note, payment)))


def _paid_out(note: Link, payment: ResolvedPayment) -> dict[str, Any]:
    return {
        "amount": payment.amount,
        "date": payment.date.isoformat(),
        "reference": payment.reference,
        "number": note.xero_number,
    }


def _refuse_voided(note: Link) -> None:
    """A credit note that somebody voided keeps its number for ever, so there is no second one."""
    if note.removed:
        raise Refused("document_removed", number=note.xero_number, document=_name(note))


def _name(note: Link) -> str:
    return f"credit note {note.xero_number}"
