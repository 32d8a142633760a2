"""From the ledger to the planner: everything that is known about a set of commands, read at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import ContactSnapshot, DocumentSnapshot
from sinks import ledger
from sinks.entries import Entry
from sinks.planner import Known, Refusal, Situation
from sinks.planner.contacts import contact_target
from sinks.planner.invoices import invoice_target
from sinks.steps import Link


@dataclass(slots=True)
class Work:
    """A command in a lane's hands."""

    entry: Entry
    merged: list[Entry] = field(default_factory=list)
    """Snapshots of the record that this one stands for: they end as it ends."""
    known: Known = field(default_factory=Known)
    refusal: Refusal | None = None
    facts_refreshed: bool = False
    batch_limit: int = 50

    @property
    def ids(self) -> list[str]:
        """The command ids in this work."""
        return [self.entry.command_id, *(entry.command_id for entry in self.merged)]


async def situations(
    connection: ledger.Connection,
    account: str,
    works: Sequence[Work],
    settings: Settings,
    facts: OrganisationFacts,
    now: datetime,
) -> list[Situation]:
    """What the planner needs to know for each of ``works``, in their order."""
    contacts = await _newest_contacts(connection, account, works)
    documents = await _documents(connection, account, works)
    records = {w.entry.command.record_id for w in works}
    keys = {contact_target(c).record_id for c in contacts.values()}
    links = await ledger.links(connection, account, records, keys)
    payments = _payments(links.values())
    shared = await ledger.shared_contacts(
        connection, account, {link.xero_id for link in links.values() if link.target.kind == "contact"}
    )
    unknown = await ledger.unknown_steps(connection, account, records)
    read_ids = {str(i) for w in works for i in _ids_read(w.known)}
    linked = await ledger.linked(connection, account, read_ids) if read_ids else {}
    retried = [w.entry.command_id for w in works if w.entry.revision > 0]
    overtaken = await ledger.overtaken(connection, retried) if retried else set()
    found = []
    for work in works:
        entry = work.entry
        command = entry.command
        contact = contacts.get(entry.command_id)
        contact_link = links.get(contact_target(contact)) if contact else None
        own = {invoice_target(command.record_id)} | {
            p.target for p in payments.get(command.record_id, {}).values()
        }
        found.append(
            Situation(
                command=command,
                seq=entry.seq,
                retried=entry.revision > 0,
                settings=settings,
                facts=facts,
                now=now,
                document=documents.get(entry.command_id, command.document),
                contact=contact,
                invoice_link=links.get(invoice_target(command.record_id)),
                contact_link=contact_link,
                contact_shared=contact_link is not None and contact_link.xero_id in shared,
                payment_links=payments.get(command.record_id, {}),
                linked_elsewhere=frozenset(x for x, target in linked.items() if target not in own),
                unknown={t: at for t, at in unknown.items() if t.record_id == command.record_id},
                overtaken=entry.command_id in overtaken,
                known=work.known,
                refusal=work.refusal,
            )
        )
    return found


async def _newest_contacts(
    connection: ledger.Connection, account: str, works: Sequence[Work]
) -> dict[str, ContactSnapshot]:
    """By command id: the newest known snapshot of the contact that the command names."""
    own = {}
    for work in works:
        command = work.entry.command
        contact = command.document.contact if command.document else command.contact
        if contact is not None:
            own[command.command_id] = contact
    newest = await ledger.snapshots(connection, account, {(c.side, c.record_id) for c in own.values()})
    found = {}
    for command_id, contact in own.items():
        stored = newest.get((contact.side, contact.record_id))
        found[command_id] = stored if isinstance(stored, ContactSnapshot) else contact
    return found


async def _documents(
    connection: ledger.Connection, account: str, works: Sequence[Work]
) -> dict[str, DocumentSnapshot]:
    """By command id, of retried created and edited actions: the newest known snapshot."""
    retried = {
        w.entry.command_id: w.entry.record
        for w in works
        if w.entry.revision > 0 and w.entry.command.action in ("created", "edited")
    }
    if not retried:
        return {}
    newest = await ledger.snapshots(connection, account, set(retried.values()))
    return {
        command_id: snapshot
        for command_id, record in retried.items()
        if isinstance(snapshot := newest.get(record), DocumentSnapshot)
    }


def _payments(links: Iterable[Link]) -> dict[str, dict[str, Link]]:
    """Payment links by record id, then transaction id."""
    found: dict[str, dict[str, Link]] = {}
    for link in links:
        if link.target.kind == "payment":
            found.setdefault(link.target.record_id, {})[link.target.transaction_id] = link
    return found


def _ids_read(known: Known) -> list[Any]:
    """Ids of the Xero objects that were read, which other records may be linked to."""
    return [i.get("InvoiceID") for i in known.invoice_by_number or ()] + list(known.payments)
