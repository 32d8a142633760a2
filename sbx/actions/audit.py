"""Who did what, when, from where, and with what result: recorded by the transaction that does it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec

from runtime.crash_points import crash_point
from runtime.database import fetch_all
from runtime.sql import load_queries
from sbx.actions.actors import Actor, Connection
from sbx.actions.refused import ActionRefused, one_of

Kind = Literal[
    "add_user",
    "cancel replay",
    "connect",
    "decide",
    "drift_adopt",
    "drift_read",
    "drift_resend",
    "end_session",
    "facts",
    "link",
    "mute",
    "pause",
    "reconcile",
    "recover",
    "remove_user",
    "replay",
    "resume",
    "resume replay",
    "retry",
    "revoke",
    "rotate_secrets",
    "set_password",
    "set_role",
    "settings",
    "setup",
    "skip",
    "source_backfill",
    "source_backfill_cancel",
    "source_connect",
    "source_feed",
    "source_hook",
    "source_set",
    "token",
    "topics_skip",
    "unmute",
]
"""The kinds of acts, as the list of acts shows them."""
KINDS: tuple[Kind, ...] = get_args(Kind)
NOTE_LENGTH = 500

_SQL = load_queries(__file__)


def checked_note(note: str, *, needed: bool) -> str:
    """Return the note without blanks around it.

    Raises:
        ActionRefused: it is too long, or required and blank.
    """
    note = note.strip()
    if needed and not note:
        raise ActionRefused("bad_request", "Give a reason for later readers of the log.", field="note")
    if len(note) > NOTE_LENGTH or "\0" in note:
        raise ActionRefused("bad_request", f"A note has up to {NOTE_LENGTH} characters.", field="note")
    return note


@dataclass(slots=True)
class Record:
    """An act as it is recorded."""

    number: int
    result: dict[str, Any] = field(default_factory=dict)
    """The result, for the acting code to fill in."""


@asynccontextmanager
async def recorded(
    connection: Connection, actor: Actor, act: Kind, target: dict[str, Any], note: str = ""
) -> AsyncIterator[Record]:
    """Run the block and record its act, in one transaction; neither if it raises.

    Args:
        target: the thing that it acts on; its ``account``, if it has one, decides who sees the act.
    """
    record = Record(0)
    async with going_on(connection, record):
        record.number = await _begin(connection, actor, act, target, note)
        yield record


@asynccontextmanager
async def going_on(connection: Connection, record: Record) -> AsyncIterator[None]:
    """Do another part of an act, and record the result so far, in one transaction."""
    async with connection.transaction():
        yield
        await _end(connection, record)
        crash_point("act.before_commit")
    crash_point("act.after_commit")


@asynccontextmanager
async def announced(
    connection: Connection, actor: Actor, act: Kind, target: dict[str, Any]
) -> AsyncIterator[Record]:
    """Record an act before it is done, and its result afterwards: for acts that no single transaction of the
    database can hold, such as a change to Kafka.
    """
    record = Record(await _begin(connection, actor, act, target, ""))
    try:
        yield record
    except Exception as error:
        record.result["error"] = str(error)
        await _end(connection, record)
        raise
    await _end(connection, record)


async def _begin(connection: Connection, actor: Actor, act: Kind, target: dict[str, Any], note: str) -> int:
    parameters = {
        "actor": actor.name,
        "address": actor.address,
        "act": act,
        "target": msgspec.json.encode(target).decode(),
        "note": note,
    }
    row = await (await connection.execute(_SQL["begin"], parameters)).fetchone()
    assert row is not None
    return int(row[0])


async def _end(connection: Connection, record: Record) -> None:
    encoded = msgspec.json.encode(record.result).decode()
    await connection.execute(_SQL["end"], {"id": record.number, "result": encoded})


@dataclass(frozen=True, slots=True)
class WantedActs:
    """Filters on acts; all that are given must match."""

    actor: str | None = None
    act: Kind | None = None
    account: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    """Only those begun before the act with this number."""


async def acts(connection: Connection, actor: Actor, wanted: WantedActs, limit: int) -> list[dict[str, Any]]:
    """Return acts, newest first: ``id, at, actor, address, act, target, note, ended_at, result``.

    An actor who sees only some accounts sees the acts on these, and their own.
    """
    parameters = asdict(wanted) | {
        "accounts": None if actor.accounts is None else list(actor.accounts),
        "own": actor.name,
        "limit": limit,
    }
    return await fetch_all(connection, _SQL["acts"], parameters)


def known_kind(text: str | None) -> Kind | None:
    """Return the kind of act of this name; none for none.

    Raises:
        ActionRefused: there is no such kind.
    """
    return None if text is None else one_of(text, KINDS, "act")


def on_what(row: dict[str, Any]) -> str:
    """Return the target of the act in a line: ``acme``, ``3 entries of acme``, ``payment_account=090``."""
    target: dict[str, Any] = row["target"]
    said = []
    if entries := target.get("entries"):
        said.append(f"{len(entries):,} {'entry' if len(entries) == 1 else 'entries'}")
    for name, value in target.items():
        if name in ("entries", "account") or value in (None, "", [], {}):
            continue
        if isinstance(value, dict):
            said += [f"{k}={_text(inner)}" for k, inner in value.items() if k != "account"]
        elif isinstance(value, list):
            said.append(f"{len(value):,} {name}")
        else:
            said.append(f"{name.replace('_', ' ')} {value}")
    account = target.get("account") or target.get("filters", {}).get("account")
    return ", ".join([*([str(account)] if account else []), *said])


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def came_of(row: dict[str, Any]) -> str:
    """Return its result, in a line; ``not finished`` if none was recorded."""
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
