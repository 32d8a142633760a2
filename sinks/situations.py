"""From the ledger to the planner: everything that is known about a set of commands, read at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from psycopg.rows import dict_row

from connections.facts import OrganisationFacts
from connections.settings import Settings
from connections.sql import load_queries
from contracts.commands import ContactSnapshot, DocumentSnapshot, decode_command
from sinks import ledger
from sinks.calls import FULL_BATCH
from sinks.entries import Entry, now_utc
from sinks.folding import completed
from sinks.planner import Known, Refusal, Situation
from sinks.planner.contacts import contact_target
from sinks.planner.invoices import invoice_target
from sinks.planner.orders import bill_target, order_target
from sinks.steps import Kind, Link


@dataclass(slots=True)
class Work:
    """A command in a lane's hands."""

    entry: Entry
    merged: list[Entry] = field(default_factory=list)
    """Snapshots of the record that this one stands for: they end as it ends."""
    known: Known = field(default_factory=Known)
    refusal: Refusal | None = None
    facts_refreshed: bool = False
    name_asked_again: bool = False
    batch_limit: int = FULL_BATCH

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
) -> list[Situation]:
    """What the planner needs to know for each of ``works``, in their order."""
    newest = await _newest_documents(connection, account, works)
    documents = {w.entry.command_id: _document(w, newest.get(w.entry.command_id)) for w in works}
    contacts = await _newest_contacts(connection, account, works, documents)
    records = {w.entry.command.record_id for w in works}
    keys = {contact_target(c).record_id for c in contacts.values()}
    links = await ledger.links(connection, account, records, keys)
    payments = _by_transaction(links.values(), "payment")
    credit_notes = _by_transaction(links.values(), "credit_note")
    refunds = _by_transaction(links.values(), "refund")
    shared = await ledger.shared_contacts(
        connection, account, {link.xero_id for link in links.values() if link.target.kind == "contact"}
    )
    unknown = await ledger.unknown_steps(connection, account, {*records, *keys})
    now = await ledger.database_time(connection) if unknown else now_utc()  # only these are compared with it
    read_ids = {str(i) for w in works for i in _ids_read(w.known)}
    linked = await ledger.linked(connection, account, read_ids) if read_ids else set()
    retried = [w.entry.command_id for w in works if w.entry.revision > 0]
    overtaken = await ledger.overtaken(connection, retried) if retried else set()
    asked = await _asked(connection, account, works)
    found = []
    for work in works:
        entry = work.entry
        command = entry.command
        contact = contacts.get(entry.command_id)
        contact_link = links.get(contact_target(contact)) if contact else None
        record = command.record_id
        key = contact_target(contact).record_id if contact else ""
        own = {target for target in links if target.record_id == record}
        found.append(
            Situation(
                command=command,
                seq=entry.seq,
                retried=entry.revision > 0,
                settings=settings,
                facts=facts,
                now=now,
                document=documents[entry.command_id],
                contact=contact,
                newest=newest.get(entry.command_id) if command.action == "received" else None,
                invoice_link=links.get(invoice_target(record)),
                order_link=links.get(order_target(record)),
                bill_link=links.get(bill_target(record)),
                contact_link=contact_link,
                contact_shared=contact_link is not None and contact_link.xero_id in shared,
                payment_links=payments.get(record, {}),
                credit_note_links=credit_notes.get(record, {}),
                refund_links=refunds.get(record, {}),
                linked_elsewhere=frozenset(
                    x for x, owner, target in linked if owner != account or target not in own
                ),
                unknown={t: at for t, at in unknown.items() if t.record_id in (record, key)},
                marks={
                    mark: (transaction_id, seq)
                    for transaction_id, (mark, seq) in asked.get((record, "payment_applied"), {}).items()
                    if transaction_id not in payments.get(record, {})
                },
                refund_marks={
                    transaction_id: marked
                    for transaction_id, marked in asked.get((record, "refund_applied"), {}).items()
                    if transaction_id not in credit_notes.get(record, {})
                },
                overtaken=entry.command_id in overtaken,
                known=work.known,
                refusal=work.refusal,
            )
        )
    return found


