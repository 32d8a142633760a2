"""Which rows of the ledger go to the archive, what stays of them, and how they are written. Pure."""

import base64
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.commands import decode_command, left_of
from runtime.database import Row
from sinks.drift.compare import fields_of
from sinks.ledger.packing import unpack

_CONTACTS = ("customer", "supplier")
_TAKEN = ("ok", "resolved")
_encoder = msgspec.json.Encoder(decimal_format="string")


def month_of(moment: datetime) -> str:
    """Return the month in UTC: ``2025-06``."""
    return f"{moment.astimezone(UTC):%Y-%m}"


def key_of(entity: str, record_id: str) -> str:
    """Return the record id under which what was sent for a record is kept."""
    return f"{entity}/{record_id}" if entity in _CONTACTS else record_id


def months_of(commands: Sequence[Row]) -> dict[str, str]:
    """Return, by command id, the month in whose file each goes: a document whole with its newest action, an
    action of a customer or supplier by itself.
    """
    newest: dict[tuple[str, str], datetime] = {}
    for row in commands:
        record = row["entity"], row["record_id"]
        newest[record] = max(newest.get(record, row["finished_at"]), row["finished_at"])
    return {
        row["command_id"]: month_of(
            row["finished_at"] if row["entity"] in _CONTACTS else newest[row["entity"], row["record_id"]]
        )
        for row in commands
    }


def left_of_commands(commands: Sequence[Row], whole: Collection[str] = frozenset()) -> dict[str, list[Any]]:
    """Return what stays of each command, as the parameters of ``narrow``.

    Args:
        whole: ids of those whose bodies stay.
    """
    read = [decode_command(unpack(bytes(row["body"]))) for row in commands]
    return {
        "command_ids": [row["command_id"] for row in commands],
        "bodies": [
            bytes(row["body"]) if row["command_id"] in whole else left_of(command)
            for row, command in zip(commands, read, strict=True)
        ],
        "places": [command.event.place for command in read],
    }


def elements_to_go(elements: Sequence[Row], before: datetime) -> list[Row]:
    """Return the elements that go: of documents all of these, of contacts those without which the fields that
    were sent are still known. Nothing goes of a record that somebody has begun to send again meanwhile.

    Args:
        elements: everything that was sent for the records of a bite, the newest first.
        before: only what was sent before that goes.
    """
    busy = {one["record_id"] for one in elements if one["result"] in ("open", "unknown")}
    sent: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    going = []
    for one in elements:
        if one["kind"] == "contact" and one["body"] is not None and one["result"] in _TAKEN:
            known = sent[one["record_id"], one["match"]]
            fields = fields_of([one["body"]])
            if fields - known:
                known |= fields
                continue
        if one["created_at"] < before and one["record_id"] not in busy:
            going.append(one)
    return going


def line(row: str, values: Mapping[str, Any]) -> bytes:
    """Return a row as a line of the archive.

    Args:
        row: what it is: ``command``, ``element``, ``call``, ``entry``, ``step`` or ``attempt``.
    """
    return _encoder.encode({"row": row, **{name: _shown(value) for name, value in values.items()}})


def lines_of_commands(commands: Iterable[Row]) -> dict[str, bytes]:
    """Return the line of each command, by its id; its body is an object of the line, not a text."""
    return {
        row["command_id"]: line("command", {**row, "body": msgspec.Raw(unpack(bytes(row["body"])))})
        for row in commands
    }


def _shown(value: Any) -> Any:
    """Return bytes as text; those that are none in base64."""
    if not isinstance(value, bytes | memoryview):
        return value
    raw = bytes(value)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(raw).decode()}
