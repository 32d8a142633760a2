"""The command ledger in PostgreSQL: read the work to be done, and write the results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from contracts.commands import ContactSnapshot, DocumentSnapshot
from contracts.results import AccountResult, EntryResult, encode_result
from runtime.database import Connection as Connection
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from runtime.trouble import Withheld
from sinks.ledger.entries import Entry, entry_of_row
from sinks.ledger.packing import element_body, pack, unpack
from sinks.xero.calls import Call
from sinks.xero.elements import Link, StepKey, encode_jsonb
from sinks.xero.facts import Facts

SQL = load_queries(__file__)


class LeaseLost(Exception):
    """Another worker has the account now: nothing more may be written for it here."""


class LedgerHeld(Withheld):
    """The ledger knows less than was sent from it: nothing may be taken in or sent. See ``sinks.recover``."""


class LedgerBehind(LedgerHeld):
    """The ledger has just turned out to know less than this worker: all accounts must be held."""


@dataclass(slots=True)
class Lease:
    """The right to work on an account, as this worker got it."""

    account: str
    holder: int
    fence: int
    mark: int = 0
    """The highest mark of the account's calls that this worker knows to be committed, or to be in Kafka."""
    packs: bool = False
    """True once bodies may be packed: no worker of a version that cannot read them is left."""

    def parameters(self) -> Row:
        """Return the parameters of the statements that check it."""
        return {"account": self.account, "holder": self.holder, "fence": self.fence}


async def database_time(connection: Connection) -> datetime:
    """Return the database's time. Times that several workers compare come from its clock alone, not from
    theirs.
    """
    now: datetime = (await fetch_all(connection, SQL["database_time"], None))[0]["now"]
    return now


async def check_fence(connection: Connection, lease: Lease) -> None:
    """Hold the lease until the transaction ends.

    Raises:
        LeaseLost: somebody else has the account.
        LedgerHeld: nothing may be written for any account.
        LedgerBehind: the database has gone back behind what this worker knows.
    """
    cursor = await connection.execute(SQL["check_fence"], lease.parameters())
    row = await cursor.fetchone()
    if row is None:
        raise LeaseLost(lease.account)
    _, mark, held, lease.packs = row
    if held:
        raise LedgerHeld("the ledger is behind what was sent from it; run 'sbx recover'")
    if mark < lease.mark:
        raise LedgerBehind(f"the calls of {lease.account} were at mark {lease.mark}, the ledger is at {mark}")


async def raise_mark(connection: Connection, lease: Lease) -> int:
    """Return the account's next mark: calls are written down in this transaction, which holds the lease."""
    rows = await fetch_all(connection, SQL["raise_mark"], lease.parameters())
    return int(rows[0]["mark"])


LIVE, LAST_TURN = 0, 3
"""Turns, as in the column ``ledger.commands.turn``: live events, and the work that goes last."""
_TURNS = {"event": LIVE, "retry": 1, "replay": 2}


def turn(entry: Entry) -> int:
    """Return the entry's turn: live work before retries, replays, the rest."""
    return _TURNS.get(entry.triggered_by, LAST_TURN)


async def ready(
    connection: Connection,
    account: str,
    held: Sequence[str],
    limit: int,
    last_turn: int = LAST_TURN,
    *,
    flagged_too: bool = False,
) -> list[Entry]:
    """Return the commands that nothing holds back, without those of ``held``: by turn, the oldest first.

    Args:
        last_turn: none whose turn is later.
        flagged_too: also commands of records for which something was perhaps sent: none of these may be
            planned.
    """
    parameters = {
        "account": account,
        "held": list(held),
        "limit": limit,
        "last_turn": last_turn,
        "flagged_too": flagged_too,
    }
    rows = await fetch_all(connection, SQL["ready"], parameters)
    return [entry_of_row(row) for row in rows]


async def followers(connection: Connection, account: str, heads: Sequence[Entry]) -> list[Entry]:
    """Return the queued snapshots that stand directly behind the heads in their records, in order: those that
    may be merged into them.
    """
    if not heads:
        return []
    parameters = {
        "account": account,
        "entity": [head.command.entity for head in heads],
        "record_id": [head.command.record_id for head in heads],
        "seq": [head.seq for head in heads],
    }
    return [entry_of_row(row) for row in await fetch_all(connection, SQL["followers"], parameters)]