async def _newest_contacts(
    connection: ledger.Connection,
    account: str,
    works: Sequence[Work],
    documents: Mapping[str, DocumentSnapshot | None],
) -> dict[str, ContactSnapshot]:
    """By command id: the newest known snapshot of the contact that the command names. A customer or supplier
    action brings its own, unless it is retried: what that does not tell is as it was told before."""
    own = {}
    for work in works:
        command = work.entry.command
        document = documents[command.command_id] if command.document else None
        contact = document.contact if document else command.contact
        if contact is not None:
            own[command.command_id] = msgspec.structs.replace(contact, position=work.entry.seq)
    plain = {w.entry.command_id for w in works if w.entry.revision == 0 and w.entry.command.document is None}
    newest = await ledger.snapshots(connection, account, {(c.side, c.record_id) for c in own.values()})
    found = {}
    for command_id, contact in own.items():
        stored = newest.get((contact.side, contact.record_id))
        known = stored if isinstance(stored, ContactSnapshot) else None
        found[command_id] = completed(contact, known) if command_id in plain else known or contact
    return found


def _document(work: Work, newest: DocumentSnapshot | None) -> DocumentSnapshot | None:
    """The snapshot to plan from: the command's own, or the newest known of a deletion, which brings none, and
    of what is retried."""
    own = work.entry.command.document
    if own is None:
        return newest
    own = msgspec.structs.replace(own, position=work.entry.seq)
    if newest is None:
        return own
    return newest if newest.stamp > own.stamp and work.entry.revision > 0 else own


async def _newest_documents(
    connection: ledger.Connection, account: str, works: Sequence[Work]
) -> dict[str, DocumentSnapshot]:
    """The newest known snapshot by command id: of retried created and edited actions, receipts and
    deletions."""
    wanted = {
        w.entry.command_id: w.entry.record
        for w in works
        if w.entry.command.action in ("deleted", "received")
        or (w.entry.revision > 0 and w.entry.command.action in ("created", "edited"))
    }
    if not wanted:
        return {}
    newest = await ledger.snapshots(connection, account, set(wanted.values()))
    return {
        command_id: snapshot
        for command_id, record in wanted.items()
        if isinstance(snapshot := newest.get(record), DocumentSnapshot)
    }


async def _asked(
    connection: ledger.Connection, account: str, works: Sequence[Work]
) -> dict[tuple[str, str], dict[str, tuple[str, int]]]:
    """By record id and action: marks and positions of payments and refunds that did not complete, by
    transaction id. Only for what takes money off: their answers may have been lost, and they stand in Xero.
    """
    records = [w.entry.command.record_id for w in works if w.entry.command.action in _TAKE_OFF]
    found: dict[tuple[str, str], dict[str, tuple[str, int]]] = {}
    if records:
        for row in await _fetch(connection, "unended_money", {"account": account, "records": records}):
            asked = decode_command(bytes(row["body"])).transaction
            if asked is not None:
                by_id = found.setdefault((row["record_id"], row["action"]), {})
                by_id[asked.transaction_id] = (asked.mark, row["seq"])
    return found


async def _fetch(connection: ledger.Connection, name: str, parameters: Any) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[name], parameters)
        return await cursor.fetchall()


_SQL = load_queries(__file__)
_TAKE_OFF = ("reset", "cancelled", "deleted", "refund_applied")


def _by_transaction(links: Iterable[Link], kind: Kind) -> dict[str, dict[str, Link]]:
    """Links of one kind by record id, then transaction id."""
    found: dict[str, dict[str, Link]] = {}
    for link in links:
        if link.target.kind == kind:
            found.setdefault(link.target.record_id, {})[link.target.transaction_id] = link
    return found


def _ids_read(known: Known) -> list[Any]:
    """Ids of the Xero objects that were read, which other records may be linked to."""
    found = (
        *(i.get("InvoiceID") for i in known.invoice_by_number or ()),
        *(o.get("PurchaseOrderID") for o in known.order_by_number or ()),
        *(n.get("CreditNoteID") for n in known.credit_note_by_number or ()),
    )
    return [*found, *known.payments]
