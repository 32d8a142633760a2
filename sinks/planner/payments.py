"""Planning a payment: the invoice first, approved, then one payment, once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from contracts.commands import TransactionSnapshot
from contracts.money import to_cents
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.planner.amounts import amount_in, xero_day
from sinks.planner.invoices import (
    UNAPPROVED,
    authorise,
    before_cutoff,
    document_warnings,
    give_up,
    plan_invoice,
    read_invoice,
    refuse_removed,
    refused_for_state,
    status_of,
)
from sinks.planner.review import refuse_unsettled
from sinks.planner.situation import Done, Plan, Remember, Send, Situation, Wait
from sinks.resolve import ResolvedPayment, resolve_payment
from sinks.steps import Element, Link, Target


def payment_target(record_id: str, transaction_id: str) -> Target:
    """The step key of a payment: one transaction of an invoice is paid once, under however many event ids."""
    return Target("payment", record_id, transaction_id)


def plan_payment(s: Situation) -> Plan:
    """A payment was applied to an invoice."""
    transaction = transaction_of(s)
    done = s.payment_links.get(transaction.transaction_id)
    if done is not None:
        return _paid(s, done)
    if before_cutoff(s):
        return Done("before_cutoff")
    if to_cents(transaction.amount) == 0:
        return Done("not_needed", s.invoice_link)
    if transaction.amount < 0:
        raise Refused("amount_not_positive", amount=to_cents(transaction.amount))
    if s.invoice_link is None:
        step = plan_invoice(s)
        assert step is not None
        return step
    return _pay(s, s.invoice_link, transaction)


def _paid(s: Situation, payment: Link) -> Done:
    invoice = s.invoice_link
    brought = invoice is not None and invoice.seq == s.seq
    if payment.seq != s.seq:
        return Done(None, payment)
    warnings = [*document_warnings(payment)]
    if brought and invoice is not None:
        warnings += document_warnings(invoice)
    if invoice is not None and invoice.text("moved_seq") == str(s.seq):
        warnings += msgspec.convert(invoice.facts.get("moved") or [], list[Warning])
    return Done(None, payment, tuple(warnings), "snapshots" if brought else "")


def _pay(s: Situation, link: Link, transaction: TransactionSnapshot) -> Plan:
    refuse_removed(s, link)
    payment = payment_of(s, link, transaction)
    target = payment_target(s.command.record_id, transaction.transaction_id)
    if target in s.unknown:
        return _look_up(s, link, payment, target)
    if s.refusal is not None and s.refusal.step in ("payment", *_APPROVALS):
        return _after_refusal(s, link, payment, target)
    if status_of(s, link) in UNAPPROVED:
        _refuse_too_much(s, link, payment)
        return authorise(s, link)
    return _send(link, payment, target)


_ON_OPEN_DAY = "authorise on open day"
_APPROVALS = ("authorise", _ON_OPEN_DAY)


def payment_of(s: Situation, link: Link, transaction: TransactionSnapshot) -> ResolvedPayment:
    """The payment as Xero should hold it.

    Raises:
        Refused: it cannot be; of a locked period the reason names the payment, whose day it is.
    """
    try:
        return resolve_payment(transaction, s.settings, s.facts, link.text("currency"))
    except Refused as refusal:
        if refusal.code != "period_locked":
            raise
        kind = "refund" if s.command.action == "refund_applied" else "payment"
        named = f"the {kind} of {to_cents(transaction.amount)} on invoice {link.xero_number}"
        raise Refused("period_locked", **refusal.details, document=named) from refusal


def _after_refusal(s: Situation, link: Link, payment: ResolvedPayment, target: Target) -> Plan:
    """Xero refused: because somebody changed the invoice there, or for a reason that stays?"""
    assert s.refusal is not None
    state = refused_for_state(s, "payment", *_APPROVALS)
    too_much = s.refusal.code == "exceeds_amount_due"
    moves = s.refusal.step == "authorise" and s.refusal.code == "period_locked"
    moves = moves and s.settings.locked_period == "first_open_day"
    if s.known.invoice is None and (state or too_much or moves):
        return read_invoice(link)
    unapproved = status_of(s, link) in UNAPPROVED
    if refused_for_state(s, "payment") and unapproved:
        return authorise(s, link)
    if refused_for_state(s, *_APPROVALS) and not unapproved:
        return _send(link, payment, target)
    if s.known.invoice and s.refusal.step == "payment" and (state or too_much):
        due = amount_in(s.known.invoice, "AmountDue")
        if too_much or payment.amount > due:
            raise Refused("exceeds_amount_due", amount=payment.amount, due=due, number=link.xero_number)
    if moves and unapproved and (step := _authorise_on_open_day(s, link)) is not None:
        return step
    give_up(s, "payment", *_APPROVALS)
    raise AssertionError("only refusals come here")


def _authorise_on_open_day(s: Situation, link: Link) -> Send | None:
    """Approve a draft whose day was locked since it was made, on the first day after the lock; none when its
    day is not what is in the way. A due date that was counted is counted from there.
    """
    assert s.known.invoice is not None
    before, lock = xero_day(s.known.invoice), s.facts.lock_date
    if lock is None or before > lock.isoformat():
        return None
    moved: date = lock + timedelta(days=1)
    body: dict[str, Any] = {"InvoiceID": link.xero_id, "Status": "AUTHORISED", "Date": moved.isoformat()}
    if s.document is not None and s.document.due_date is None:
        body["DueDate"] = (moved + timedelta(days=s.settings.due_days)).isoformat()
    told = [warning("date_moved", value=before, sent=moved, lock_date=lock)]
    memory = {"moved": told, "moved_seq": str(s.seq)}
    return Send(
        Element("invoices.update", _ON_OPEN_DAY, link.target, body, xero_id=link.xero_id, memory=memory)
    )


def _refuse_too_much(s: Situation, link: Link, payment: ResolvedPayment) -> None:
    """Before a draft is approved for a payment: would Xero take the payment?"""
    paid = sum((p.amount("amount") for p in s.payment_links.values() if not p.removed), Decimal(0))
    due = link.amount("total") - paid
    if payment.amount > due:
        raise Refused("exceeds_amount_due", amount=payment.amount, due=due, number=link.xero_number)


def _send(link: Link, payment: ResolvedPayment, target: Target) -> Send:
    body = {**payment.body, "Invoice": {"InvoiceID": link.xero_id}}
    return Send(Element("payments.create", "payment", target, body, memory=_memory(link, payment)))


def _memory(link: Link, payment: ResolvedPayment) -> dict[str, Any]:
    return {
        "amount": payment.amount,
        "date": payment.date.isoformat(),
        "reference": payment.reference,
        "number": link.xero_number,
        "warnings": list(payment.warnings),
    }


def _look_up(s: Situation, link: Link, payment: ResolvedPayment, target: Target) -> Plan:
    if s.now < s.unknown[target]:
        return Wait(s.unknown[target], "waiting_for_answer")
    if s.known.invoice is None:
        return read_invoice(link)
    made = Link(target, "", link.xero_number, s.seq, facts=_memory(link, payment))
    return look_up_payment(s, s.known.invoice, payment, made)


def look_up_payment(s: Situation, document: Mapping[str, Any], payment: ResolvedPayment, made: Link) -> Plan:
    """The answer of an earlier call was not seen: is the payment there?

    Adopting takes mark, amount, date and account together, and nothing that is linked already.

    Args:
        document: as just read: the invoice, or the credit note that is paid out.
        made: the link as it will be, but for the payment's id.
    """
    target = made.target
    marked = [p for p in document.get("Payments") or () if is_marked(p, payment.reference)]
    for found in marked:
        if found["PaymentID"] not in s.known.payments:
            return Send(Element("payments.read", "look up payment", target, xero_id=str(found["PaymentID"])))
    whole = [s.known.payments[str(p["PaymentID"])] for p in marked]
    live = [p for p in whole if p.get("Status") != "DELETED" and p["PaymentID"] not in s.linked_elsewhere]
    equal = [p for p in live if _is(p, payment, s)]
    if len(equal) == 1 and len(live) == 1:
        return Remember((replace(made, xero_id=str(equal[0]["PaymentID"])),), (target,))
    if not live:
        return Remember((), (target,))
    step = f"payment of {payment.amount} ({payment.reference})"
    refuse_unsettled(s, step, [(p, replace(made, xero_id=str(p["PaymentID"]))) for p in live])


def _is(found: Mapping[str, Any], payment: ResolvedPayment, s: Situation) -> bool:
    account = found.get("Account") or {}
    wanted = s.facts.account(str(next(iter(payment.account.values()))))
    return (
        amount_in(found, "Amount") == payment.amount
        and xero_day(found) == payment.date.isoformat()
        and wanted is not None
        and (account.get("AccountID") == wanted.account_id or account.get("Code") == wanted.code)
    )


def is_marked(found: Mapping[str, Any], reference: str) -> bool:
    """True when a payment or credit note in Xero bears the mark at the end of ``reference``."""
    return bool(reference) and str(found.get("Reference") or "").split(" ")[-1] == reference.split(" ")[-1]


def transaction_of(s: Situation) -> TransactionSnapshot:
    """The payment or refund that the command is about. Its mark is the whole id where another transaction of
    the invoice that is in Xero shares the short one, whether or not the event listed both.
    """
    own = s.command.transaction
    if own is None:
        raise Refused("our_error", message="the command carries no transaction")
    short = own.mark.removeprefix("#")
    others = {*s.payment_links, *s.credit_note_links} - {own.transaction_id}
    if any(other.startswith(short) for other in others):
        return msgspec.structs.replace(own, mark=f"#{own.transaction_id}")
    return own
