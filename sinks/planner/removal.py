"""Plan cancel, delete and reset: everything of ours comes off, in an order that Xero allows, or nothing does.

Credit notes and the money that they paid out first, then payments, then the invoice.
"""

from dataclasses import replace
from typing import Final

from contracts.json import JsonObject
from contracts.reasons import Refused
from sinks.planner.amounts import amount_in, shown, xero_day
from sinks.planner.credit_notes import has_credit_notes, prepare_credit_notes, take_credit_note_out
from sinks.planner.documents import GONE, UNAPPROVED, before_cutoff, give_up
from sinks.planner.invoices import invoice_target, read_invoice, refuse_removed, status_of
from sinks.planner.payments import payment_target
from sinks.planner.situation import AskFacts, Done, Learn, Plan, Send, Situation
from sinks.planner.told import TAKEN_OFF_BY
from sinks.xero.elements import Element, Link, Step

_Found = JsonObject
_CLAIMED: Final = "removed_seq"
_RESET: Final = "reset_seq"


def plan_removal(situation: Situation) -> Plan:
    """Plan for an invoice that was cancelled or deleted."""
    link = situation.invoice_link
    if before_cutoff(situation):
        return Done("before_cutoff")
    if link is None:
        return Learn((_never_sent(situation),))
    if situation.retried and situation.overtaken and not (link.removed and _is_claimed(situation, link)):
        raise Refused("overtaken", later="a later action")
    if link.removed:
        return _already_removed(situation, link)
    if situation.known.invoice is None:
        return read_invoice(link)
    if status_of(situation, link) in GONE:
        return Learn((_gone(link, status_of(situation, link)),))
    if not situation.facts_are_fresh:
        return AskFacts()
    step = _take_off(situation, link, situation.known.invoice, invoice_stays=False)
    if step is not None:
        return step
    give_up(situation, "remove")
    if not _is_claimed(situation, link):
        return Learn((replace(link, facts={**link.facts, _CLAIMED: str(situation.seq)}),))
    status = "DELETED" if status_of(situation, link) in UNAPPROVED else "VOIDED"
    body = {"InvoiceID": link.xero_id, "Status": status}
    return Send(Element("invoices.update", "remove", link.target, body, xero_id=link.xero_id))


def plan_reset(situation: Situation) -> Plan:
    """Plan for an invoice that was reset: remove our earlier payments and refunds; the invoice stays."""
    link = situation.invoice_link
    if link is None or not link.xero_id:
        return Done("before_cutoff" if before_cutoff(situation) else "not_needed", supersedes="money")
    refuse_removed(situation, link)
    if _is_reset(situation, link):
        return Done(None, link, supersedes="money")
    if situation.known.invoice is None:
        return read_invoice(link)
    if not situation.facts_are_fresh and (
        _ours_by_id(situation) or _marks_before(situation) or has_credit_notes(situation)
    ):
        return AskFacts()
    step = _take_off(situation, link, situation.known.invoice, invoice_stays=True)
    return step or Learn((replace(link, facts={**link.facts, _RESET: str(situation.seq)}),))


def _is_reset(situation: Situation, link: Link) -> bool:
    """Return True if this reset has seen in Xero that nothing of ours from before it is left, or a later
    action has been there and we know of nothing.
    """
    seen = int(link.text(_RESET) or 0)
    if seen == situation.seq:
        return True
    if _ours_by_id(situation) or _marks_before(situation) or has_credit_notes(situation):
        return False
    return max(seen, link.seq) > situation.seq


def _already_removed(situation: Situation, link: Link) -> Plan:
    if not link.xero_id:
        return Done("not_needed", supersedes="money")
    if _is_claimed(situation, link):
        return Done("posted", link, supersedes="money")
    if situation.command.action == "deleted":
        credit = prepare_credit_notes(situation) or take_credit_note_out(situation)
        return credit or Done("already_there", link, supersedes="money")
    raise Refused("document_removed", number=link.xero_number)


def _is_claimed(s: Situation, link: Link) -> bool:
    """Return True if this action set out to remove the invoice. That is written down before Xero is asked to:
    if the response is lost and the invoice is then found removed, we have removed it.
    """
    return link.text(_CLAIMED) == str(s.seq)


def _take_off(situation: Situation, link: Link, invoice: _Found, *, invoice_stays: bool) -> Plan | None:
    """Return the next step until none of our payments and credit notes is left; None if that is so.

    Raises:
        Refused: something of others is in the way, or something of ours cannot be taken off. Everything is
            checked before the first step, so nothing was touched then.
    """
    applied = standing_payments(situation, invoice)
    if marked := links_by_mark(situation, applied):
        return Learn(marked)
    if (step := prepare_credit_notes(situation)) is not None:
        return step
    by_id = _ours_by_id(situation)
    if not invoice_stays:
        _refuse_foreign(invoice, [p for p in applied if str(p["PaymentID"]) not in by_id])
    for xero_id, payment in by_id.items():
        if xero_id not in situation.known.payments:
            return Send(Element("payments.read", "read payment", payment.target, xero_id=xero_id))
    if gone := [p for xero_id, p in by_id.items() if is_gone(situation.known.payments[xero_id])]:
        return Learn(tuple(_gone(p, "DELETED") for p in gone), afresh=situation.refusal is not None)
    _refuse_fixed(situation, link, [situation.known.payments[xero_id] for xero_id in by_id], invoice_stays)
    if (step := take_credit_note_out(situation)) is not None:
        return step
    if not by_id:
        return None
    give_up(situation, "take payment off")
    first = min(by_id.values(), key=lambda payment: (payment.seq, payment.target))
    return _remove(situation, first)


