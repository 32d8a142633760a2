"""What an operator does with single commands: try again, or leave it. One transaction of the ledger each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row, dict_row

from connections import store
from connections.crash_points import crash_point
from connections.sql import load_queries
from contracts.reasons import warning
from sinks import ledger
from sinks.entries import Entry, entry_of_row, result_of
from sinks.intake import LANE_CHANNEL
from sinks.steps import encode_memory

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a command stands, and who acted on it last (``""``: nobody)."""

    command_id: str
    state: str
    outcome: str | None
    reason_code: str | None
    actor: str


async def retry(
    connection: ledger.Connection, command_ids: Sequence[str], actor: str, triggered_by: str = "retry"
) -> list[str]:
    """Queue failed commands again; they are planned anew, with today's settings.

    A created or edited action is planned from the newest known snapshot. An event id that came with other
    content cannot be retried, nor can what has not failed.

    Returns:
        the ids that were queued, in the order of their positions.
    """
    parameters = {"command_ids": list(command_ids), "actor": actor, "triggered_by": triggered_by}
    return await _change(connection, "retry", parameters)


async def resend(connection: ledger.Connection, command_ids: Sequence[str], actor: str) -> list[str]:
    """Queue completed or failed commands again because Xero no longer shows what they put there.

    They are planned as what is retried is: from the newest known snapshot, by today's settings and rules.

    Returns:
        the ids that were queued, in the order of their positions.
    """
    return await _change(connection, "resend", {"command_ids": list(command_ids), "actor": actor})


async def skip(
    connection: ledger.Connection, command_ids: Sequence[str], actor: str, note: str = ""
) -> list[str]:
    """End commands as they are, without doing anything in Xero; their records' later actions go on.

    What is running cannot be skipped, nor what has completed. ``note`` says why, for the log.

    Returns:
        the ids that were ended, in the order of their positions.
    """
    said = [warning("skipped", actor=actor, note=note)] if note.strip() else []
    parameters = {"command_ids": list(command_ids), "actor": actor, "warnings": encode_memory(said)}
    return await _change(connection, "skip", parameters)


async def standing(connection: ledger.Connection, command_ids: Sequence[str]) -> dict[str, Standing]:
    """Where these commands stand now, by their ids; what the ledger does not know is left out."""
    async with connection.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(_SQL["standing"], {"command_ids": list(command_ids)})
        return {found.command_id: found for found in await cursor.fetchall()}


async def _change(connection: ledger.Connection, name: str, parameters: Mapping[str, Any]) -> list[str]:
    async with connection.transaction():
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL[name], parameters)
            entries = sorted((entry_of_row(row) for row in await cursor.fetchall()), key=lambda e: e.seq)
        await publish(connection, entries)
        for account in sorted({entry.command.account for entry in entries}):
            await connection.execute("SELECT pg_notify(%s, %s)", [LANE_CHANNEL, account])
        crash_point("retry.before_commit")
    crash_point("retry.after_commit")
    return [entry.command_id for entry in entries]


async def publish(connection: ledger.Connection, entries: Sequence[Entry]) -> None:
    """Tell the log of entries as they are now, with links to SalesBinder and Xero."""
    connections = await store.load_many(connection, {entry.command.account for entry in entries})
    results = []
    for entry in entries:
        found = connections.get(entry.command.account)
        if found is None:
            results.append(result_of(entry))
        else:
            short_code = found.facts.short_code if found.facts else ""
            results.append(result_of(entry, found.settings.document_url, short_code))
    await ledger.publish_later(connection, results, [entry.command.key for entry in entries])
