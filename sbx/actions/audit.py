"""Who did what, when, from where, and what came of it: written down before it is done, and after."""

from typing import Any

import msgspec

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
