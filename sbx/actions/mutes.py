"""Issues muted until a day, with a reason: somebody knows, and nothing needs to be done before."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from log_projection.queries import Row
from runtime.database import fetch_all
from runtime.sql import load_queries
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.refused import ActionRefused
from sbx.actions.scoped_log import VisibleLog

LONGEST = timedelta(days=366)

_SQL = load_queries(__file__)


async def standing(connection: Connection, actor: Actor) -> dict[str, dict[str, Any]]:
    """Return the issues muted now, by issue."""
    parameters = {"accounts": None if actor.accounts is None else list(actor.accounts)}
    rows = await fetch_all(connection, _SQL["standing"], parameters, prepare=False)
    return {row["issue_id"]: row for row in rows}


async def issues(
    connection: Connection, actor: Actor, account: str | None, limit: int, page: int
) -> tuple[list[Row], bool]:
    """Return a page of current failures by cause, each with its mute (all fields None if it
    has none), and whether there are more.
    """
    muted = await standing(connection, actor)
    found = await VisibleLog(connection, actor).issues(account, limit=limit + 1, offset=(page - 1) * limit)
    return [issue | _said(muted.get(issue["issue_id"])) for issue in found[:limit]], len(found) > limit


async def mute(database: Database, actor: Actor, issue_id: str, until: str, reason: str) -> None:
    """Mute an issue until the end of a day.

    Raises:
        ActionRefused: a value is invalid; there is no such issue for this actor.
    """
    reason = audit.checked_note(reason, needed=True)
    end = _end_of(until)
    async with database.connection() as connection:
        issue = await _issue(connection, actor, issue_id)
        target = {"account": issue["account"], "issue": issue_id, "until": until}
        row = {"issue_id": issue_id, "account": issue["account"], "until": end, "reason": reason}
        async with audit.recorded(connection, actor, "mute", target, reason):
            await connection.execute(_SQL["mute"], {**row, "muted_by": actor.name})


async def unmute(database: Database, actor: Actor, issue_id: str) -> None:
    """Unmute an issue.

    Raises:
        ActionRefused: there is no such issue for this actor.
    """
    async with database.connection() as connection:
        issue = await _issue(connection, actor, issue_id)
        target = {"account": issue["account"], "issue": issue_id}
        async with audit.recorded(connection, actor, "unmute", target):
            await connection.execute(_SQL["unmute"], {"issue_id": issue_id})


def _said(mute: dict[str, Any] | None) -> Row:
    mute = mute or {}
    return {
        "muted_until": mute.get("until"),
        "muted_by": mute.get("muted_by"),
        "muted_at": mute.get("muted_at"),
        "mute_reason": mute.get("reason"),
    }


async def _issue(connection: Connection, actor: Actor, issue_id: str) -> Row:
    found = await VisibleLog(connection, actor).issues(ids=[issue_id])
    if not found:
        message = "There is no such issue (any more), or it belongs to an account that you cannot see."
        raise ActionRefused("not_found", message)
    return found[0]


def _end_of(text: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        message = f"'{text}' is not a day. Write one such as 2026-01-31."
        raise ActionRefused("bad_request", message, field="until") from error
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    now = datetime.now(UTC)
    if not now < end <= now + LONGEST:
        message = "Choose a day from today on, at most a year ahead."
        raise ActionRefused("bad_request", message, field="until")
    return end
