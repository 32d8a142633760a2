"""Match an invoice, its payments and refunds with Xero's, by marks, and settle what that shows. Pure.

The whole history is looked at first. Objects in Xero become links; actions that a later removal has settled
end here; everything else is left to the planner, which continues from those links.
"""

from contracts.commands import DocumentSnapshot, TransactionSnapshot
from contracts.money import to_cents
from sinks.ledger.entries import Entry
from sinks.planner.amounts import amount_in, xero_day
from sinks.planner.credit_notes import link_of_credit_note
from sinks.planner.documents import link_of_invoice
from sinks.recover.documents import choose, link_of_document
from sinks.recover.record import (
    Findings,
    Found,
    Record,
    is_gone,
    is_open,
    last_word,
    living_or_gone,
    refreshed,
)
from sinks.recover.same import Resolve
from sinks.resolve import ResolvedDocument, resolve_invoice
from sinks.resolve.documents import document_url
from sinks.resolve.texts import one_line
from sinks.xero.elements import Link, StepKey
from sinks.xero.facts import MoneyFacts

_REMOVALS = ("cancelled", "deleted")
_SNAPSHOTS = ("created", "edited")


def match_invoice(record: Record) -> Findings:
    """Return what Xero has of an invoice, and the actions that this settles."""
    findings = Findings()
    found = _document(record, findings)
    if findings.entries:
        return findings
    link = findings.links.get(record.target("invoice")) or record.link("invoice")
    if link is None or not link.xero_id:
        return findings
    _payments(record, findings, link)
    _credit_notes(record, findings, link)
    if record.settings.refund_as == "reverse_payment":
        _reversals(record, findings)
    if found is not None and is_gone(found):
        _settle_removed(record, findings, link)
    _settle_failed(record, findings)
    return findings


# The document


def _document(record: Record, findings: Findings) -> Found | None:
    target = record.target("invoice")
    url = document_url(record.record_id, record.account, record.settings)
    own = record.links.get(target)
    candidates = [
        one
        for one in record.free("Invoices", "InvoiceID", own)
        if one.get("Type") == "ACCREC"
        and (one.get("Url") == url or (own is not None and one["InvoiceID"] == own.xero_id))
    ]
    snapshots = record.documents()

    def whole(found: Found) -> Link:
        return link_of_document(record, target, found, snapshots, _resolve(record), link_of_invoice)

    if not snapshots and own is None:
        return None
    found = choose(record, findings, target, candidates, "InvoiceID", whole)
    if found is not None:
        findings.links[target] = whole(found) if snapshots else refreshed(_known(own), found)
    return found


def _known(link: Link | None) -> Link:
    assert link is not None
    return link


def _resolve(record: Record) -> Resolve:
    own = record.link("invoice")
    kept = own.facts if own is not None else None

    def resolve(_: Entry, document: DocumentSnapshot) -> ResolvedDocument:
        return resolve_invoice(document, record.settings, record.facts, record.account, kept)

    return resolve


# Payments


def _payments(record: Record, findings: Findings, link: Link) -> None:
    for transaction_id, told in record.transactions("payment_applied").items():
        target = record.target("payment", transaction_id)
        own = record.links.get(target)
        marks = record.marks(transaction_id)
        candidates = [
            p
            for p in record.free("Payments", "PaymentID", own)
            if (p.get("Invoice") or {}).get("InvoiceID") == link.xero_id
            and (last_word(p) in marks or (own is not None and p["PaymentID"] == own.xero_id))
        ]
        _link_money(record, findings, target, link.xero_number, told, candidates)


def _link_money(
    record: Record,
    findings: Findings,
    target: StepKey,
    number: str,
    told: list[tuple[Entry, TransactionSnapshot]],
    candidates: list[Found],
) -> None:
    """Link the payment that exists, with any content; otherwise the removed one counts as sent."""
    standing, gone = living_or_gone(candidates)
    own = record.links.get(target)
    if own is not None and any(p["PaymentID"] == own.xero_id for p in standing):
        return
    if len(standing) > 1:
        entry = next((e for e, _ in told if e.command_id in record.flagged and is_open(e)), None)
        if entry is not None:
            links = [(p, _money_link(target, number, told, p)) for p in standing]
            findings.review(
                record, entry, f"payment of {told[0][1].amount} ({last_word(standing[0])})", links
            )
        return
    if standing:
        findings.links[target] = _money_link(target, number, told, standing[0])
    elif own is not None and own.xero_id:
        if gone and not own.removed:
            findings.links[target] = refreshed(own, next(p for p in gone if p["PaymentID"]))
    elif gone:
        findings.links[target] = _money_link(target, number, told, gone[-1])


def _money_link(
    target: StepKey, number: str, told: list[tuple[Entry, TransactionSnapshot]], found: Found
) -> Link:
    """Return the link of a payment as Xero shows it, made by the newest action with the same content; if it
    was taken off, by the oldest, since the removal came before it was published again.
    """
    amount, day = amount_in(found, "Amount"), xero_day(found)
    same = [e for e, t in told if to_cents(abs(t.amount)) == amount and t.date.isoformat() == day]
    entry = (same[0] if is_gone(found) else same[-1]) if same else told[0][0]
    facts = {
        "amount": str(amount),
        "date": day,
        "reference": str(found.get("Reference") or ""),
        "number": number,
        "status": str(found.get("Status") or ""),
    }
    return Link(target, str(found["PaymentID"]), number, entry.seq, is_gone(found), facts)


# Refunds


