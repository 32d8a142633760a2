"""Who did what, when, from where, and what came of it: written down before it is done, and after."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec

from runtime.database import fetch_all
from runtime.sql import load_queries
from sbx.actions.actors import Actor, Connection
from sbx.actions.refused import ActionRefused

NOTE_LENGTH = 500

_SQL = load_queries(__file__)


def checked_note(note: str, *, needed: bool) -> str:
    """Return the note without blanks around it.

    Raises:
        ActionRefused: it is too long, or it is needed and blank.
    """
    note = note.strip()
    if needed and not note:
        raise ActionRefused("bad_request", "Say why, for whoever reads the log later.", field="note")
    if len(note) > NOTE_LENGTH or "\0" in note:
        raise ActionRefused("bad_request", f"A note has up to {NOTE_LENGTH} characters.", field="note")
    return note


async def begin(
    connection: Connection, actor: Actor, address: str, act: str, target: dict[str, Any], note: str
) -> int:
    """Write down, before it is done, who does what to what; return the number of the record.

    Args:
        address: where they are: the address of a browser or a program, ``cli`` for the command line.
    """
    parameters = {
        "actor": actor.name,
        "address": address,
        "act": act,
        "target": msgspec.json.encode(target).decode(),
        "note": note,
    }
    row = await (await connection.execute(_SQL["begin"], parameters)).fetchone()
    assert row is not None
    return int(row[0])


async def end(connection: Connection, number: int, result: dict[str, Any]) -> None:
    """Write down what came of it."""
    encoded = msgspec.json.encode(result).decode()
    await connection.execute(_SQL["end"], {"id": number, "result": encoded})


@asynccontextmanager
async def recorded(
    connection: Connection, actor: Actor, address: str, act: str, target: dict[str, Any], note: str = ""
) -> AsyncIterator[dict[str, Any]]:
    """Write down an act around a block; what the block puts into the mapping is what came of it."""
    number = await begin(connection, actor, address, act, target, note)
    result: dict[str, Any] = {}
    try:
        yield result
    except Exception as error:
        await end(connection, number, {"error": str(error)})
        raise
    await end(connection, number, result)


@dataclass(frozen=True, slots=True)
class WantedActs:
    """Which acts: all that are given must hold."""

    actor: str | None = None
    act: str | None = None
    account: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Only those that were begun before the act of this number."""


async def acts(connection: Connection, actor: Actor, wanted: WantedActs, limit: int) -> list[dict[str, Any]]:
    """Return acts, the newest first: ``id, at, actor, address, act, target, note, ended_at, result``.

    Whoever sees some accounts only sees the acts on these, and their own.
    """
    parameters = asdict(wanted) | {
        "accounts": None if actor.accounts is None else list(actor.accounts),
        "own": actor.name,
        "limit": limit,
    }
    return await fetch_all(connection, _SQL["acts"], parameters)


async def kinds(connection: Connection) -> list[str]:
    """Return the names of the acts that there have been."""
    rows = await (await connection.execute(_SQL["kinds"])).fetchall()
    return [row[0] for row in rows]


def on_what(row: dict[str, Any]) -> str:
    """What the act was on, in a line: ``acme``, ``3 entries of acme``, ``payment_account=090``."""
    target: dict[str, Any] = row["target"]
    said = []
    if entries := target.get("entries"):
        said.append(f"{len(entries):,} {'entry' if len(entries) == 1 else 'entries'}")
    for name, value in target.items():
        if name in ("entries", "account") or value in (None, "", [], {}):
            continue
        if isinstance(value, dict):
            said += [f"{key}={'' if inner is None else inner}" for key, inner in value.items()]
        elif isinstance(value, list):
            said.append(f"{len(value):,} {name}")
        else:
            said.append(f"{name.replace('_', ' ')} {value}")
    return ", ".join([*([str(target["account"])] if target.get("account") else []), *said])


def came_of(row: dict[str, Any]) -> str:
    """What came of it, in a line; ``not finished`` where nobody wrote it down."""
    result: dict[str, Any] | None = row["result"]
    if result is None:
        return "not finished"
    if "error" in result:
        return f"refused: {result['error']}"
    shown = []
    for name, value in result.items():
        if name in ("shown", "followed") or value in (None, "", [], {}):
            continue
        shown.append(f"{name.replace('_', ' ')} {len(value) if isinstance(value, list) else value}")
    return ", ".join(shown) or "done"