def _remove(situation: Situation, payment: Link) -> Send:
    step: Step = "take payment off"
    link_facts = {TAKEN_OFF_BY: str(situation.seq)}
    body = {"Status": "DELETED"}
    return Send(
        Element("payments.remove", step, payment.target, body, xero_id=payment.xero_id, link_facts=link_facts)
    )


def is_gone(payment: _Found) -> bool:
    """Return True for a payment that was deleted, or that Xero does not know. That it is missing on the
    invoice is not enough.
    """
    return not payment or payment.get("Status") == "DELETED"


def standing_payments(situation: Situation, invoice: _Found) -> list[_Found]:
    """Return the payments on the invoice as read, without those that we have taken off since."""
    taken_off = {p.xero_id for p in situation.payment_links.values() if p.removed}
    return [
        p
        for p in invoice.get("Payments") or ()
        if p.get("Status") != "DELETED" and str(p["PaymentID"]) not in taken_off
    ]


def _ours_by_id(s: Situation) -> dict[str, Link]:
    """Return our payments from before this action, by PaymentID. A reset leaves those that came after it."""
    everything = s.command.action != "reset"
    return {p.xero_id: p for p in s.payment_links.values() if not p.removed and (everything or p.seq < s.seq)}


def _marks_before(s: Situation) -> dict[str, tuple[str, int]]:
    return {mark: asked for mark, asked in s.marks.items() if asked[1] < s.seq}


def links_by_mark(situation: Situation, applied: list[_Found]) -> tuple[Link, ...]:
    """Return links for payments that have none but bear one of our marks, because their response was lost."""
    linked = {p.xero_id for p in situation.payment_links.values()}
    marks = _marks_before(situation)
    found = []
    for payment in applied:
        mark = str(payment.get("Reference") or "").split(" ")[-1]
        if mark in marks and str(payment["PaymentID"]) not in linked | situation.linked_elsewhere:
            transaction_id, seq = marks[mark]
            target = payment_target(situation.command.record_id, transaction_id)
            facts = {"amount": str(payment.get("Amount", 0))}
            found.append(Link(target, str(payment["PaymentID"]), seq=seq, facts=facts))
    return tuple({link.target: link for link in found}.values())


def _refuse_foreign(invoice: _Found, others: list[_Found]) -> None:
    credit = [c for name in _CREDITS for c in invoice.get(name) or ()]
    if others or credit:
        listed = [_listed(others)] if others else []
        listed += [f"credit {c.get('CreditNoteNumber') or c.get('AppliedAmount') or ''}" for c in credit]
        raise Refused("foreign_payments", list=", ".join(listed))


_CREDITS = ("CreditNotes", "Prepayments", "Overpayments")


def _refuse_fixed(situation: Situation, link: Link, ours: list[_Found], invoice_stays: bool) -> None:
    """Refuse to touch money that is reconciled with the bank or lies in a locked period."""
    if reconciled := [p for p in ours if p.get("IsReconciled") is True]:
        raise Refused("payment_reconciled", list=_listed(reconciled))
    document = f"invoice {link.xero_number}"
    dated = [(xero_day(p), f"the payment of {amount_in(p, 'Amount')} on {document}") for p in ours]
    if not invoice_stays and situation.known.invoice and status_of(situation, link) not in UNAPPROVED:
        dated.append((xero_day(situation.known.invoice), document))
    refuse_locked(situation, link, dated)


def refuse_locked(s: Situation, link: Link, dated: list[tuple[str, str]]) -> None:
    """Raise ``period_locked`` if one of these days, each with the object that has it, lies in a locked
    period.
    """
    lock = s.facts.lock_date
    locked = [each for each in dated if lock is not None and "" < each[0] <= lock.isoformat()]
    if locked:
        day, document = min(locked)
        raise Refused("period_locked", number=link.xero_number, document=document, date=day, lock_date=lock)


def _listed(payments: list[_Found]) -> str:
    return ", ".join(shown(payment) for payment in payments)


def _never_sent(s: Situation) -> Link:
    """Remember that a document that never was in Xero is gone, so that nothing creates it there later."""
    facts = {"status": "DELETED", _CLAIMED: str(s.seq)}
    return Link(invoice_target(s.command.record_id), "", s.command.record_number, s.seq, True, facts)


def _gone(link: Link, status: str) -> Link:
    return replace(link, removed=True, facts={**link.facts, "status": status})
