"""Match the document of a record: find it in Xero, and which of its snapshots it holds. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from contracts.commands import DocumentSnapshot
from mappers.totals import totals
from sinks.ledger.entries import Entry
from sinks.planner.amounts import amount_in
from sinks.planner.contacts import contact_target
from sinks.planner.documents import stamped
from sinks.recover.record import Findings, Found, Record, document_facts_of, living_or_gone, refreshed
from sinks.recover.same import Resolve, newest_whole, resolved_or_none
from sinks.xero.elements import Link, StepKey
from sinks.xero.facts import DocumentFacts

LinkOf = Callable[[StepKey, Found, DocumentFacts, int], Link]
_KEPT = ("reset_seq", "removed_seq", "billed_seq")


def choose(
    record: Record,
    findings: Findings,
    target: StepKey,
    candidates: Sequence[Found],
    id_field: str,
    whole: Callable[[Found], Link],
) -> Found | None:
    """Return the object in Xero that the target is; None if there is none, or if it has not been changed.

    Existing objects take precedence over removed ones. If several exist, a person chooses: the first action
    that was perhaps sent fails with ``needs_review``.

    Args:
        whole: the link that adopting an object makes.
    """
    link = record.links.get(target)
    if link is not None and link.xero_id:
        return next((one for one in candidates if one[id_field] == link.xero_id), None)
    standing, gone = living_or_gone(candidates)
    if len(standing) > 1:
        first = next(e for e in record.entries if e.command_id in record.flagged)
        named = f"{target.kind.replace('_', ' ')} {first.command.record_number}"
        findings.review(record, first, named, [(one, whole(one)) for one in standing])
        return None
    return standing[0] if standing else (gone[-1] if gone else None)


def link_of_document(
    record: Record,
    target: StepKey,
    found: Found,
    candidates: Sequence[tuple[Entry, DocumentSnapshot]],
    resolve: Resolve,
    link_of: LinkOf,
) -> Link:
    """Return the link of a document, with the newest snapshot that Xero holds completely.

    If something differs from each of them, the ledger's earlier knowledge stays, or the oldest snapshot with
    Xero's total counts as sent: newer ones are then planned from there, never created a second time.
    """
    link = record.links.get(target)
    match = newest_whole(record, found, candidates, resolve)
    if link is not None and link.xero_id:
        if match is None or match[1].stamp < link.stamp:
            return refreshed(link, found)
        made = link_of(target, found, document_facts_of(record, *match), link.seq)
        kept = {name: link.facts[name] for name in _KEPT if name in link.facts}
        return replace(made, facts={**link.facts, **made.facts, **kept})
    seq = min(entry.seq for entry, _ in candidates)
    if match is None:
        entry, document = _oldest_of_total(found, candidates)
        resolved = resolved_or_none(resolve, entry, document)
        if resolved is None:
            return link_of(target, found, _bare(document), seq)
        match = entry, document, resolved
    return link_of(target, found, document_facts_of(record, *match), seq)


def _oldest_of_total(
    found: Found, candidates: Sequence[tuple[Entry, DocumentSnapshot]]
) -> tuple[Entry, DocumentSnapshot]:
    """Return the oldest one with SalesBinder's total, which is Xero's to the cent; else the oldest."""
    ordered = sorted(candidates, key=lambda one: one[1].stamp)
    total = amount_in(found, "Total")
    return next((one for one in ordered if totals(one[1]).total == total), ordered[0])


def _bare(document: DocumentSnapshot) -> DocumentFacts:
    """Return the link of a document that cannot be sent by today's settings; it names only the snapshot."""
    return {
        **stamped(document),
        "currency": document.currency or "",
        "party": contact_target(document.contact).record_id,
    }
