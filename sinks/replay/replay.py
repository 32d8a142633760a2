"""Take in events that are read again from their topics, depending on what the ledger knows of them.

Completed work costs nothing: an event whose command has completed, or is queued or running, is left alone. An
event that the ledger does not know is taken in as the intake does it; a failed one is tried again as a retry
does it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from contracts.commands import Command, command_id
from contracts.events.reader import ChangeEvent
from contracts.results import EntryResult
from mappers import to_command
from runtime.database import fetch_all
from runtime.sql import load_queries
from sinks.ledger import commands as operators
from sinks.ledger import store as ledger
from sinks.ledger.entries import entry_of_row, now_utc
from sinks.ledger.intake import Trigger, reused_id, take_in
from sinks.recover.taking_up import ask_about

SQL = load_queries(__file__)

Standing = Literal["done", "under_way", "failed", "unknown", "event_id_reused", "overtaken"]
"""The state of an event in the ledger. ``unknown`` is not there, ``event_id_reused`` has failed and cannot be
retried, and ``overtaken`` would undo in Xero the work of later events: it is not there, or failed for that
reason.
"""
TRIGGER = "replay"
LOCK = 0x53425852  # "SBXR": one replay at a time; the view integrations_log.replays knows the number, too
_REMOVALS = ("reset", "cancelled", "deleted")


@dataclass(frozen=True)
class Read:
    """A change event and the place at which it was read."""

    event: ChangeEvent
    topic: str
    partition: int
    offset: int
    dead_letters: tuple[str, ...] = ()
    """Ids that its entry in the log has if it was a dead letter before: the one made with its bytes, then the
    one made of its place alone.
    """

    @cached_property
    def command_id(self) -> str:
        """The id of the command that it makes."""
        return command_id(self.event.source, self.event.id)

    @cached_property
    def command(self) -> Command:
        """The event's command, as the transform stage maps it."""
        return to_command(self.event, self.topic, self.partition, self.offset)


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done with a batch."""

    inserted: int
    retried: int


async def not_done(
    connection: ledger.Connection, command_ids: Sequence[str], places: Sequence[str]
) -> set[int]:
    """Return which of these (by their position) the ledger does not know as done by the message at that
    place.

    A message never changes, so the same place means the same content.
    """
    if not command_ids:
        return set()
    parameters = {"command_ids": list(command_ids), "places": list(places)}
    cursor = await connection.execute(SQL["not_done"], parameters)
    return {row[0] - 1 for row in await cursor.fetchall()}


async def look_up(connection: ledger.Connection, reads: Sequence[Read]) -> list[Standing]:
    """Return the state of each of the events in the ledger, in their order."""
    if not reads:
        return []
    known = await _known(connection, [read.command_id for read in reads])
    other = {
        read.command_id: reused_id(read.command_id, read.event.content_hash)
        for read in reads
        if read.command_id in known and known[read.command_id][1] != read.event.content_hash
    }
    reused = await _known(connection, list(other.values())) if other else {}
    found: list[Standing] = []
    for read in reads:
        row = known.get(read.command_id)
        if row is not None and row[1] != read.event.content_hash:
            found.append("event_id_reused" if other[read.command_id] in reused else "unknown")
        else:
            found.append(_standing(row[0], row[2]) if row else "unknown")
    late = await _overtaken(connection, [r for r, s in zip(reads, found, strict=True) if s == "unknown"])
    return ["overtaken" if id(read) in late else s for read, s in zip(reads, found, strict=True)]


async def apply(
    connection: ledger.Connection, reads: Sequence[Read], standings: Sequence[Standing], actor: str
) -> Applied:
    """Take in unknown events, in the order of ``reads``, and try failed ones again; part of the caller's
    transaction. Everything else is left alone.
    """
    by_standing: dict[Standing, list[Read]] = {}
    for read, standing in zip(reads, standings, strict=True):
        by_standing.setdefault(standing, []).append(read)
    inserted = await _insert(connection, by_standing.get("unknown", []), actor)
    failed = [read.command_id for read in by_standing.get("failed", [])]
    retried = await operators.retry(connection, failed, actor, TRIGGER) if failed else []
    await _fail_overtaken(connection, by_standing.get("overtaken", []), actor)
    return Applied(inserted, len(retried))


async def cancel(connection: ledger.Connection, replay_id: int) -> str | None:
    """Ask a replay that is at work to end behind its batch (``cancelling``), or note that one that died is
    not to go on (``cancelled``). None: it has ended, or there is no such replay.
    """
    row = await (await connection.execute(SQL["locked"], [LOCK])).fetchone()
    parameters = {"replay_id": replay_id, "locked": bool(row and row[0])}
    row = await (await connection.execute(SQL["cancel"], parameters)).fetchone()
    if row is None:
        return None
    return "cancelling" if row[0] == "running" else str(row[0])


def _standing(state: str, reason_code: str | None) -> Standing:
    match state:
        case "completed":
            return "done"
        case "failed":
            return "overtaken" if reason_code == "overtaken" else "failed"
        case _:
            return "under_way"


async def _known(connection: ledger.Connection, ids: Sequence[str]) -> dict[str, tuple[str, str, str | None]]:
    """Return state, content hash and reason code by command id."""
    cursor = await connection.execute(SQL["known"], [list(ids)])
    return {str(row[0]): (row[1], row[2], row[3]) for row in await cursor.fetchall()}


async def _overtaken(connection: ledger.Connection, reads: Sequence[Read]) -> set[int]:
    """Return those (by ``id``) that would undo in Xero the work of later events in the log: positions are
    given on arrival, so they would come after these.
    """
    removals = [read for read in reads if read.event.action in _REMOVALS]
    if not removals:
        return set()
    events = [read.event for read in removals]
    cursor = await connection.execute(
        SQL["done_since"],
        {
            "account": [e.account for e in events],
            "entity": [e.entity for e in events],
            "record_id": [e.subject for e in events],
        },
    )
    newest = {
        (account, entity, record): offset
        for account, entity, record, offset in await cursor.fetchall()
        if offset is not None
    }
    return {
        id(read)
        for read in removals
        if newest.get((read.event.account, read.event.entity, read.event.subject), -1) > read.offset
    }


async def _insert(connection: ledger.Connection, reads: Sequence[Read], actor: str) -> int:
    if not reads:
        return 0
    commands = [read.command for read in reads]
    accounts = frozenset(command.account for command in commands)
    inserted = await take_in(connection, commands, Trigger(TRIGGER, actor, perhaps_sent=accounts))
    for account in sorted({c.account for c in commands if c.command_id in inserted}):
        await ask_about(connection, account, actor)
    await _go_on_counting(connection, inserted)
    rows = await fetch_all(connection, ledger.SQL["commands_by_id"], [list(inserted)])
    await operators.publish(connection, [entry_of_row(row) for row in rows])
    await _supersede_dead_letters(connection, [read for read in reads if read.command_id in inserted], actor)
    return len(inserted)


async def _go_on_counting(connection: ledger.Connection, ids: set[str]) -> None:
    """Give them versions above those that the log has seen: otherwise it would take new ones for old."""
    logged = await _logged(connection, list(ids))
    if logged:
        versions = {"entry_id": list(logged), "version": [version + 1 for version in logged.values()]}
        await connection.execute(SQL["raise_versions"], versions)


async def _logged(connection: ledger.Connection, ids: Sequence[str]) -> dict[str, int]:
    """Return the version in the log by entry id."""
    cursor = await connection.execute(SQL["logged"], [list(ids)])
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def _supersede_dead_letters(connection: ledger.Connection, reads: Sequence[Read], actor: str) -> None:
    """Supersede the failed entry of a former dead letter that can be read now."""
    dead_letters = [(letter, read) for read in reads for letter in read.dead_letters]
    if not dead_letters:
        return
    parameters = {
        "entry_id": [letter for letter, _ in dead_letters],
        "event_id": [read.event.id for _, read in dead_letters],
        "record_id": [read.event.subject for _, read in dead_letters],
    }
    rows = await fetch_all(connection, SQL["to_dead_letters"], parameters)
    now = now_utc()
    results = [
        EntryResult(**row, state="completed", outcome="superseded", finished_at=now, actor=actor)
        for row in rows
    ]
    await ledger.publish_later(connection, results, [f"{r.account}/{r.record_id}" for r in results])


async def _fail_overtaken(connection: ledger.Connection, reads: Sequence[Read], actor: str) -> None:
    """Insert them into the ledger as failed, so that the log shows them and an operator can skip them; a
    second replay finds them there.
    """
    if not reads:
        return
    inserted = await take_in(connection, [read.command for read in reads], Trigger(TRIGGER, actor))
    await _go_on_counting(connection, inserted)
    rows = await fetch_all(connection, SQL["fail_overtaken"], {"command_ids": list(inserted)})
    await operators.publish(connection, [entry_of_row(row) for row in rows])
