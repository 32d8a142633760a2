"""Find out who changed an object that differs, from Xero's history of the object, read once per change.

``GET /{Endpoint}/{Guid}/History`` (``HistoryRecords`` of Xero's OpenAPI description: ``Changes``, ``User``,
``DateUTC``, ``Details``). Changes made through an app, ours or another one, are by ``System Generated``
there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.json import JsonObject
from runtime.database import fetch_one
from runtime.sql import load_queries
from sinks.drift.compare import moment_of
from sinks.lanes.lane import Lane
from sinks.lanes.single_get import read
from sinks.ledger import store as ledger
from sinks.xero.client import Request
from sinks.xero.responses import decode

MOST = 50
"""Objects per reading; if more differ, the next reading asks for the others."""
_NOBODY = "System Generated"
_NO_CHANGE = "Note"
"""A remark that somebody has left."""

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Changed:
    """An object in Xero that differs."""

    kind: str
    xero_id: str


async def next_changed(connection: ledger.Connection, account: str, run_id: str) -> Changed | None:
    """Return the object whose history comes next; None if all are known, or enough was asked."""
    parameters = {"account": account, "run_id": run_id, "most": MOST}
    row = await fetch_one(connection, _SQL["next_changed"], parameters)
    return None if row is None else Changed(row["kind"], row["xero_id"])


async def look(lane: Lane, run_id: str, changed: Changed, endpoint: str) -> None:
    """Ask for the history of one object and keep who changed it. One that Xero does not show names nobody.

    Raises:
        NoUsableAnswer: Xero did not answer; the same is to be asked again.
        LeaseLost: another worker goes on with it.
    """
    answer = await read(lane, Request("GET", f"/{endpoint}/{changed.xero_id}/History", {}, None, None))
    document = decode(answer.body) if answer.status == 200 else None
    records = document.get("HistoryRecords") if isinstance(document, Mapping) else None
    name, at = last_person(one for one in records or () if isinstance(one, Mapping))
    async with lane.transaction("history") as connection:
        noted = {
            "account": lane.account,
            "xero_id": changed.xero_id,
            "changed_by": name,
            "changed_by_at": at,
        }
        await connection.execute(_SQL["note"], noted)
        await connection.execute(_SQL["count"], {"run_id": run_id})


def last_person(records: Iterable[JsonObject]) -> tuple[str, datetime | None]:
    """Return who made the newest change by hand, and when; ``""`` if nobody is named. In any order."""
    found: tuple[str, datetime | None] = ("", None)
    for record in records:
        name, at = str(record.get("User") or "").strip(), _moment(record)
        if name and name != _NOBODY and record.get("Changes") != _NO_CHANGE and at is not None:
            found = max(found, (name, at), key=lambda one: one[1].timestamp() if one[1] else float("-inf"))
    return found


def _moment(record: JsonObject) -> datetime | None:
    return moment_of(record.get("DateUTC")) or moment_of(record.get("DateUTCString"))
