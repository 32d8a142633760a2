"""Planning a refund that takes the matching payment back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.commands import TransactionSnapshot
from contracts.money import to_cents
from contracts.reasons import Refused
from sinks.planner.amounts import amount_in, shown, xero_day
from sinks.planner.invoices import give_up, read_invoice
from sinks.planner.removal import is_gone, links_by_mark, refuse_locked, standing_payments
from sinks.planner.situation import Plan, Remember, Send, Situation
from sinks.resolve.texts import one_line
from sinks.steps import Element, Link

_Found = Mapping[str, Any]
_CLAIMED = "claimed_by"
_REVERSED = "reversed_by"


def reversed_by(s: Situation, transaction_id: str) -> Link | None:
    """The payment that this refund has taken back."""
    taken = (p for p in s.payment_links.values() if p.text(_REVERSED) == transaction_id)
    return next(taken, None)


def plan_reversal(s: Situation, link: Link, transaction: TransactionSnapshot) -> Plan:
    """Delete the newest payment of ours with the refund's amount, and its reference where it has one.

    Which one is written down before it is deleted: after an answer that was not seen, the payment that is
    no longer there must not make another one the newest.
    """
    if s.known.invoice is None:
        return read_invoice(link)
    on_invoice = {str(p["PaymentID"]): p for p in standing_payments(s, s.known.invoice)}
    if marked := links_by_mark(s, list(on_invoice.values())):
        return Remember(marked)
    claimed = _claimed(s, transaction)
    looked_at = claimed is not None and claimed.xero_id in s.known.payments
    if claimed is not None and looked_at and is_gone(s.known.payments[claimed.xero_id]):
        return Remember((replace(claimed, removed=True, facts=_facts(claimed, _REVERSED, transaction)),))
    payment = claimed or _newest(s, transaction, on_invoice)
    if payment.xero_id not in s.known.payments:
        return Send(Element("payments.read", "read payment", payment.target, xero_id=payment.xero_id))
    _refuse_fixed(s, link, s.known.payments[payment.xero_id])
    if claimed is None:
        return Remember((replace(payment, facts=_facts(payment, _CLAIMED, transaction)),))
    give_up(s, "take payment back")
    memory = {_REVERSED: transaction.transaction_id}
    body = {"Status": "DELETED"}
    return Send(
        Element(
            "payments.remove",
            "take payment back",
            payment.target,
            body,
            xero_id=payment.xero_id,
            memory=memory,
        )
    )


def _claimed(s: Situation, transaction: TransactionSnapshot) -> Link | None:
    mine = (p for p in s.payment_links.values() if p.text(_CLAIMED) == transaction.transaction_id)
    return next((p for p in mine if not p.removed), None)


def _newest(s: Situation, transaction: TransactionSnapshot, on_invoice: Mapping[str, _Found]) -> Link:
    """By position, which is the order in which SalesBinder took them. What came after the refund is not
    what it refunds.
    """
    amount, method = to_cents(transaction.amount), one_line(transaction.reference).casefold()
    matching = [
        payment
        for payment in s.payment_links.values()
        if not payment.removed
        and payment.seq < s.seq
        and payment.xero_id in on_invoice
        and payment.amount("amount") == amount
        and (not method or _method(on_invoice[payment.xero_id]) == method)
    ]
    if not matching:
        assert s.known.invoice is not None
        paid = amount_in(s.known.invoice, "AmountPaid")
        code = "refund_exceeds_paid" if amount > paid > 0 else "no_matching_payment"
        raise Refused(code, amount=amount, paid=paid)
    return max(matching, key=lambda payment: payment.seq)


def _method(payment: _Found) -> str:
    """SalesBinder's reference: that in Xero without our mark."""
    text, blank, mark = one_line(str(payment.get("Reference") or "")).rpartition(" ")
    return text.casefold() if mark.startswith("#") else f"{text}{blank}{mark}".casefold()


def _refuse_fixed(s: Situation, link: Link, payment: _Found) -> None:
    listed = shown(payment)
    if payment.get("IsReconciled") is True:
        raise Refused("payment_reconciled", list=listed)
    named = f"the payment of {amount_in(payment, 'Amount')} on invoice {link.xero_number}"
    refuse_locked(s, link, [(xero_day(payment), named)])


def _facts(payment: Link, name: str, transaction: TransactionSnapshot) -> dict[str, Any]:
    return {**payment.facts, name: transaction.transaction_id}
