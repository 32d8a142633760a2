"""Read everything that is known about a set of commands from the ledger for the planner, all at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import ContactSnapshot, DocumentSnapshot, transaction_of
from runtime.database import fetch_all
from runtime.sql import load_queries
from sinks.ledger import store as ledger
from sinks.ledger.entries import now_utc
from sinks.ledger.jobs import Job
from sinks.ledger.namesakes import Namesakes
from sinks.ledger.packing import unpack
from sinks.planner import Sent, Situation, XeroReads
from sinks.planner.contacts import contact_target
from sinks.planner.invoices import invoice_target
from sinks.planner.namesakes import Group, group_of
from sinks.planner.orders import bill_target, order_target
from sinks.planner.shares import MoneyEvent, is_finer, shares
from sinks.planner.told import currency_of, invoice_total
from sinks.resolve.folding import completed
from sinks.xero.elements import Kind, Link, StepKey
from sinks.xero.names import folded


async def situations(
    connection: ledger.Connection,
    account: str,
    jobs: Sequence[Job],
    settings: Settings,
    facts: OrganisationFacts,
    names: Namesakes | None = None,
) -> list[Situation]:
    """Return everything that the planner needs to know for each of ``jobs``, in their order."""
    newest = await _newest_documents(connection, account, jobs)
    documents = {w.entry.command_id: _document(w, newest.get(w.entry.command_id)) for w in jobs}
    contacts = await _newest_contacts(connection, account, jobs, documents)
    records = {w.entry.command.record_id for w in jobs}
    keys = {contact_target(c).record_id for c in contacts.values()}
    links = await ledger.links(connection, account, records, keys)
    groups = _groups(contacts, links)
    payments = _by_transaction(links.values(), "payment")
    credit_notes = _by_transaction(links.values(), "credit_note")
    refunds = _by_transaction(links.values(), "refund")
    shared = await ledger.shared_contacts(
        connection, account, {link.xero_id for link in links.values() if link.target.kind == "contact"}
    )
    unknown = await ledger.unknown_steps(connection, account, {*records, *keys})
    now = await ledger.database_time(connection) if unknown else now_utc()  # only these are compared with it
    read_ids = {str(i) for w in jobs for i in _ids_read(w.known)}
    linked = await ledger.linked(connection, account, read_ids) if read_ids else set()
    retried = [w.entry.command_id for w in jobs if w.entry.revision > 0]
    overtaken = await ledger.overtaken(connection, retried) if retried else set()
    asked = await _asked(connection, account, jobs)
    money = await _money(connection, account, jobs)
    gone = await _gone(connection, account, jobs)
    linked_to, lost_of = by_record(links), by_record(unknown)
    found = []
    for job in jobs:
        entry = job.entry
        command = entry.command
        contact = contacts.get(entry.command_id)
        contact_link = links.get(contact_target(contact)) if contact else None
        group = groups.get(folded(contact.name)) if contact and _unlinked(contact_link) else None
        record = command.record_id
        key = contact_target(contact).record_id if contact else ""
        lost = {t: unknown[t] for about in {record, key} for t in lost_of.get(about, ())}
        own = linked_to.get(record, ())
        situation = Situation(
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
            contact_shared=contact is not None
            and (
                (contact_link is not None and contact_link.xero_id in shared)
                or _joined(contact, groups.get(folded(contact.name)))
            ),
            group=group,
            namesake=names.get(contact.name) if names and contact and _unlinked(contact_link) else None,
            payment_links=payments.get(record, {}),
            credit_note_links=credit_notes.get(record, {}),
            refund_links=refunds.get(record, {}),
            linked_elsewhere=frozenset(
                x for x, owner, target in linked if owner != account or target not in own
            ),
            unknown={t: step.look_up_after for t, step in lost.items()},
            sent={t: Sent(step.body, step.link_facts) for t, step in lost.items()},
            money=money.get(record, ()),
            gone=gone.get(record, frozenset()),
            facts_are_fresh=_are_fresh(facts, job),
            marks={
                mark: (transaction_id, seq)
                for transaction_id, (mark, seq) in asked.get((record, "payment_applied"), {}).items()
                if _may_stand(payments.get(record, {}).get(transaction_id))
            },
            refund_marks={
                transaction_id: marked
                for transaction_id, marked in asked.get((record, "refund_applied"), {}).items()
                if _may_stand(credit_notes.get(record, {}).get(transaction_id))
            },
            overtaken=entry.command_id in overtaken,
            known=job.known,
            refusal=job.refusal,
        )
        found.append(await _with_share(connection, situation))
    return found


def _may_stand(link: Link | None) -> bool:
    """Return True if something for a transaction may be in Xero without a link: it never had one, or its
    object was taken off and perhaps put there again.
    """
    return link is None or link.removed


def _are_fresh(facts: OrganisationFacts, job: Job) -> bool:
    """Return True if a step that cannot be undone may rely on these facts: they were read after the action
    arrived, or for its sake, or, if it is done again, at most a minute ago.
    """
    asked = job.facts_asked_at
    if asked is not None and facts.fresh_at >= asked and now_utc() - asked < _FRESH_ONCE_ASKED:
        return True
    minute_ago = now_utc() - FACTS_FRESH_FOR
    since = minute_ago if job.entry.revision else max(job.entry.queued_at, minute_ago)
    return facts.fresh_at >= since


async def _with_share(connection: ledger.Connection, situation: Situation) -> Situation:
    """Return the situation of a payment or refund with its amount in Xero, which is fixed when it is first
    planned. Most amounts have no more decimals than their currency, and stay as they are.
    """
    own = next((event for event in situation.money if event.seq == situation.seq), None)
    if own is None or own.share is not None or own.action == "reset":
        return situation
    currency = currency_of(situation)
    if not is_finer(situation.money, currency):
        return situation
    share = shares(situation.money, currency, invoice_total(situation))[situation.seq]
    await connection.execute(
        _SQL["fix_share"], {"command_id": situation.command.command_id, "share": str(share)}
    )
    money = tuple(replace(event, share=share) if event is own else event for event in situation.money)
    return replace(situation, money=money)


def _unlinked(link: Link | None) -> bool:
    return link is None or link.removed


def _groups(contacts: Mapping[str, ContactSnapshot], links: Mapping[StepKey, Link]) -> dict[str, Group]:
    """Return, by name as Xero compares it, the records of that name that are not linked yet."""
    named: dict[str, dict[StepKey, ContactSnapshot]] = {}
    for contact in contacts.values():
        target = contact_target(contact)
        if _unlinked(links.get(target)):
            named.setdefault(folded(contact.name), {})[target] = contact
    return {name: group_of(several.values()) for name, several in named.items()}


def _joined(contact: ContactSnapshot, group: Group | None) -> bool:
    """Return True if another record of the name is about to be linked to the contact."""
    return group is not None and bool(set(group.records) - {contact.record_id})


async def _newest_contacts(
    connection: ledger.Connection,
    account: str,
    jobs: Sequence[Job],
    documents: Mapping[str, DocumentSnapshot | None],
) -> dict[str, ContactSnapshot]:
    """Return, by command id, the newest known snapshot of the contact that the command names. A customer or
    supplier action brings its own, unless it is retried; fields missing in it have their earlier values.
    """
    own = {}
    for job in jobs:
        command = job.entry.command
        document = documents[command.command_id] if command.document else None
        contact = document.contact if document else command.contact
        if contact is not None:
            own[command.command_id] = msgspec.structs.replace(contact, position=job.entry.seq)
    plain = {w.entry.command_id for w in jobs if w.entry.revision == 0 and w.entry.command.document is None}
    newest = await ledger.snapshots(connection, account, {(c.side, c.record_id) for c in own.values()})
    found = {}
    for command_id, contact in own.items():
        stored = newest.get((contact.side, contact.record_id))
        known = stored if isinstance(stored, ContactSnapshot) else None
        found[command_id] = completed(contact, known) if command_id in plain else known or contact
    return found


def _document(job: Job, newest: DocumentSnapshot | None) -> DocumentSnapshot | None:
    """Return the snapshot to plan from: the command's own, or the newest known one for a deletion, which
    brings none, and for a retry.
    """
    own = job.entry.command.document
    if own is None:
        return newest
    own = msgspec.structs.replace(own, position=job.entry.seq)
    if newest is None:
        return own
    return newest if newest.stamp > own.stamp and job.entry.revision > 0 else own


async def _newest_documents(
    connection: ledger.Connection, account: str, jobs: Sequence[Job]
) -> dict[str, DocumentSnapshot]:
    """Return the newest known snapshot by command id: of retried created and edited actions, receipts and
    deletions."""
    wanted = {
        w.entry.command_id: w.entry.record
        for w in jobs
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
    connection: ledger.Connection, account: str, jobs: Sequence[Job]
) -> dict[tuple[str, str], dict[str, tuple[str, int]]]:
    """Return, by record id and action, marks and positions of payments and refunds that did not complete, by
    transaction id. Only for actions that take money off: the responses may have been lost, so that they are
    in Xero.
    """
    records = [w.entry.command.record_id for w in jobs if w.entry.command.action in _TAKE_OFF]
    found: dict[tuple[str, str], dict[str, tuple[str, int]]] = {}
    if records:
        for row in await fetch_all(
            connection, _SQL["unended_money"], {"account": account, "records": records}
        ):
            asked = transaction_of(unpack(bytes(row["body"])))
            if asked is not None:
                by_id = found.setdefault((row["record_id"], row["action"]), {})
                first = by_id.get(asked.transaction_id, (asked.mark, row["seq"]))
                by_id[asked.transaction_id] = (asked.mark, min(first[1], row["seq"]))
    return found


async def _money(
    connection: ledger.Connection, account: str, jobs: Sequence[Job]
) -> dict[str, tuple[MoneyEvent, ...]]:
    """Return, by record id, the payment and refund events of these records, in order."""
    records = sorted({w.entry.command.record_id for w in jobs if w.entry.command.action in _MONEY})
    if not records:
        return {}
    found: dict[str, list[MoneyEvent]] = {}
    for row in await fetch_all(connection, _SQL["money"], {"account": account, "records": records}):
        said = None if row["body"] is None else transaction_of(unpack(bytes(row["body"])))
        event = MoneyEvent(
            seq=row["seq"],
            action=row["action"],
            time=row["event_time"],
            transaction_id=said.transaction_id if said else "",
            amount=said.amount if said else Decimal(0),
            day=said.date if said and said.dated else None,
            reference=said.reference if said else "",
            completed=row["completed"],
            share=None if row["share"] is None else Decimal(row["share"]),
        )
        found.setdefault(row["record_id"], []).append(event)
    return {record: tuple(events) for record, events in found.items()}


async def _gone(
    connection: ledger.Connection, account: str, jobs: Sequence[Job]
) -> dict[str, frozenset[str]]:
    """Return, by record id, the ids of our payments and credit notes that a comparison saw deleted or voided
    in Xero.
    """
    records = sorted({w.entry.command.record_id for w in jobs if w.entry.command.action in _MONEY})
    found: dict[str, set[str]] = {}
    if records:
        for row in await fetch_all(connection, _SQL["seen_gone"], {"account": account, "records": records}):
            found.setdefault(row["record_id"], set()).add(row["xero_id"])
    return {record: frozenset(ids) for record, ids in found.items()}


_SQL = load_queries(__file__)
_MONEY = ("payment_applied", "refund_applied")
FACTS_FRESH_FOR = timedelta(minutes=1)
"""How long a step that cannot be undone may rely on the known facts of the organisation."""
_FRESH_ONCE_ASKED = timedelta(minutes=10)
"""Once a command has asked, it uses the answer for so long, even if calls are scarce."""
_TAKE_OFF = ("reset", "cancelled", "deleted", "refund_applied")


def by_record(targets: Iterable[StepKey]) -> dict[str, set[StepKey]]:
    """Return what the steps are about, by record id."""
    found: dict[str, set[StepKey]] = {}
    for target in targets:
        found.setdefault(target.record_id, set()).add(target)
    return found


def _by_transaction(links: Iterable[Link], kind: Kind) -> dict[str, dict[str, Link]]:
    """Return links of one kind by record id, then transaction id."""
    found: dict[str, dict[str, Link]] = {}
    for link in links:
        if link.target.kind == kind:
            found.setdefault(link.target.record_id, {})[link.target.transaction_id] = link
    return found


def _ids_read(known: XeroReads) -> list[Any]:
    """Return ids of the Xero objects that were read, which other records may be linked to."""
    found = (
        *(i.get("InvoiceID") for i in known.invoice_by_number or ()),
        *(o.get("PurchaseOrderID") for o in known.order_by_number or ()),
        *(n.get("CreditNoteID") for n in known.credit_note_by_number or ()),
    )
    return [*found, *known.payments]