def _credit_notes(record: Record, findings: Findings, link: Link) -> None:
    for transaction_id, told in record.transactions("refund_applied").items():
        target = record.target("credit_note", transaction_id)
        own = record.links.get(target)
        marks = record.marks(transaction_id)
        candidates = [
            n
            for n in record.free("CreditNotes", "CreditNoteID", own)
            if n.get("Type") == "ACCRECCREDIT"
            and str(n.get("CreditNoteNumber") or "").startswith(f"{link.xero_number}-")
            and (last_word(n) in marks or (own is not None and n["CreditNoteID"] == own.xero_id))
        ]
        standing, gone = living_or_gone(candidates)
        entry = told[-1][0]
        if len(standing) > 1 and entry.command_id in record.flagged and is_open(entry):
            links = [(n, _note_link(target, told, n)) for n in standing]
            findings.review(record, entry, f"credit note of {told[-1][1].amount}", links)
            continue
        found = standing[0] if standing else (gone[-1] if gone else None)
        if found is None:
            continue
        if own is not None and own.xero_id == found["CreditNoteID"]:
            findings.links[target] = refreshed(own, found)
        else:
            findings.links[target] = _note_link(target, told, found)
        _refund_of(record, findings, findings.links[target], told)


def _note_link(target: StepKey, told: list[tuple[Entry, TransactionSnapshot]], found: Found) -> Link:
    amount = amount_in(found, "Total")
    same = [e for e, t in told if to_cents(abs(t.amount)) == amount]
    entry = same[-1] if same else told[0][0]
    link_facts: MoneyFacts = {"amount": str(amount), "reference": str(found.get("Reference") or "")}
    return link_of_credit_note(target, found, link_facts, entry.seq)


def _refund_of(
    record: Record, findings: Findings, note: Link, told: list[tuple[Entry, TransactionSnapshot]]
) -> None:
    """Find the payment that pays the credit note out: lists show it also, or only, under ``Invoice``."""
    target = record.target("refund", note.target.transaction_id)
    own = record.links.get(target)
    candidates = [
        p
        for p in record.free("Payments", "PaymentID", own)
        if note.xero_id
        in (
            (p.get("CreditNote") or {}).get("CreditNoteID"),
            (p.get("Invoice") or {}).get("InvoiceID"),
        )
    ]
    _link_money(record, findings, target, note.xero_number, told, candidates)


def _reversals(record: Record, findings: Findings) -> None:
    """Return the refunds that took the matching payment back: among the deleted payments in Xero, the newest
    before the refund with its amount and method, unless a reset before the refund took it off.
    """
    payments = {
        target: link
        for target, link in {**record.links, **findings.links}.items()
        if target.kind == "payment" and target.record_id == record.record_id
    }
    claimed = {link.text("reversed_by") for link in payments.values()} - {""}
    resets = [e.seq for e in record.entries if e.command.action == "reset"]
    for transaction_id, told in record.transactions("refund_applied").items():
        entry, refund = told[0]
        done = record.target("credit_note", transaction_id) in {**record.links, **findings.links}
        if done or transaction_id in claimed or entry.command_id not in record.flagged:
            continue
        since = max((seq for seq in resets if seq < entry.seq), default=0)
        method = one_line(refund.reference).casefold()
        taken = [
            link
            for link in payments.values()
            if link.removed
            and not link.text("reversed_by")
            and since < link.seq < entry.seq
            and link.amount("amount") == to_cents(abs(refund.amount))
            and (not method or one_line(link.text("reference").rpartition(" ")[0]).casefold() == method)
        ]
        if taken:
            newest = max(taken, key=lambda link: link.seq)
            facts = {**newest.facts, "reversed_by": transaction_id}
            payments[newest.target] = findings.links[newest.target] = Link(
                newest.target, newest.xero_id, newest.xero_number, newest.seq, True, facts
            )


# Settling


def _settle_removed(record: Record, findings: Findings, link: Link) -> None:
    """Handle an invoice removed in Xero. Actions before the removal were done, or are settled; a first
    snapshot counts as sent if people took the invoice out.
    """
    removal = findings.removal(record, link, _REMOVALS)
    before = [e for e in record.entries if removal is None or e.seq < removal.seq]
    links = {**record.links, **findings.links}
    if any(e.command.action in _REMOVALS and e.command_id not in record.flagged for e in before):
        return
    for entry in before:
        if not is_open(entry) or entry.command_id in findings.entries:
            continue
        told = entry.command.transaction
        if told is not None:
            kinds = ("payment", "credit_note")
            done = next((f for k in kinds if (f := links.get(record.target(k, told.transaction_id)))), None)
            if done is not None:
                findings.settle(record, entry, "already_there", done)
            elif removal is not None:
                findings.settle(record, entry, "superseded", link)
        elif removal is not None or entry.seq == link.seq:
            findings.settle(record, entry, "already_there", link)


def _settle_failed(record: Record, findings: Findings) -> None:
    """Settle actions that failed according to the ledger, but were done before the ledger lost its memory of
    it.
    """
    for entry in record.entries:
        if entry.state != "failed" or entry.command_id in findings.entries:
            continue
        told = entry.command.transaction
        if told is not None and entry.reason_code != "event_id_reused":
            kind = "payment" if entry.command.action == "payment_applied" else "credit_note"
            link = findings.links.get(record.target(kind, told.transaction_id))
            if link is not None and link.seq == entry.seq:
                findings.settle(record, entry, "already_there", link)
        elif entry.command.action in _SNAPSHOTS and entry.reason_code != "event_id_reused":
            link = findings.links.get(record.target("invoice"))
            document = entry.command.document
            if link is not None and document is not None and link.text("content") == document.digest:
                findings.settle(record, entry, "already_there", link)
