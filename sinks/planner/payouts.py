"""Plan the payment that pays out a refund's credit note: look it up if a response was lost, or make it.
Pure.
"""

from dataclasses import replace

from contracts.commands import TransactionSnapshot
from contracts.reasons import Refused
from sinks.planner.amounts import amount_in
from sinks.planner.credit_notes import read_credit_note, refund_target
from sinks.planner.documents import give_up, refused_for_state
from sinks.planner.payments import look_up_payment, payment_of, wanted_payment
from sinks.planner.situation import Plan, Send, Situation, Wait
from sinks.planner.told import completed_in, told_before
from sinks.resolve import ResolvedPayment
from sinks.xero.elements import Element, Link, StepKey
from sinks.xero.facts import MoneyFacts


def note_name(note: Link) -> str:
    """Return a credit note in a bookkeeper's words."""
    return f"credit note {note.xero_number}"


def look_up_paid_out(
    situation: Situation, link: Link, note: Link, transaction: TransactionSnapshot, target: StepKey
) -> Plan:
    """Look the payment up on the credit note: the response to the call that pays it out was lost."""
    if situation.now < situation.unknown[target]:
        return Wait(situation.unknown[target], "waiting_for_answer")
    found = situation.known.credit_notes.get(note.xero_id)
    if found is None:
        return read_credit_note(note)
    sent = situation.sent.get(target)
    body = sent.body if sent is not None else payment_of(situation, link, transaction).body
    facts = sent.money if sent is not None else _paid_out(note, payment_of(situation, link, transaction))
    made = Link(target, "", note.xero_number, note.seq, facts=facts)
    return look_up_payment(situation, found, wanted_payment(body), made)


def pay_out(situation: Situation, link: Link, note: Link, transaction: TransactionSnapshot) -> Plan:
    """Plan the payment of the credit note, of the amount that it has."""
    told = told_before(situation, note)
    payment = payment_of(situation, link, completed_in(transaction, told))
    payment = replace(
        payment, amount=note.amount("amount"), body={**payment.body, "Amount": note.amount("amount")}
    )
    target = refund_target(situation.command.record_id, transaction.transaction_id)
    found = situation.known.credit_notes.get(note.xero_id)
    if situation.refusal is not None and situation.refusal.step == "refund":
        if found is None and (
            refused_for_state(situation, "refund") or situation.refusal.code == "exceeds_amount_due"
        ):
            return read_credit_note(note)
        if situation.refusal.code == "exceeds_amount_due" and found is not None:
            due = amount_in(found, "RemainingCredit")
            raise Refused("exceeds_amount_due", amount=payment.amount, due=due, document=note_name(note))
        give_up(situation, "refund")
    body = {**payment.body, "CreditNote": {"CreditNoteID": note.xero_id}}
    return Send(Element("refunds.create", "refund", target, body, link_facts=_paid_out(note, payment)))


def _paid_out(note: Link, payment: ResolvedPayment) -> MoneyFacts:
    return {
        "amount": payment.amount,
        "date": payment.date.isoformat(),
        "reference": payment.reference,
        "number": note.xero_number,
    }
