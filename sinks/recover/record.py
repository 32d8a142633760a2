"""One record for which it must be found out what was sent, and the findings. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import ContactSnapshot, DocumentSnapshot, TransactionSnapshot
from contracts.json import JsonObject
from contracts.reasons import Refused
from contracts.results import Outcome
from sinks.ledger.entries import Entry
from sinks.planner import Situation
from sinks.planner.contacts import contact_target
from sinks.planner.documents import GONE, document_facts
from sinks.planner.review import refuse_unsettled
from sinks.resolve import ResolvedDocument
from sinks.xero.elements import Link, StepKey
from sinks.xero.facts import DocumentFacts

Found = JsonObject


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its whole history as the ledger has it now, and the objects in Xero that may belong to
    it.
    """

    account: str
    entity: str
    record_id: str
    entries: Sequence[Entry]
    """All of its actions, in order; those in the archive without the snapshots that they brought."""
    flagged: frozenset[str]
    """Command ids of those that were perhaps sent."""
    links: Mapping[StepKey, Link]
    """The links of the record itself, and of the contacts of its documents."""
    shown: Mapping[str, Sequence[Found]]
    """By envelope (``Invoices``, ``Payments``, …): the objects that bear a mark of the record, or are linked
    to it.
    """
    elsewhere: frozenset[str]
    """Xero's ids that other records are linked to."""
    settings: Settings
    facts: OrganisationFacts
    now: datetime

    def target(self, kind: Any, transaction_id: str = "") -> StepKey:
        """Return a step key of the record."""
        return StepKey(kind, self.record_id, transaction_id)

    def link(self, kind: Any, transaction_id: str = "") -> Link | None:
        """Return the present link of the record, or of one of its transactions."""
        return self.links.get(self.target(kind, transaction_id))

    def free(self, envelope: str, id_field: str, own: Link | None) -> list[Found]:
        """Return the objects of a kind that are shown and belong to nobody else."""
        return [
            one
            for one in self.shown.get(envelope, ())
            if str(one[id_field]) not in self.elsewhere or (own is not None and one[id_field] == own.xero_id)
        ]

    def documents(self) -> list[tuple[Entry, DocumentSnapshot]]:
        """Return the snapshots of the document that its actions brought, with their positions,
        oldest first.
        """
        found = []
        for entry in self.entries:
            if entry.command.document is not None and entry.command.action in _BRINGS:
                placed = msgspec.structs.replace(entry.command.document, position=entry.seq)
                found.append((entry, placed))
        return found

    def transactions(self, action: str) -> dict[str, list[tuple[Entry, TransactionSnapshot]]]:
        """Return, by transaction id, the actions about it, in order."""
        found: dict[str, list[tuple[Entry, TransactionSnapshot]]] = {}
        for entry in self.entries:
            told = entry.command.transaction
            if told is not None and entry.command.action == action:
                found.setdefault(told.transaction_id, []).append((entry, told))
        return found

    def marks(self, transaction_id: str) -> frozenset[str]:
        """Return the marks that a transaction may bear: the short one only if no earlier one shares it."""
        short = transaction_id[:8]
        others = {
            e.command.transaction.transaction_id for e in self.entries if e.command.transaction is not None
        } - {transaction_id}
        whole = f"#{transaction_id}"
        first = min(
            (e.seq, e.command.transaction.transaction_id)
            for e in self.entries
            if e.command.transaction is not None and e.command.transaction.transaction_id.startswith(short)
        )[1]
        shared = any(other.startswith(short) for other in others)
        return frozenset({whole}) if shared and first != transaction_id else frozenset({whole, f"#{short}"})

    def situation(self, entry: Entry, document: DocumentSnapshot | None) -> Situation:
        """Return the situation for the planner's functions, with as much as the facts of a document need."""
        contact: ContactSnapshot | None = document.contact if document else entry.command.contact
        return Situation(
            command=entry.command,
            seq=entry.seq,
            retried=False,
            settings=self.settings,
            facts=self.facts,
            now=self.now,
            document=document,
            contact=contact,
            contact_link=self.links.get(contact_target(contact)) if contact else None,
        )


_BRINGS = ("created", "edited", "payment_applied", "received")


@dataclass(slots=True)
class Findings:
    """The results to be written for a record."""

    links: dict[StepKey, Link] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    """Actions that have ended thereby, at their new versions, by command id."""

    def settle(self, record: Record, entry: Entry, outcome: Outcome, link: Link | None = None) -> None:
        """Note that the action was done before, by its own call if the link says so, or that nothing is left
        to do.
        """
        if outcome == "already_there" and link is not None and link.seq == entry.seq:
            outcome = "posted"
        if entry.command_id in record.flagged and entry.state != "completed":
            self.entries[entry.command_id] = entry.completed(record.now, outcome, link)

    def removal(self, record: Record, link: Link, actions: Collection[str]) -> Entry | None:
        """Return the first of these actions that may have removed the document, and note it on its link."""
        flagged = (
            e for e in record.entries if e.command.action in actions and e.command_id in record.flagged
        )
        removal = next(flagged, None)
        if removal is not None and not link.text("removed_seq"):
            facts = {**link.facts, "removed_seq": str(removal.seq)}
            self.links[link.target] = replace(link, removed=True, facts=facts)
        return removal

    def acted(self) -> set[int]:
        """Return the positions of the actions whose own earlier calls made the objects that exist."""
        found = {link.seq for link in self.links.values()}
        return found | {int(link.text("position")) for link in self.links.values() if link.text("position")}

    def review(
        self, record: Record, entry: Entry, step: str, candidates: Sequence[tuple[Found, Link]]
    ) -> None:
        """Leave to a person which of several it is."""
        try:
            refuse_unsettled(record.situation(entry, None), step, candidates)
        except Refused as refusal:
            self.entries[entry.command_id] = entry.failed(record.now, refusal.code, refusal.details)


def is_open(entry: Entry) -> bool:
    """Return True for an action that waits."""
    return entry.state in ("queued", "running")


def is_gone(found: Found) -> bool:
    """Return True for an object that is DELETED or VOIDED."""
    return str(found.get("Status") or "") in GONE


def last_word(found: Found) -> str:
    """Return the mark at the end of a reference."""
    return str(found.get("Reference") or "").split(" ")[-1]


def living_or_gone(candidates: Iterable[Found]) -> tuple[list[Found], list[Found]]:
    """Return the existing objects, and the removed ones."""
    found = list(candidates)
    return [one for one in found if not is_gone(one)], [one for one in found if is_gone(one)]


def document_facts_of(
    record: Record, entry: Entry, document: DocumentSnapshot, resolved: ResolvedDocument
) -> DocumentFacts:
    """Return the facts that the planner keeps of a document that it sends."""
    return document_facts(record.situation(entry, document), document, resolved)


def refreshed(link: Link, found: Found) -> Link:
    """Return the link with the state in which Xero shows its object."""
    facts = {**link.facts, "status": str(found.get("Status") or "")}
    if "Total" in found and link.target.kind in ("invoice", "bill", "purchase_order"):
        facts["total"] = str(found["Total"])
    return replace(link, removed=is_gone(found), facts=facts)