async def links(
    connection: Connection, account: str, records: Iterable[str], contacts: Iterable[str]
) -> dict[StepKey, Link]:
    """Return the links of these documents (with their payments) and contacts (``customer/{id}``)."""
    rows = await fetch_all(
        connection, SQL["links"], {"account": account, "records": list(records), "contacts": list(contacts)}
    )
    return {link.target: link for link in map(link_of_row, rows)}


def link_of_row(row: Row) -> Link:
    """Return the link that a row holds."""
    target = StepKey(row["kind"], row["record_id"], row["transaction_id"])
    return Link(target, row["xero_id"], row["xero_number"], row["seq"], row["removed"], row["facts"])


async def shared_contacts(connection: Connection, account: str, xero_ids: Iterable[str]) -> set[str]:
    """Return those of the Xero contacts that more than one SalesBinder record is linked to."""
    wanted = list(xero_ids)
    rows = (
        await fetch_all(connection, SQL["shared"], {"account": account, "xero_ids": wanted}) if wanted else []
    )
    return {row["xero_id"] for row in rows}


async def linked(
    connection: Connection, account: str, xero_ids: Iterable[str]
) -> set[tuple[str, str, StepKey]]:
    """Return the records to which these Xero objects are linked, in all accounts of the organisation: Xero's
    id, the account and the record.
    """
    rows = await fetch_all(connection, SQL["linked"], {"account": account, "xero_ids": list(xero_ids)})
    return {
        (row["xero_id"], row["account"], StepKey(row["kind"], row["record_id"], row["transaction_id"]))
        for row in rows
    }


async def snapshots(
    connection: Connection, account: str, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], ContactSnapshot | DocumentSnapshot]:
    """Return the newest snapshots known of these (entity, record id)."""
    wanted = list(keys)
    if not wanted:
        return {}
    parameters = records_of(account, wanted)
    found: dict[tuple[str, str], ContactSnapshot | DocumentSnapshot] = {}
    for row in await fetch_all(connection, SQL["snapshots"], parameters):
        contact = row["entity"] in ("customer", "supplier")
        decoder = _contact_decoder if contact else _document_decoder
        found[row["entity"], row["record_id"]] = decoder.decode(unpack(bytes(row["body"])))
    return found


def records_of(account: str, keys: Sequence[tuple[str, str]]) -> Row:
    """Return an account and records of it (entity, record id) as a statement takes them."""
    return {
        "account": account,
        "entities": [entity for entity, _ in keys],
        "records": [record for _, record in keys],
    }


_contact_decoder = msgspec.json.Decoder(ContactSnapshot)
_document_decoder = msgspec.json.Decoder(DocumentSnapshot)


@dataclass(frozen=True, slots=True)
class UnknownStep:
    """A step that got no response."""

    look_up_after: datetime
    """The time from which a look-up can be trusted."""
    body: Row
    """The body that was sent last."""
    link_facts: Facts


async def unknown_steps(
    connection: Connection, account: str, records: Iterable[str]
) -> dict[StepKey, UnknownStep]:
    """Return the steps of these records that have no response yet."""
    rows = await fetch_all(connection, SQL["unknown"], {"account": account, "records": list(records)})
    return {
        StepKey(row["kind"], row["record_id"], row["transaction_id"]): UnknownStep(
            row["look_up_after"], element_body(row) or {}, row["memory"]
        )
        for row in rows
    }


async def overtaken(connection: Connection, command_ids: Sequence[str]) -> set[str]:
    """Return those of the commands whose record has a later action that is completed."""
    rows = await fetch_all(connection, SQL["overtaken"], [list(command_ids)])
    return {str(row["command_id"]) for row in rows}


async def earlier_failed(
    connection: Connection, account: str, done: Sequence[tuple[Entry, Sequence[str]]]
) -> list[Entry]:
    """Return the failed entries that come before these completed ones in their records and whose action is
    among those named.
    """
    if not done:
        return []
    parameters = {
        "account": account,
        "entity": [entry.command.entity for entry, _ in done],
        "record_id": [entry.command.record_id for entry, _ in done],
        "seq": [entry.seq for entry, _ in done],
        "actions": [",".join(actions) for _, actions in done],
    }
    return [entry_of_row(row) for row in await fetch_all(connection, SQL["earlier_failed"], parameters)]


async def write_entries(connection: Connection, entries: Sequence[Entry]) -> set[str]:
    """Write entries at their new versions. Returns the ids that were written: an entry that an operator
    changed in between is not written.
    """
    if not entries:
        return set()
    rows = [{name: getattr(entry, name) for name in _WRITTEN} for entry in entries]
    cursor = await connection.execute(
        SQL["update_commands"] + " RETURNING c.command_id", [encode_jsonb(rows)]
    )
    return {str(row[0]) for row in await cursor.fetchall()}


