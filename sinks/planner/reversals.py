"""Plan a refund that takes the matching payment back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from contracts.commands import TransactionSnapshot
from contracts.json import JsonObject
from contracts.reasons import ReasonCode, Refused
from sinks.planner.amounts import amount_in, shown, xero_day
from sinks.planner.documents import give_up
from sinks.planner.invoices import read_invoice, refuse_removed
from sinks.planner.removal import is_gone, links_by_mark, refuse_locked, standing_payments
from sinks.planner.situation import AskFacts, Done, Learn, Plan, Send, Situation
from sinks.planner.told import (
    TAKEN_OFF_BY,
    TOLD,
    Told,
    differs,
    over,
    reset_since,
    told_before,
    told_now,
)
from sinks.resolve.texts import one_line
from sinks.xero.elements import Element, Link
from sinks.xero.facts import MoneyFacts, TextFact

_Found = JsonObject
_CLAIMED: Final = "claimed_by"
_REVERSED: Final = "reversed_by"
_REVERSAL: Final = "reversal"
_TOLD_AGAIN: Final = "reversal_told_again"


def reversed_by(s: Situation, transaction_id: str) -> Link | None:
    """Return the payment that this refund has taken back."""
    taken = (p for p in s.payment_links.values() if p.text(_REVERSED) == transaction_id)
    return next(taken, None)


def plan_reversed_again(situation: Situation, transaction: TransactionSnapshot) -> Plan | None:
    """Return what to do about a refund for which a payment was taken back before; None if there was none, or
    if it is to be done again, after a reset.

    Raises:
        Refused: ``refund_changed``: the payment cannot be put there again with another amount;
            ``document_removed``.
    """
    now, payment = told_now(situation, transaction), reversed_by(situation, transaction.transaction_id)
    if payment is None:
        return Done("superseded") if _was_before_a_reset(situation, now) else None
    before = _told_of_reversal(situation, payment)
    if before.seq == situation.seq:
        there = payment.text(_TOLD_AGAIN) == str(situation.seq)
        return Done("already_there" if there else "posted", payment, supersedes="transaction")
    if (reset := reset_since(situation, before)) is not None:
        after = (situation.command.event.time, situation.seq) > (reset.time, reset.seq)
        return None if after else Done("superseded", payment)
    changed = differs(now, before, dated=transaction.dated)
    if not now.is_later(before):
        return Done("superseded" if changed else "already_there", payment)
    if situation.invoice_link is not None:
        refuse_removed(situation, situation.invoice_link)
    if changed:
        raise Refused("refund_changed", before=before.amount, amount=now.amount)
    told = over(now, before, dated=transaction.dated).facts()[TOLD]
    facts = {**payment.facts, _REVERSAL: told, _TOLD_AGAIN: str(situation.seq)}
    return Learn((replace(payment, facts=facts),))


def _told_of_reversal(s: Situation, payment: Link) -> Told:
    kept = payment.money.get(_REVERSAL)
    return told_before(s, replace(payment, facts={**payment.facts, TOLD: kept}))


def _was_before_a_reset(situation: Situation, now: Told) -> bool:
    """Return True if this refund was done before, a reset came after, and this event happened before that."""
    own = situation.command.transaction
    assert own is not None
    done = (
        e
        for e in situation.money
        if (e.action, e.transaction_id) == ("refund_applied", own.transaction_id) and e.completed
    )
    before = next((e for e in done if e.seq < situation.seq), None)
    if before is None:
        return False
    reset = reset_since(situation, replace(now, seq=before.seq))
    return reset is not None and (now.time, now.seq) <= (reset.time, reset.seq)


def plan_reversal(situation: Situation, link: Link, transaction: TransactionSnapshot) -> Plan:
    """Delete our newest payment with the refund's amount, and with its reference if it has one.

    Its id is written down before it is deleted: if the response is lost, its absence must not make another
    payment the newest.
    """
    if situation.known.invoice is None:
        return read_invoice(link)
    on_invoice = {str(p["PaymentID"]): p for p in standing_payments(situation, situation.known.invoice)}
    if marked := links_by_mark(situation, list(on_invoice.values())):
        return Learn(marked)
    claimed = _claimed(situation, transaction)
    looked_at = claimed is not None and claimed.xero_id in situation.known.payments
    if claimed is not None and looked_at and is_gone(situation.known.payments[claimed.xero_id]):
        facts = _facts(claimed, _REVERSED, transaction) | {
            _REVERSAL: told_now(situation, transaction).facts()[TOLD]
        }
        return Learn((replace(claimed, removed=True, facts=facts),))
    payment = claimed or _newest(situation, transaction, on_invoice)
    if payment.xero_id not in situation.known.payments:
        return Send(Element("payments.read", "read payment", payment.target, xero_id=payment.xero_id))
    if not situation.facts_are_fresh:
        return AskFacts()
    _refuse_fixed(situation, link, situation.known.payments[payment.xero_id])
    if claimed is None:
        return Learn((replace(payment, facts=_facts(payment, _CLAIMED, transaction)),))
    give_up(situation, "take payment back")
    told = told_now(situation, transaction).facts()[TOLD]
    link_facts: MoneyFacts = {
        _REVERSED: transaction.transaction_id,
        _REVERSAL: told,
        TAKEN_OFF_BY: str(situation.seq),
    }
    body = {"Status": "DELETED"}
    return Send(
        Element(
            "payments.remove",
            "take payment back",
            payment.target,
            body,
            xero_id=payment.xero_id,
            link_facts=link_facts,
        )
    )


def _claimed(s: Situation, transaction: TransactionSnapshot) -> Link | None:
    mine = (p for p in s.payment_links.values() if p.text(_CLAIMED) == transaction.transaction_id)
    return next((p for p in mine if not p.removed), None)


def _newest(situation: Situation, transaction: TransactionSnapshot, on_invoice: Mapping[str, _Found]) -> Link:
    """Return the newest by position, which is the order in which SalesBinder took them. A payment after the
    refund is not the one that it refunds.
    """
    amount, method = told_now(situation, transaction).amount, one_line(transaction.reference).casefold()
    matching = [
        payment
        for payment in situation.payment_links.values()
        if not payment.removed
        and payment.seq < situation.seq
        and payment.xero_id in on_invoice
        and told_before(situation, payment).amount == amount
        and (not method or _method(on_invoice[payment.xero_id]) == method)
    ]
    if not matching:
        assert situation.known.invoice is not None
        paid = amount_in(situation.known.invoice, "AmountPaid")
        code: ReasonCode = "refund_exceeds_paid" if amount > paid > 0 else "no_matching_payment"
        raise Refused(code, amount=amount, paid=paid)
    return max(matching, key=lambda payment: payment.seq)


def _method(payment: _Found) -> str:
    """Return SalesBinder's reference: that in Xero without our mark."""
    text, blank, mark = one_line(str(payment.get("Reference") or "")).rpartition(" ")
    return text.casefold() if mark.startswith("#") else f"{text}{blank}{mark}".casefold()


def _refuse_fixed(s: Situation, link: Link, payment: _Found) -> None:
    listed = shown(payment)
    if payment.get("IsReconciled") is True:
        raise Refused("payment_reconciled", list=listed)
    named = f"the payment of {amount_in(payment, 'Amount')} on invoice {link.xero_number}"
    refuse_locked(s, link, [(xero_day(payment), named)])


def _facts(payment: Link, name: TextFact, transaction: TransactionSnapshot) -> dict[str, object]:
    return {**payment.facts, name: transaction.transaction_id}
