"""Take commands into the ledger: once each, in order, and distinguish a reused event id from a repeated
event.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connections import store
from contracts.commands import Command, ContactSnapshot, DocumentSnapshot, encode_command
from contracts.results import encode_result
from mappers.texts import label
from runtime.crash_points import crash_point
from runtime.database import fetch_one
from sinks.ledger.entries import entry_of_row, result_of
from sinks.ledger.packing import pack, unpack
from sinks.ledger.store import SQL, Connection, LedgerHeld, snapshots
from sinks.resolve.folding import folded_snapshots
from sinks.xero.elements import encode_jsonb

LANE_CHANNEL = "sbx_lane"
"""PostgreSQL notification: the account named in the payload has new work."""

_encoder = msgspec.json.Encoder(decimal_format="string")
_decoder = msgspec.json.Decoder(ContactSnapshot)
_Key = tuple[str, str, str]
"""Account, entity, record id."""
_Storing = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Trigger:
    """The source of commands that enter the ledger: an event as it arrives, or an operator's replay."""

    name: str = "event"
    actor: str = ""
    perhaps_sent: frozenset[str] = frozenset()
    """Accounts for which the ledger does not know for sure what was sent: Xero is asked before a command is
    planned.
    """
    recovers: bool = False
    """True if it repairs a ledger that is held."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The mark of the intake after a batch, and the ledger that raised it."""

    mark: int
    number: int
    generation: str


_EVENT = Trigger()


async def take_in(
    connection: Connection,
    commands: Sequence[Command],
    by: Trigger = _EVENT,
    raised: Callable[[Raised], None] = lambda _: None,
) -> set[str]:
    """Insert commands that the ledger does not know yet and wake the lanes, in one transaction.

    A command that is known is left alone; one whose event id came before with other content becomes a failed
    entry of its own.

    Args:
        raised: is told the intake's mark before the commit, and may refuse the batch.

    Returns:
        the ids of those that were inserted.

    Raises:
        LedgerHeld: nothing may be taken in until somebody has recovered.
        psycopg.OperationalError: the database is away; nothing was taken in.
    """
    if not commands:
        return set()
    async with connection.transaction():
        commands = await _named(connection, commands)
        stored = await _storing(connection)
        positions = await _insert(connection, commands, by, stored)
        inserted = set(positions)
        known = [c for c in commands if c.command_id not in inserted]
        if known or len(inserted) < len(commands):
            await _refuse_reused(connection, commands, by, stored)
        new = [c for c in commands if c.command_id in inserted]
        await _keep_snapshots(connection, new, positions, stored)
        accounts = sorted({c.account for c in commands if c.command_id in inserted})
        await connection.execute(SQL["wake_lanes"], [LANE_CHANNEL, accounts])
        if not by.recovers:
            raised(await _raise_mark(connection))
        crash_point("intake.before_commit")
    crash_point("intake.after_commit")
    return inserted


async def _storing(connection: Connection) -> _Storing:
    """Return what makes of a body what is stored: packed, once no worker is left that cannot read it so."""
    row = await fetch_one(connection, SQL["packs"])
    return pack if row is not None and row["packs"] else bytes


async def _raise_mark(connection: Connection) -> Raised:
    row = await (await connection.execute(SQL["raise_intake"])).fetchone()
    if row is None:
        raise LedgerHeld("the ledger is behind what was sent from it; run 'sbx recover'")
    return Raised(*row)


async def _named(connection: Connection, commands: Sequence[Command]) -> Sequence[Command]:
    """Return deletions with the known number and party of their record: their events carry only its id, by
    which nobody finds a document in the log.
    """
    nameless = [c for c in commands if c.action == "deleted" and not c.party_name]
    if not nameless:
        return commands
    records = {(c.account, c.entity, c.record_id) for c in nameless}
    known = _newest(commands, {})
    for account in {account for account, _, _ in records}:
        wanted = {(entity, record) for owner, entity, record in records if owner == account}
        for (entity, record), snapshot in (await snapshots(connection, account, wanted)).items():
            known.setdefault((account, entity, record), snapshot)
    return [_with_names(c, known.get((c.account, c.entity, c.record_id))) for c in commands]


def _with_names(command: Command, known: ContactSnapshot | DocumentSnapshot | None) -> Command:
    match known:
        case DocumentSnapshot() if command.action == "deleted":
            number, party = known.number, known.contact.name
        case ContactSnapshot() if command.action == "deleted":
            number, party = "", known.name
        case _:
            return command
    return msgspec.structs.replace(
        command, record_number=command.record_number or number, party_name=command.party_name or label(party)
    )


async def _insert(
    connection: Connection, commands: Sequence[Command], by: Trigger, stored: _Storing
) -> dict[str, int]:
    """Return the positions of those that were inserted, by command id."""
    first = {c.command_id: c for c in reversed(commands)}
    unique = [c for c in commands if first[c.command_id] is c]
    cursor = await connection.execute(
        SQL["insert_commands"],
        {
            "command_id": [c.command_id for c in unique],
            "account": [c.account for c in unique],
            "entity": [c.entity for c in unique],
            "record_id": [c.record_id for c in unique],
            "action": [c.action for c in unique],
            "content_hash": [c.event.content_hash for c in unique],
            "event_time": [c.event.time for c in unique],
            "body": [stored(encode_command(c)) for c in unique],
            "place": [c.event.place for c in unique],
            "triggered_by": by.name,
            "actor": by.actor,
            "perhaps_sent": [c.account in by.perhaps_sent for c in unique],
        },
    )
    return {str(row[0]): row[1] for row in await cursor.fetchall()}


