"""Plan a refund: a credit note that is paid out, or the matching payment taken back, by setting."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from contracts.commands import TransactionSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused, warning
from contracts.results import Outcome
from sinks.planner.amounts import amount_in
from sinks.planner.credit_notes import (
    GENERATION,
    adopt_credit_note,
    credit_note_number,
    credit_note_target,
    find_credit_note,
    live_of_ours,
    prepare_note,
    read_credit_note,
    refund_target,
    take_note_out,
    voided_of_ours,
)
from sinks.planner.documents import before_cutoff, document_warnings, give_up
from sinks.planner.invoices import read_invoice, refuse_removed
from sinks.planner.items import refuse_tracked_lines
from sinks.planner.line_ids import rounding_item
from sinks.planner.payees import CREDIT_NOTE, STEPS, TO_OWN_CONTACT, find_payee, payee_of
from sinks.planner.payments import payment_of, put_amount, transaction_of
from sinks.planner.payouts import look_up_paid_out, note_name, pay_out
from sinks.planner.reversals import plan_reversal, plan_reversed_again
from sinks.planner.situation import AskFacts, Done, Learn, Plan, Send, Situation, Wait
from sinks.planner.told import (
    REPLACED,
    REPLACING,
    TOLD,
    Told,
    completed_in,
    confirmed,
    differs,
    in_words,
    lies_after_reset,
    over,
    reset_since,
    told_before,
    told_now,
)
from sinks.resolve import Part, ResolvedPayment, completes, parts_of, refund_warnings, resolve_refund
from sinks.xero.elements import Element, Link, StepKey
from sinks.xero.facts import MoneyFacts


def plan_refund(situation: Situation) -> Plan:
    """Plan for a refund applied to an invoice. One transaction is refunded once, under any number of event
    ids; if it is published again with other content, it is corrected.
    """
    transaction = transaction_of(situation)
    link, note = situation.invoice_link, situation.credit_note_links.get(transaction.transaction_id)
    if link is not None and (lost := _look_up_lost(situation, link, note, transaction)) is not None:
        return lost
    if (done := plan_reversed_again(situation, transaction)) is not None:
        return done
    if link is not None and note is not None:
        return _told_again(situation, link, note, transaction)
    if before_cutoff(situation):
        return Done("before_cutoff")
    if link is not None:
        refuse_removed(situation, link)
    reverses = situation.settings.refund_as == "reverse_payment"
    if (told_now(situation, transaction).amount if reverses else put_amount(situation, transaction)) == 0:
        return Done("not_needed", link, supersedes="transaction")
    if link is None:
        raise Refused("document_not_in_xero")
    if reverses:
        return plan_reversal(situation, link, transaction)
    return _make_note(situation, link, None, transaction, told_now(situation, transaction))


def _note_target(s: Situation, transaction: TransactionSnapshot) -> StepKey:
    return credit_note_target(s.command.record_id, transaction.transaction_id)


def _look_up_lost(
    situation: Situation, link: Link, note: Link | None, transaction: TransactionSnapshot
) -> Plan | None:
    """Look up the object that an earlier call for this transaction asked for, because its response was
    lost.
    """
    target = _note_target(situation, transaction)
    if target in situation.unknown:
        return _look_up_note(situation, link, target, transaction)
    paid_out = refund_target(situation.command.record_id, transaction.transaction_id)
    if note is not None and not note.removed and paid_out in situation.unknown:
        return look_up_paid_out(situation, link, note, transaction, paid_out)
    return None


def _told_again(situation: Situation, link: Link, note: Link, transaction: TransactionSnapshot) -> Plan:
    """Plan a refund for which something was sent before, perhaps by this command."""
    now, before = told_now(situation, transaction), told_before(situation, note)
    refund = situation.refund_links.get(transaction.transaction_id)
    whole = not note.removed and refund is not None and not refund.removed
    if before.seq == situation.seq and (whole or (note.removed and now.amount == 0)):
        return _done(situation, note)
    if note.text(REPLACING) == str(situation.seq):
        return _replace(situation, link, note, transaction)
    if before.seq == situation.seq:
        _refuse_voided(note)
        return pay_out(situation, link, note, transaction)
    gone = {note.xero_id, refund.xero_id if refund is not None else ""} & situation.gone
    if not note.removed and gone and (step := prepare_note(situation, note)) is not None:
        return step
    if note.removed:
        return _after_removal(situation, link, note, transaction)
    if not differs(now, before, dated=transaction.dated):
        if not whole:
            return pay_out(situation, link, note, transaction)
        if not now.is_later(before):
            return Done("already_there", note)
        return Learn((confirmed(situation, note, over(now, before, dated=transaction.dated)),))
    if not now.is_later(before):
        return Done("superseded", note)
    if situation.settings.refund_as == "reverse_payment":
        raise Refused("refund_changed", before=before.amount, amount=now.amount)
    return _replace(situation, link, note, transaction)


def _after_removal(situation: Situation, link: Link, note: Link, transaction: TransactionSnapshot) -> Plan:
    """Plan for a credit note no longer in Xero: a reset, a correction or somebody removed it."""
    now, before = told_now(situation, transaction), told_before(situation, note)
    if not now.is_later(before) or not lies_after_reset(situation, before):
        return Done("superseded", note)
    refuse_removed(situation, link)
    if situation.settings.refund_as == "reverse_payment" and now.amount:
        return plan_reversal(situation, link, transaction)
    if put_amount(situation, transaction) == 0:
        return Done("not_needed", note, supersedes="transaction")
    told = now if reset_since(situation, before) else over(now, before, dated=transaction.dated)
    return _make_note(situation, link, note, completed_in(transaction, told), told)


def _done(situation: Situation, note: Link) -> Done:
    """Return the end of a refund that this command has made, changed or confirmed."""
    if note.text("confirmed_seq") == str(situation.seq):
        return Done("already_there", note, supersedes="transaction")
    warnings = [*document_warnings(note)]
    if note.text(REPLACED):
        amount = Decimal("0.00") if note.removed else note.amount("amount")
        warnings.append(warning("payment_replaced", before=note.text(REPLACED), amount=amount))
    # If it was adopted, this command may still have paid it out itself.
    outcome: Outcome | None = None if note.text("adopted") else "posted"
    return Done(outcome, note, tuple(warnings), supersedes="transaction")


def _replace(situation: Situation, link: Link, note: Link, transaction: TransactionSnapshot) -> Plan:
    """Take the credit note out and make it again under the next number, once all is checked that can be.

    Raises:
        Refused: it cannot be done; before the first touch nothing was touched then.
    """
    told = over(told_now(situation, transaction), told_before(situation, note), dated=transaction.dated)
    wanted = completed_in(transaction, told)
    replaced: MoneyFacts = {REPLACED: note.text(REPLACED) or in_words(note)}
    if not note.removed:
        return _take_out(situation, link, note, wanted, told)
    if told.amount == 0:
        return Learn((replace(note, facts={**note.facts, **told.facts(), **replaced}),))
    return _make_note(situation, link, note, wanted, told, replaced)


def _take_out(situation: Situation, link: Link, note: Link, wanted: TransactionSnapshot, told: Told) -> Plan:
    if situation.known.invoice is None:
        return read_invoice(link)
    refuse_removed(situation, link)
    if (step := prepare_note(situation, note)) is not None:
        return step
    if not situation.facts_are_fresh:
        return AskFacts()
    if told.amount:
        amount = payment_of(situation, link, wanted).amount
        if (step := _check_paid(situation, situation.known.invoice, amount, without=note)) is not None:
            return step
    if note.text(REPLACING) != str(situation.seq):
        return Learn((replace(note, facts={**note.facts, REPLACING: str(situation.seq)}),))
    return take_note_out(situation, note)


def _make_note(
    situation: Situation,
    link: Link,
    before: Link | None,
    transaction: TransactionSnapshot,
    told: Told,
    replaced: MoneyFacts | None = None,
) -> Plan:
    """Plan the credit note, then the payment that pays it out; everything that can be checked of both comes
    first.

    Args:
        before: the link of the transaction's earlier one, which keeps its number.
    """
    payment = payment_of(situation, link, transaction)
    target = _note_target(situation, transaction)
    generation = int(before.text(GENERATION) or 1) + 1 if before is not None else 1
    number = credit_note_number(link, transaction.mark, generation)
    if situation.known.invoice is None:
        return read_invoice(link)
    if (
        situation.refusal is not None
        and situation.refusal.step in STEPS
        and situation.refusal.code == "number_taken"
    ):
        return _find_holder(situation, before, payment, target, number, generation)
    if (step := find_payee(situation, situation.known.invoice)) is not None:
        return step
    to, payee = payee_of(situation, situation.known.invoice)
    give_up(situation, *(STEPS if to == CREDIT_NOTE else (TO_OWN_CONTACT,)))
    if (step := _check_paid(situation, situation.known.invoice, payment.amount)) is not None:
        return step
    if (step := _read_earlier(situation, situation.known.invoice, payment.amount)) is not None:
        return step
    rounding, earlier = rounding_item(link), _earlier_parts(situation)
    body = resolve_refund(
        situation.known.invoice, payment, number, situation.facts, rounding=rounding, earlier=earlier
    )
    body["Contact"] = {"ContactID": payee}
    refuse_tracked_lines(situation, body)
    link_facts: MoneyFacts = {
        **_note_facts(body, payment),
        **told.facts(),
        GENERATION: str(generation),
        **(replaced or {}),
    }
    return Send(Element("credit_notes.create", to, target, body, link_facts=link_facts))


def _read_earlier(situation: Situation, invoice: JsonObject, amount: Decimal) -> Send | None:
    """Return the next look-up of an earlier refund whose shares its link does not keep, if this refund
    completes the total and so takes what the others left; None if there is none.
    """
    notes = _earlier(situation)
    refunded = sum((note.amount("amount") for note in notes), Decimal(0))
    if not completes(invoice, amount, refunded):
        return None
    unread = (n for n in notes if "parts" not in n.facts and n.xero_id not in situation.known.credit_notes)
    note = next(unread, None)
    return None if note is None else read_credit_note(note)


def _earlier(s: Situation) -> list[Link]:
    return [note for note in s.credit_note_links.values() if not note.removed]


def _earlier_parts(situation: Situation) -> list[Part]:
    found: list[Part] = []
    for note in _earlier(situation):
        if "parts" in note.facts:
            found += msgspec.convert(note.money["parts"], list[Part])
        else:
            found += parts_of(situation.known.credit_notes.get(note.xero_id) or {})
    return found


def _find_holder(
    situation: Situation,
    before: Link | None,
    payment: ResolvedPayment,
    target: StepKey,
    number: str,
    generation: int,
) -> Plan:
    """Find out who has the number: our voided credit note, which keeps it, or another one."""
    found = situation.known.credit_note_by_number
    if found is None:
        return find_credit_note(target, number)
    voided = voided_of_ours(situation, found, payment.reference)
    if voided is not None:
        unsaid = Told(Decimal(0), None, None, datetime.min.replace(tzinfo=UTC), situation.seq - 1)
        kept = before or Link(target, str(voided["CreditNoteID"]), number, 0, True, unsaid.facts())
        facts = {**kept.facts, GENERATION: str(generation)}
        return Learn((replace(kept, facts=facts),), afresh=True)
    assert situation.known.invoice is not None
    wanted = {
        "CreditNoteNumber": number,
        "Reference": payment.reference,
        "Date": payment.date.isoformat(),
        "Contact": {"ContactID": payee_of(situation, situation.known.invoice)[1]},
        "Total": payment.amount,
    }
    told = told_now(situation, transaction_of(situation))
    link_facts: MoneyFacts = {
        **_note_facts(found[0] if found else {}, payment),
        **told.facts(),
        GENERATION: str(generation),
    }
    return adopt_credit_note(situation, found, wanted, link_facts, target)


def _look_up_note(
    situation: Situation, link: Link, target: StepKey, transaction: TransactionSnapshot
) -> Plan:
    if situation.now < situation.unknown[target]:
        return Wait(situation.unknown[target], "waiting_for_answer")
    sent = situation.sent.get(target)
    wanted = sent.body if sent is not None else {}
    number = str(wanted.get("CreditNoteNumber") or credit_note_number(link, transaction.mark))
    found = situation.known.credit_note_by_number
    if found is None:
        return find_credit_note(target, number)
    reference = str(wanted.get("Reference") or transaction.mark)
    if not live_of_ours(situation, found, reference):
        return Learn((), (target,), afresh=True)
    link_facts: MoneyFacts
    if sent is not None and sent.money.get(TOLD):
        link_facts = sent.money
    else:
        payment = payment_of(situation, link, transaction)
        link_facts = {**_note_facts(found[0], payment), **told_now(situation, transaction).facts()}
        wanted = {
            "CreditNoteNumber": number,
            "Reference": payment.reference,
            "Date": payment.date.isoformat(),
            "Contact": wanted.get("Contact") or found[0].get("Contact"),
        }
    return adopt_credit_note(situation, found, wanted, link_facts, target)


def _note_facts(note: JsonObject, payment: ResolvedPayment) -> MoneyFacts:
    return {
        "amount": payment.amount,
        "date": payment.date.isoformat(),
        "reference": payment.reference,
        "parts": parts_of(note),
        "warnings": list(refund_warnings(note, payment)),
    }


def _check_paid(
    situation: Situation, invoice: JsonObject, amount: Decimal, without: Link | None = None
) -> Plan | None:
    """Check that the money came in and has not been paid back yet: only that can be refunded.

    Raises:
        Refused: ``refund_exceeds_paid``. Before, earlier credit notes are read: one may have been voided.
    """
    standing = [
        note for note in situation.credit_note_links.values() if not note.removed and note is not without
    ]
    paid = amount_in(invoice, "AmountPaid")
    left = paid - sum((note.amount("amount") for note in standing), Decimal(0))
    if amount <= left:
        return None
    for note in standing:
        if note.xero_id not in situation.known.credit_notes:
            return read_credit_note(note)
    raise Refused("refund_exceeds_paid", amount=amount, paid=max(left, Decimal("0.00")))


def _refuse_voided(note: Link) -> None:
    """Leave to a person an object that somebody voided while this refund was in progress."""
    if note.removed:
        raise Refused("document_removed", number=note.xero_number, document=note_name(note))
