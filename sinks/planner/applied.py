"""Plan a payment that was applied: for the first time, published again, or corrected."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from contracts.commands import TransactionSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused, warning
from contracts.results import Outcome, Warning
from sinks.planner.amounts import amount_in, xero_day
from sinks.planner.documents import before_cutoff, document_warnings, give_up
from sinks.planner.invoices import plan_invoice, read_invoice, refuse_removed
from sinks.planner.payments import (
    look_up_lost,
    pay,
    payment_of,
    payment_target,
    put_amount,
    refuse_reconciled,
    transaction_of,
)
from sinks.planner.removal import is_gone, refuse_locked
from sinks.planner.situation import AskFacts, Done, Learn, Plan, Send, Situation
from sinks.planner.told import (
    REPLACED,
    REPLACING,
    TAKEN_OFF_BY,
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
from sinks.resolve import ResolvedPayment
from sinks.xero.elements import Element, Link, Step


def plan_payment(situation: Situation) -> Plan:
    """Plan for a payment applied to an invoice. One transaction is paid once, under any number of event ids;
    if it is published again with other content, it is corrected.
    """
    transaction = transaction_of(situation)
    target = payment_target(situation.command.record_id, transaction.transaction_id)
    payment = situation.payment_links.get(transaction.transaction_id)
    if target in situation.unknown and situation.invoice_link is not None:
        return look_up_lost(situation, situation.invoice_link, transaction, target)
    if payment is not None and situation.invoice_link is not None:
        return _told_again(situation, situation.invoice_link, payment, transaction)
    if before_cutoff(situation):
        return Done("before_cutoff")
    if situation.invoice_link is not None:
        refuse_removed(situation, situation.invoice_link)
    if transaction.amount < 0:
        raise Refused("amount_not_positive", amount=told_now(situation, transaction).amount)
    if put_amount(situation, transaction) == 0:
        return Done("not_needed", situation.invoice_link, supersedes="transaction")
    if situation.invoice_link is None:
        step = plan_invoice(situation)
        assert step is not None
        return step
    return pay(situation, situation.invoice_link, transaction, told_now(situation, transaction))


def _told_again(situation: Situation, invoice: Link, payment: Link, transaction: TransactionSnapshot) -> Plan:
    """Plan a transaction for which something was sent before, perhaps by this command."""
    now, before = told_now(situation, transaction), told_before(situation, payment)
    if before.seq == situation.seq and (not payment.removed or now.amount == 0):
        return _done(situation, invoice, payment)
    if payment.text(REPLACING) == str(situation.seq):
        return _replace(situation, invoice, payment, transaction)
    changed = differs(now, before, dated=transaction.dated)
    if not payment.removed and payment.xero_id in situation.gone:
        if payment.xero_id not in situation.known.payments:
            return _read(payment)
        if is_gone(situation.known.payments[payment.xero_id]):
            return Learn((replace(payment, removed=True, facts={**payment.facts, "status": "DELETED"}),))
    if not payment.removed:
        if not changed:
            return _confirm(situation, payment, now, before, dated=transaction.dated)
        if not now.is_later(before):
            return Done("superseded", payment)
        return _replace(situation, invoice, payment, transaction)
    return _after_removal(situation, invoice, payment, transaction)


def _after_removal(
    situation: Situation, invoice: Link, payment: Link, transaction: TransactionSnapshot
) -> Plan:
    """Plan for a payment no longer in Xero: a reset, a refund, a correction or somebody removed it."""
    now, before = told_now(situation, transaction), told_before(situation, payment)
    reset = reset_since(situation, before)
    if not now.is_later(before) or not lies_after_reset(situation, before):
        return Done("superseded", payment)
    refuse_removed(situation, invoice)
    if payment.text("reversed_by") and reset is None:
        if differs(now, before, dated=transaction.dated):
            raise Refused("payment_refunded", before=before.amount, amount=now.amount)
        return Done("superseded", payment)
    if now.amount < 0:
        raise Refused("amount_not_positive", amount=now.amount)
    if put_amount(situation, transaction) == 0:
        return Done("not_needed", payment, supersedes="transaction")
    told = now if reset else over(now, before, dated=transaction.dated)
    return pay(situation, invoice, completed_in(transaction, told), told)


def _confirm(s: Situation, payment: Link, now: Told, before: Told, *, dated: bool) -> Plan:
    """Plan for the same content once more."""
    if not now.is_later(before):
        return Done("already_there", payment)
    return Learn((confirmed(s, payment, over(now, before, dated=dated)),))


def _done(situation: Situation, invoice: Link, payment: Link) -> Done:
    """Return the end of a payment that this command has made, changed or confirmed."""
    brought = invoice.seq == situation.seq
    supersedes = "snapshots transaction" if brought else "transaction"
    if payment.text("confirmed_seq") == str(situation.seq):
        return Done("already_there", payment, supersedes=supersedes)
    warnings = [*document_warnings(payment)]
    if brought:
        warnings += document_warnings(invoice)
    if invoice.text("moved_seq") == str(situation.seq):
        warnings += msgspec.convert(invoice.facts.get("moved") or [], list[Warning])
    if payment.text(REPLACED):
        amount = Decimal("0.00") if payment.removed else payment.amount("amount")
        warnings.append(warning("payment_replaced", before=payment.text(REPLACED), amount=amount))
    outcome: Outcome = "already_there" if payment.text("adopted") else "posted"
    return Done(outcome, payment, tuple(warnings), supersedes)


# Corrections


def _replace(situation: Situation, invoice: Link, payment: Link, transaction: TransactionSnapshot) -> Plan:
    """Take off the earlier object and make it again, once everything that can be checked is checked.

    Raises:
        Refused: it cannot be done; before the first change, nothing was changed then.
    """
    before = told_before(situation, payment)
    told = over(told_now(situation, transaction), before, dated=transaction.dated)
    if told.amount < 0:
        raise Refused("amount_not_positive", amount=told.amount)
    wanted = completed_in(transaction, told)
    if not payment.removed:
        return _take_off(situation, invoice, payment, wanted, told)
    if told.amount == 0:
        facts = {**payment.facts, **told.facts(), REPLACED: in_words(payment)}
        return Learn((replace(payment, facts=facts),))
    return pay(situation, invoice, wanted, told, {REPLACED: payment.text(REPLACED) or in_words(payment)})


def _take_off(
    situation: Situation, invoice: Link, payment: Link, wanted: TransactionSnapshot, told: Told
) -> Plan:
    if situation.known.invoice is None:
        return read_invoice(invoice)
    refuse_removed(situation, invoice)
    found = situation.known.payments.get(payment.xero_id)
    if found is None:
        return _read(payment)
    if is_gone(found):
        facts = {**payment.facts, "status": "DELETED"}
        return Learn((replace(payment, removed=True, facts=facts),))
    if not situation.facts_are_fresh:
        return AskFacts()
    refuse_reconciled([found])
    named = f"the payment of {amount_in(found, 'Amount')} on invoice {invoice.xero_number}"
    refuse_locked(situation, invoice, [(xero_day(found), named)])
    _refuse_more_than_fits(
        situation, invoice, found, payment_of(situation, invoice, wanted) if told.amount else None
    )
    if payment.text(REPLACING) != str(situation.seq):
        return Learn((replace(payment, facts={**payment.facts, REPLACING: str(situation.seq)}),))
    give_up(situation, "take payment off")
    body, link_facts = {"Status": "DELETED"}, {TAKEN_OFF_BY: str(situation.seq)}
    step: Step = "take payment off"
    return Send(
        Element("payments.remove", step, payment.target, body, xero_id=payment.xero_id, link_facts=link_facts)
    )


def _refuse_more_than_fits(
    situation: Situation, invoice: Link, found: JsonObject, new: ResolvedPayment | None
) -> None:
    """Check that the new amount is at most the amount due without the old one, and that our refunds do not
    exceed what then remains paid.
    """
    assert situation.known.invoice is not None
    old = amount_in(found, "Amount")
    amount = new.amount if new is not None else Decimal("0.00")
    due = amount_in(situation.known.invoice, "AmountDue") + old
    if amount > due:
        raise Refused("exceeds_amount_due", amount=amount, due=due, number=invoice.xero_number)
    left = amount_in(situation.known.invoice, "AmountPaid") - old + amount
    notes = (note for note in situation.credit_note_links.values() if not note.removed)
    refunded = sum((note.amount("amount") for note in notes), Decimal("0.00"))
    if refunded > max(left, Decimal(0)):
        raise Refused("refund_exceeds_paid", amount=refunded, paid=left)


def _read(payment: Link) -> Send:
    return Send(Element("payments.read", "read payment", payment.target, xero_id=payment.xero_id))
