"""Planning cancel, delete and reset: what is ours comes off, in an order that Xero allows, or nothing is touched."""

from collections.abc import Mapping
from typing import Any

from contracts.reasons import Refused
from sinks.planner.invoices import GONE, before_cutoff, invoice_target, read_invoice, xero_day
from sinks.planner.situation import Done, Plan, Remember, Send, Situation
from sinks.steps import Element, Link


def plan_removal(s: Situation) -> Plan:
    """An invoice was cancelled or deleted."""
    link = s.invoice_link
    if link is None:
        return Done("before_cutoff") if before_cutoff(s) else Remember((_never_sent(s),))
    if link.removed:
        return _already_removed(s, link)
    if s.retried and s.overtaken:
        raise Refused("overtaken", later="a later action")
    if s.known.invoice is None:
        return read_invoice(link)
    status = str(s.known.invoice.get("Status") or "DELETED")
    if status in GONE:
        return Remember((_removed(link, status),))
    step = _check_and_take_off(s, link, foreign_allowed=False)
    if step is not None:
        return step
    if s.refusal is not None and s.refusal.step == "remove":
        raise Refused(s.refusal.code, **s.refusal.details)
    body = {"InvoiceID": link.xero_id, "Status": "DELETED" if status in ("DRAFT", "SUBMITTED") else "VOIDED"}
    element = Element(
        "invoices.update",
        "remove",
        link.target,
        body,
        xero_id=link.xero_id,
        memory={"removed_seq": str(s.seq)},
    )
    return Send(element)


def plan_reset(s: Situation) -> Plan:
    """An invoice was reset: every payment that we put on it before comes off; the invoice stays."""
    link = s.invoice_link
    if link is None:
        return Done("before_cutoff" if before_cutoff(s) else "not_needed", supersedes="money")
    if link.removed:
        raise Refused("document_removed", number=link.xero_number, status=link.text("status").lower())
    ours = [p for p in s.payment_links.values() if not p.removed and p.seq < s.seq]
    if not ours:
        return Done(None, link, supersedes="money")
    if s.known.invoice is None:
        return read_invoice(link)
    step = _check_and_take_off(s, link, foreign_allowed=True)
    return step if step is not None else Done(None, link, supersedes="money")


def _already_removed(s: Situation, link: Link) -> Plan:
    if not link.xero_id:
        if link.seq == s.seq or s.command.action == "deleted":
            return Done("not_needed", supersedes="money")
    elif link.text("removed_seq") == str(s.seq):
        return Done(None, link, supersedes="money")
    elif s.command.action == "deleted":
        return Done("already_there", link, supersedes="money")
    raise Refused("document_removed", number=link.xero_number, status=link.text("status").lower())


def _check_and_take_off(s: Situation, link: Link, foreign_allowed: bool) -> Plan | None:
    """The next step until no payment of ours is left; none when that is so.

    Raises:
        Refused: something of others is in the way, or something of ours cannot be taken off. Nothing was touched
            then, because everything is checked before the first step.
    """
    invoice = s.known.invoice
    assert invoice is not None
    by_id = {p.xero_id: p for p in s.payment_links.values() if not p.removed and p.seq < s.seq}
    taken_off = {p.xero_id for p in s.payment_links.values() if p.removed}
    applied = [
        p
        for p in invoice.get("Payments") or ()
        if p.get("Status", "AUTHORISED") != "DELETED" and str(p["PaymentID"]) not in taken_off
    ]
    ours = [p for p in applied if str(p["PaymentID"]) in by_id]
    if not foreign_allowed and (len(ours) < len(applied) or _allocated(invoice)):
        raise Refused("foreign_payments", list=_listed([p for p in applied if p not in ours]) or "credits")
    gone = [p for xero_id, p in by_id.items() if xero_id not in {str(x["PaymentID"]) for x in applied}]
    if gone:
        return Remember(tuple(_removed(p, "DELETED") for p in gone))
    for payment in ours:
        payment_id = str(payment["PaymentID"])
        if payment_id not in s.known.payments:
            target = by_id[payment_id].target
            return Send(Element("payments.read", "read payment", target, xero_id=payment_id))
    _refuse_locked(s, link, ours, foreign_allowed)
    if not ours:
        return None
    first = by_id[str(ours[0]["PaymentID"])]
    if s.refusal is not None and s.refusal.step == "take payment off":
        raise Refused(s.refusal.code, **s.refusal.details)
    return Send(
        Element(
            "payments.remove", "take payment off", first.target, {"Status": "DELETED"}, xero_id=first.xero_id
        )
    )


def _refuse_locked(s: Situation, link: Link, ours: list[Mapping[str, Any]], invoice_stays: bool) -> None:
    for payment in ours:
        whole = s.known.payments[str(payment["PaymentID"])]
        if whole.get("IsReconciled") is True:
            raise Refused("payment_reconciled", list=_listed([whole]))
    lock = s.facts.lock_date
    dates = [xero_day(s.known.payments[str(p["PaymentID"])]) for p in ours]
    if not invoice_stays and s.known.invoice is not None and s.known.invoice.get("Status") == "AUTHORISED":
        dates.append(xero_day(s.known.invoice))
    if lock is not None and any(day <= lock.isoformat() for day in dates):
        raise Refused("period_locked", number=link.xero_number, date=min(dates), lock_date=lock)


def _listed(payments: list[Mapping[str, Any]]) -> str:
    return ", ".join(
        f"{p.get('Amount')} of {xero_day(p)} {p.get('Reference') or ''}".strip() for p in payments
    )


def _allocated(invoice: Mapping[str, Any]) -> bool:
    return any(invoice.get(name) for name in ("CreditNotes", "Prepayments", "Overpayments"))


def _never_sent(s: Situation) -> Link:
    """Remembers that the document is gone although it never was in Xero, so that nothing brings it there later."""
    return Link(
        invoice_target(s.command.record_id), "", s.command.record_number, s.seq, True, {"status": "DELETED"}
    )


def _removed(link: Link, status: str) -> Link:
    return Link(link.target, link.xero_id, link.xero_number, link.seq, True, {**link.facts, "status": status})
