"""Choose the next rows of the ledger that go to the archive, and take them out, in one small transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runtime.archive import Part
from runtime.database import Connection, Row, fetch_all, fetch_one
from runtime.sql import load_queries
from sinks.archive.rows import elements_to_go, key_of, left_of_commands
from sinks.ledger.packing import element_body

COMMANDS = 200
"""Actions that a bite looks at, at most."""
CALLS = 100
"""Calls that a bite looks at, at most."""
BYTES = 4_000_000
"""Bytes of bodies after which a bite looks at no further action or call: most have some kilobytes, some have
megabytes.
"""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Begun:
    """A bite may be taken."""

    archive_id: str
    claimed: bool
    """True if a directory has been given the id before."""
    before: datetime
    """What ended before that goes: the first moment of the month that is kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a round has come with the actions of an account."""

    time: datetime = _BEGINNING
    seq: int = 0


@dataclass(frozen=True, slots=True)
class CallPlace:
    """How far a round has come with the calls of an account."""

    time: datetime = _BEGINNING
    intent_id: str = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What goes in a bite, and where the next one begins (None: nothing is left of the account)."""

    commands: Sequence[Row] = ()
    elements: Sequence[Row] = ()
    next: Place | None = None
    whole: frozenset[str] = frozenset()
    """Ids of actions whose bodies stay all the same: of each customer and supplier the newest."""


@dataclass(frozen=True, slots=True)
class ChosenCalls:
    """What goes in a bite of calls, and where the next one begins."""

    to_write: Sequence[Row] = ()
    """Calls that are not in the archive yet."""
    to_narrow: Sequence[str] = ()
    """Ids of calls whose elements are needed."""
    to_forget: Sequence[str] = ()
    next: CallPlace | None = None


async def begin(connection: Connection, worker: str, days: int) -> Begun | None:
    """Return what the bite needs to know; None if another worker is at it, the ledger is held, or it is too
    early after an upgrade.
    """
    await connection.execute(_SQL["short"])
    row = await fetch_one(connection, _SQL["begin"], {"worker": worker, "days": days})
    return None if row is None else Begun(row["id"], row["claimed"], row["before"])


async def claimed(connection: Connection) -> None:
    """Note that a directory has the id of this database's archive."""
    await connection.execute(_SQL["claim"])


async def tell(connection: Connection, problem: str, remedy: str) -> None:
    """Note why nothing goes to the archive, until the next bite."""
    await connection.execute(_SQL["tell"], {"problem": problem, "remedy": remedy})


async def account_after(connection: Connection, after: str, before: datetime) -> str | None:
    """Return the next account with something that ended before that, or None."""
    row = await fetch_one(connection, _SQL["accounts"], {"after": after, "before": before})
    return None if row is None else row["account"]


async def choose(connection: Connection, account: str, before: datetime, after: Place) -> Chosen:
    """Return the next actions that go, locked, with all that was sent for their records."""
    parameters: dict[str, Any] = {"account": account, "before": before}
    found = await fetch_all(
        connection,
        _SQL["candidates"],
        {**parameters, "after_time": after.time, "after_seq": after.seq, "limit": COMMANDS, "bytes": BYTES},
    )
    if not found:
        return Chosen()
    last = Place(found[-1]["finished_at"], found[-1]["seq"])
    records = sorted({(row["entity"], row["record_id"]) for row in found})
    resting = await fetch_all(connection, _SQL["resting"], {**parameters, **_columns(records)})
    records = [(row["entity"], row["record_id"]) for row in resting]
    if not records:
        return Chosen(next=last)
    upto = {"upto_time": last.time, "upto_seq": last.seq}
    locked = await fetch_all(connection, _SQL["commands"], {**parameters, **_columns(records), **upto})
    whole = frozenset(str(row["command_id"]) for row in locked if row.pop("whole"))
    commands = [{**row, "command_id": str(row["command_id"])} for row in locked]
    keys = sorted({key_of(row["entity"], row["record_id"]) for row in commands})
    rows = await fetch_all(connection, _SQL["elements"], {"account": account, "keys": keys})
    elements = [_without_packing(row) for row in rows]
    return Chosen(commands, elements_to_go(elements, before), last, whole)


async def take_out(connection: Connection, account: str, chosen: Chosen) -> None:
    """Leave of the actions what tells that they are done; take out their steps and what was sent."""
    await connection.execute(_SQL["forget_steps"], [[row["command_id"] for row in chosen.commands]])
    await connection.execute(_SQL["narrow"], left_of_commands(chosen.commands, chosen.whole))
    await connection.execute(_SQL["narrow_older"], {"command_ids": list(chosen.whole)})
    parameters: dict[str, Any] = {
        "intent_ids": [row["intent_id"] for row in chosen.elements],
        "positions": [row["position"] for row in chosen.elements],
    }
    await connection.execute(_SQL["forget_elements"], parameters)
    keys = sorted({row["record_id"] for row in chosen.commands})
    await connection.execute(_SQL["forget_unread"], {"account": account, "keys": keys})


async def choose_calls(
    connection: Connection, account: str, before: datetime, after: CallPlace
) -> ChosenCalls:
    """Return the next calls that go: whole, or, if something of them is needed, all that is wide of them."""
    parameters = {"account": account, "before": before, "after_time": after.time, "after_id": after.intent_id}
    found = await fetch_all(connection, _SQL["calls"], {**parameters, "limit": CALLS, "bytes": BYTES})
    if not found:
        return ChosenCalls()
    new = [row for row in found if not row["archived"]]
    return ChosenCalls(
        [{name: value for name, value in row.items() if name not in ("archived", "needed")} for row in new],
        [row["intent_id"] for row in new if row["needed"]],
        [row["intent_id"] for row in found if not row["needed"]],
        CallPlace(found[-1]["created_at"], found[-1]["intent_id"]),
    )


async def take_out_calls(connection: Connection, chosen: ChosenCalls) -> None:
    """Take the calls out, or what is wide of them."""
    await connection.execute(_SQL["narrow_calls"], [list(chosen.to_narrow)])
    await connection.execute(_SQL["forget_calls"], [list(chosen.to_forget)])


async def note(connection: Connection, part: Part) -> None:
    """Note a file of the archive."""
    parameters = {
        "account": part.account,
        "month": part.month,
        "name": part.name,
        "lines": part.lines,
        "bytes": part.bytes,
        "sha256": part.sha256,
    }
    await connection.execute(_SQL["note_part"], parameters)


async def noted(connection: Connection, account: str | None = None) -> list[Part]:
    """Return the files that the archive must have, of an account or of all."""
    return [Part(**row) for row in await fetch_all(connection, _SQL["parts"], {"account": account})]


def _without_packing(element: Row) -> Row:
    return {name: value for name, value in element.items() if name != "packed"} | {
        "body": element_body(element)
    }


def _columns(records: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"entities": [entity for entity, _ in records], "records": [record for _, record in records]}


_SQL = load_queries(__file__)
