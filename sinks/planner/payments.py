"""Plan a payment: the invoice first, approved, then one payment, once."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from contracts.commands import TransactionSnapshot
from contracts.json import Body, JsonObject
from contracts.money import rounded
from contracts.reasons import Refused, warning
from sinks.planner.amounts import amount_in, shown, xero_day
from sinks.planner.documents import UNAPPROVED, give_up, refused_for_state
from sinks.planner.invoices import authorise, read_invoice, refuse_removed, status_of
from sinks.planner.review import refuse_unsettled
from sinks.planner.shares import shares
from sinks.planner.situation import AskFacts, Learn, Plan, Send, Situation, Wait
from sinks.planner.told import TOLD, Told, currency_of, invoice_total, told_now
from sinks.resolve import ResolvedPayment, resolve_payment
from sinks.xero.elements import Element, Link, Step, StepKey
from sinks.xero.facts import DocumentFacts, Facts, MoneyFacts


def payment_target(record_id: str, transaction_id: str) -> StepKey:
    """Return the step key of a payment: one transaction of an invoice is paid once, under however many event
    ids.
    """
    return StepKey("payment", record_id, transaction_id)


def pay(
    situation: Situation,
    link: Link,
    transaction: TransactionSnapshot,
    told: Told,
    replaced: MoneyFacts | None = None,
) -> Plan:
    """Return the next step until the payment is on the invoice.

    Args:
        told: the content that it applies.
        replaced: facts that its link keeps of the payment that it replaces.
    """
    refuse_removed(situation, link)
    payment = payment_of(situation, link, transaction)
    target = payment_target(situation.command.record_id, transaction.transaction_id)
    link_facts = {**_payment_facts(link, payment), **told.facts(), **(replaced or {})}
    if situation.refusal is not None and situation.refusal.step in ("payment", *_APPROVALS):
        return _after_refusal(situation, link, payment, target, link_facts)
    if status_of(situation, link) in UNAPPROVED:
        _refuse_too_much(situation, link, payment)
        return authorise(situation, link) if situation.facts_are_fresh else AskFacts()
    return _send(link, payment, target, link_facts)


_ON_OPEN_DAY: Final = "authorise on open day"
_APPROVALS: tuple[Step, ...] = ("authorise", _ON_OPEN_DAY)


def payment_of(situation: Situation, link: Link, transaction: TransactionSnapshot) -> ResolvedPayment:
    """Return the payment as Xero should hold it.

    Raises:
        Refused: it cannot be; of a locked period the reason names the payment, whose day it is.
    """
    comes_to = msgspec.structs.replace(transaction, amount=put_amount(situation, transaction))
    try:
        return resolve_payment(comes_to, situation.settings, situation.facts, link.text("currency"))
    except Refused as refusal:
        if refusal.code != "period_locked":
            raise
        kind = "refund" if situation.command.action == "refund_applied" else "payment"
        named = f"the {kind} of {comes_to.amount} on invoice {link.xero_number}"
        raise Refused("period_locked", **refusal.details, document=named) from refusal


def put_amount(s: Situation, transaction: TransactionSnapshot) -> Decimal:
    """Return the transaction's amount in Xero: the growth of the running sum of the invoice's payments, or
    refunds; its own amount if that has no more decimals than the currency.
    """
    currency = currency_of(s)
    return shares(s.money, currency, invoice_total(s)).get(s.seq, rounded(transaction.amount, currency))


def _after_refusal(
    situation: Situation, link: Link, payment: ResolvedPayment, target: StepKey, link_facts: Facts
) -> Plan:
    """Find out whether Xero refused because somebody changed the invoice there, or for a reason that
    stays.
    """
    assert situation.refusal is not None
    state = refused_for_state(situation, "payment", *_APPROVALS)
    too_much = situation.refusal.code == "exceeds_amount_due"
    moves = situation.refusal.step == "authorise" and situation.refusal.code == "period_locked"
    moves = moves and situation.settings.locked_period == "first_open_day"
    if situation.known.invoice is None and (state or too_much or moves):
        return read_invoice(link)
    unapproved = status_of(situation, link) in UNAPPROVED
    if refused_for_state(situation, "payment") and unapproved:
        return authorise(situation, link)
    if refused_for_state(situation, *_APPROVALS) and not unapproved:
        return _send(link, payment, target, link_facts)
    if situation.known.invoice and situation.refusal.step == "payment" and (state or too_much):
        due = amount_in(situation.known.invoice, "AmountDue")
        if too_much or payment.amount > due:
            raise Refused("exceeds_amount_due", amount=payment.amount, due=due, number=link.xero_number)
    if moves and unapproved and (step := _authorise_on_open_day(situation, link)) is not None:
        return step
    give_up(situation, "payment", *_APPROVALS)
    raise AssertionError("only refusals come here")


def _authorise_on_open_day(situation: Situation, link: Link) -> Send | None:
    """Approve a draft whose day was locked since it was made, on the first day after the lock; return None if
    its day is not the obstacle. A calculated due date is counted from the new day.
    """
    assert situation.known.invoice is not None
    before, lock = xero_day(situation.known.invoice), situation.facts.lock_date
    if lock is None or before > lock.isoformat():
        return None
    moved: date = lock + timedelta(days=1)
    body: Body = {"InvoiceID": link.xero_id, "Status": "AUTHORISED", "Date": moved.isoformat()}
    if situation.document is not None and situation.document.due_date is None:
        body["DueDate"] = (moved + timedelta(days=situation.settings.due_days)).isoformat()
    told = [warning("date_moved", value=before, sent=moved, lock_date=lock)]
    link_facts: DocumentFacts = {"moved": told, "moved_seq": str(situation.seq)}
    return Send(
        Element(
            "invoices.update", _ON_OPEN_DAY, link.target, body, xero_id=link.xero_id, link_facts=link_facts
        )
    )


def _refuse_too_much(s: Situation, link: Link, payment: ResolvedPayment) -> None:
    """Check, before a draft is approved for a payment, that Xero would take the payment."""
    paid = sum((p.amount("amount") for p in s.payment_links.values() if not p.removed), Decimal(0))
    due = link.amount("total") - paid
    if payment.amount > due:
        raise Refused("exceeds_amount_due", amount=payment.amount, due=due, number=link.xero_number)


def _send(link: Link, payment: ResolvedPayment, target: StepKey, link_facts: Facts) -> Send:
    body = {**payment.body, "Invoice": {"InvoiceID": link.xero_id}}
    return Send(Element("payments.create", "payment", target, body, link_facts=link_facts))


def _payment_facts(link: Link, payment: ResolvedPayment) -> MoneyFacts:
    return {
        "amount": payment.amount,
        "date": payment.date.isoformat(),
        "reference": payment.reference,
        "number": link.xero_number,
        "warnings": list(payment.warnings),
    }


def look_up_lost(situation: Situation, link: Link, transaction: TransactionSnapshot, target: StepKey) -> Plan:
    """Look up the call for this transaction whose response was lost. That call may have been another event's,
    with another amount: its own content is searched for.
    """
    if situation.now < situation.unknown[target]:
        return Wait(situation.unknown[target], "waiting_for_answer")
    if situation.known.invoice is None:
        return read_invoice(link)
    sent = situation.sent.get(target)
    if sent is not None and sent.money.get(TOLD):
        wanted = wanted_payment(sent.body)
        made = Link(target, "", link.xero_number, int(sent.money[TOLD]["seq"]), facts=sent.link_facts)
    else:
        payment = payment_of(situation, link, transaction)
        wanted = wanted_payment(payment.body)
        facts = {**_payment_facts(link, payment), **told_now(situation, transaction).facts()}
        made = Link(target, "", link.xero_number, situation.seq, facts=facts)
    return look_up_payment(situation, situation.known.invoice, wanted, made)


@dataclass(frozen=True, slots=True)
class WantedPayment:
    """A payment as it was sent."""

    amount: Decimal
    date: str
    account: str
    """Code or AccountID."""
    reference: str


def wanted_payment(body: JsonObject) -> WantedPayment:
    """Return the payment that a call with this body asked for."""
    account = str(next(iter((body.get("Account") or {"": ""}).values())))
    date, reference = str(body.get("Date") or ""), str(body.get("Reference") or "")
    return WantedPayment(amount_in(body, "Amount"), date, account, reference)


def look_up_payment(situation: Situation, document: JsonObject, payment: WantedPayment, made: Link) -> Plan:
    """Look up the payment of a call whose response was lost.

    To be adopted, mark, amount, date and account must all match, and the payment must not be linked already.
    One that was taken off is not it: a payment that replaces another one bears the same mark.

    Args:
        document: as just read: the invoice, or the credit note that is paid out.
        made: the link as it will be, without the payment's id.
    """
    target = made.target
    links = situation.payment_links if target.kind == "payment" else situation.refund_links
    before = links.get(target.transaction_id)
    taken_off = before.xero_id if before is not None and before.removed else ""
    marked = [p for p in document.get("Payments") or () if is_marked(p, payment.reference)]
    marked = [p for p in marked if str(p["PaymentID"]) != taken_off]
    for found in marked:
        if found["PaymentID"] not in situation.known.payments:
            return Send(Element("payments.read", "look up payment", target, xero_id=str(found["PaymentID"])))
    whole = [situation.known.payments[str(p["PaymentID"])] for p in marked]
    live = [
        p
        for p in whole
        if p and p.get("Status") != "DELETED" and p["PaymentID"] not in situation.linked_elsewhere
    ]
    equal = [p for p in live if _is(p, payment, situation)]
    if len(equal) == 1 and len(live) == 1:
        return Learn((replace(made, xero_id=str(equal[0]["PaymentID"])),), (target,), afresh=True)
    if not live:
        return Learn((), (target,), afresh=True)
    step = f"payment of {payment.amount} ({payment.reference})"
    refuse_unsettled(situation, step, [(p, replace(made, xero_id=str(p["PaymentID"]))) for p in live])


def _is(found: JsonObject, payment: WantedPayment, situation: Situation) -> bool:
    account = found.get("Account") or {}
    wanted = situation.facts.account(payment.account)
    return (
        amount_in(found, "Amount") == payment.amount
        and xero_day(found) == payment.date
        and wanted is not None
        and (account.get("AccountID") == wanted.account_id or account.get("Code") == wanted.code)
    )


def refuse_reconciled(payments: Iterable[JsonObject], **named: str) -> None:
    """Raise ``payment_reconciled`` if one of these is reconciled with the bank."""
    if reconciled := [shown(p) for p in payments if p.get("IsReconciled") is True]:
        raise Refused("payment_reconciled", list=", ".join(reconciled), **named)


def is_marked(found: JsonObject, reference: str) -> bool:
    """Return True if a payment or credit note in Xero bears the mark at the end of ``reference``."""
    return bool(reference) and str(found.get("Reference") or "").split(" ")[-1] == reference.split(" ")[-1]


def transaction_of(situation: Situation) -> TransactionSnapshot:
    """Return the payment or refund that the command is about. Its mark is the whole id where another
    transaction of the invoice that is in Xero shares the short one, whether or not the event listed both.
    """
    own = situation.command.transaction
    if own is None:
        raise Refused("our_error", message="the command carries no transaction")
    short = own.mark.removeprefix("#")
    others = {*situation.payment_links, *situation.credit_note_links} - {own.transaction_id}
    if any(other.startswith(short) for other in others):
        return msgspec.structs.replace(own, mark=f"#{own.transaction_id}")
    return own