_WRITTEN = (
    *("command_id", "state", "outcome", "reason_code", "reason_args", "warnings", "acted", "perhaps_acted"),
    *("attempts", "version", "next_attempt_at", "started_at", "finished_at"),
    *("xero_type", "xero_id", "xero_number"),
)
"""What of an entry changes after it was taken in."""


async def write_links(connection: Connection, account: str, changed: Iterable[Link]) -> None:
    """Insert or replace links."""
    rows = [
        {
            "kind": link.target.kind,
            "record_id": link.target.record_id,
            "transaction_id": link.target.transaction_id,
            "xero_id": link.xero_id,
            "xero_number": link.xero_number,
            "seq": link.seq,
            "removed": link.removed,
            "facts": link.facts,
        }
        for link in changed
    ]
    if rows:
        await connection.execute(SQL["upsert_links"], {"account": account, "links": encode_jsonb(rows)})


async def write_calls(
    connection: Connection, lease: Lease, calls: Sequence[Call], send_within: float
) -> None:
    """Write calls down before their first byte is sent. They also deal with the unknown steps of their
    targets.
    """
    elements = []
    for call in calls:
        await connection.execute(
            SQL["insert_intent"],
            {
                "intent_id": call.intent_id,
                "account": lease.account,
                "fence": lease.fence,
                "route": call.route.name,
                "method": call.request.method,
                "path": call.request.path,
                "query": encode_jsonb(call.request.query),
                "target": call.request.target,
                "headers": None if call.request.headers is None else encode_jsonb(call.request.headers),
                "body": call.request.body,
                "idempotency_key": call.request.idempotency_key,
                "send_within": send_within,
            },
        )
        elements += [_element_row(call, position, lease.packs) for position in range(len(call.parts))]
    creating = [part.element.target for call in calls if call.route.creates for part in call.parts]
    await resolve_unknown(connection, lease.account, creating)
    parameters = {"account": lease.account, "elements": encode_jsonb(elements)}
    await connection.execute(SQL["insert_elements"], parameters)


def _element_row(call: Call, position: int, packs: bool) -> Row:
    part = call.parts[position]
    element = part.element
    packed = pack(encode_jsonb(element.body).encode()) if packs and element.body is not None else None
    return {
        "intent_id": call.intent_id,
        "position": position,
        "step": element.step,
        "kind": element.target.kind,
        "record_id": element.target.record_id,
        "transaction_id": element.target.transaction_id,
        "members": part.command_ids,
        "body": element.body if packed is None else None,
        "packed": packed,
        "match": element.xero_id,
        "memory": element.link_facts,
    }


async def resolve_unknown(connection: Connection, account: str, targets: Iterable[StepKey]) -> None:
    """Resolve steps of unknown result that have been cleared up now."""
    wanted = list(targets)
    if wanted:
        await connection.execute(
            SQL["resolve_unknown"],
            {
                "account": account,
                "kind": [t.kind for t in wanted],
                "record_id": [t.record_id for t in wanted],
                "transaction_id": [t.transaction_id for t in wanted],
            },
        )


async def conclude(
    connection: Connection,
    call: Call,
    conclusion: str,
    results: Sequence[str],
    look_up_in: float = 0.0,
    status: int | None = None,
    answer: bytes | None = None,
) -> None:
    """Record how a call ended: its response, and the result of each element (``ok``, ``refused``,
    ``not_applied``, ``unknown``). Unknown ones can be looked up in ``look_up_in`` seconds.
    """
    await connection.execute(
        SQL["conclude_intent"],
        {"intent_id": call.intent_id, "conclusion": conclusion, "status": status, "answer": answer},
    )
    await connection.execute(
        SQL["settle_elements"],
        {
            "intent_id": call.intent_id,
            "position": list(range(len(results))),
            "result": list(results),
            "look_up_in": look_up_in,
        },
    )


async def publish_later(
    connection: Connection, results: Sequence[EntryResult | AccountResult], keys: Sequence[str]
) -> None:
    """Put results into the outbox; they are published once this transaction is committed."""
    if results:
        parameters = {"key": list(keys), "value": [encode_result(result) for result in results]}
        await connection.execute(SQL["outbox_insert"], parameters)