async def _refuse_reused(
    connection: Connection, commands: Sequence[Command], by: Trigger, stored: _Storing
) -> None:
    cursor = await connection.execute(SQL["content_hashes"], [[c.command_id for c in commands]])
    hashes = {str(row[0]): row[1] for row in await cursor.fetchall()}
    for command in commands:
        if hashes[command.command_id] != command.event.content_hash:
            await _insert_reused(connection, command, by, stored)


def reused_id(command_id: str, content_hash: str) -> str:
    """Return the id of the failed entry of a command whose event id came before with other content: made of
    both, so that a replay makes the same one.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{command_id}/{content_hash}"))


async def _insert_reused(connection: Connection, command: Command, by: Trigger, stored: _Storing) -> None:
    """Make a separate entry, which has failed."""
    event = command.event
    own_id = reused_id(command.command_id, event.content_hash)
    own = msgspec.structs.replace(command, command_id=own_id)
    row = await fetch_one(
        connection,
        SQL["insert_reused"],
        {
            "command_id": own_id,
            "account": own.account,
            "entity": own.entity,
            "record_id": own.record_id,
            "action": own.action,
            "content_hash": event.content_hash,
            "event_time": event.time,
            "body": stored(encode_command(own)),
            "reason_args": encode_jsonb({"event_id": event.id}),
            "triggered_by": by.name,
            "actor": by.actor,
        },
    )
    if row is not None:
        addresses = await store.record_addresses(connection, [own.account])
        value = encode_result(result_of(entry_of_row(row), addresses[own.account]))
        await connection.execute(SQL["outbox_insert"], {"key": [own.key], "value": [value]})


async def _keep_snapshots(
    connection: Connection, commands: Sequence[Command], positions: Mapping[str, int], stored: _Storing
) -> None:
    """Remember the newest snapshot of each document and contact, whichever event carried it."""
    newest = _newest(commands, positions)
    if not newest:
        return
    contacts = {key: one for key, one in newest.items() if isinstance(one, ContactSnapshot)}
    if contacts:
        await _keep_contacts(connection, contacts, stored)
    documents = {key: one for key, one in newest.items() if key not in contacts}
    if documents:
        await connection.execute(SQL["upsert_snapshots"], _rows(documents, stored))


async def _keep_contacts(
    connection: Connection, came: Mapping[_Key, ContactSnapshot], stored: _Storing
) -> None:
    """Fold snapshots of customers and suppliers into the known ones, one after the other with any other
    intake of the same records.
    """
    rows = _rows(came, stored)
    cursor = await connection.execute(SQL["insert_snapshots"], rows)
    new = {(row[0], row[1], row[2]) for row in await cursor.fetchall()}
    if len(new) == len(came):
        return
    cursor = await connection.execute(SQL["lock_snapshots"], rows)
    changed = {}
    for account, entity, record, body in await cursor.fetchall():
        key = (account, entity, record)
        if key not in new:
            held = _decoder.decode(unpack(bytes(body)))
            folded = folded_snapshots(held, came[key])
            if folded != held:
                changed[key] = folded
    if changed:
        await connection.execute(SQL["replace_snapshots"], _rows(changed, stored))


def _rows(
    snapshots: Mapping[_Key, ContactSnapshot | DocumentSnapshot], stored: _Storing
) -> dict[str, list[Any]]:
    """Return them as columns, in the order of their keys, in which all workers lock them."""
    ordered = sorted(snapshots.items(), key=lambda item: item[0])
    return {
        "account": [key[0] for key, _ in ordered],
        "entity": [key[1] for key, _ in ordered],
        "record_id": [key[2] for key, _ in ordered],
        "modified": [snapshot.version for _, snapshot in ordered],
        "event_time": [snapshot.event_time for _, snapshot in ordered],
        "body": [stored(_encoder.encode(snapshot)) for _, snapshot in ordered],
    }


def _newest(
    commands: Sequence[Command], positions: Mapping[str, int]
) -> dict[tuple[str, str, str], ContactSnapshot | DocumentSnapshot]:
    """Return, by account, entity and record id, the newest snapshot among the commands.

    Of two with equal stamps, the later one counts. Those of a contact are folded.
    """
    newest: dict[tuple[str, str, str], ContactSnapshot | DocumentSnapshot] = {}
    for command in commands:
        for entity, brought in _snapshots_of(command):
            key = (command.account, entity, brought.record_id)
            snapshot = msgspec.structs.replace(brought, position=positions.get(command.command_id, 0))
            held = newest.get(key)
            newest[key] = snapshot if held is None else _newer(held, snapshot)
    return newest


def _newer(
    held: ContactSnapshot | DocumentSnapshot, came: ContactSnapshot | DocumentSnapshot
) -> ContactSnapshot | DocumentSnapshot:
    if isinstance(held, ContactSnapshot) and isinstance(came, ContactSnapshot):
        return folded_snapshots(held, came)
    return came if held.stamp <= came.stamp else held


def _snapshots_of(command: Command) -> list[tuple[str, ContactSnapshot | DocumentSnapshot]]:
    found: list[tuple[str, ContactSnapshot | DocumentSnapshot]] = []
    contact = command.contact
    if command.document is not None:
        if command.action in ("created", "edited"):
            found.append((command.entity, command.document))
        contact = command.document.contact
    if contact is not None:
        found.append((contact.side, contact))
    return found
