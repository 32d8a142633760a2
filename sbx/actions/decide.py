"""Decide what happened to a call whose response was lost: show the candidates in Xero, and choose one."""

import uuid
from dataclasses import dataclass
from typing import Any

from log_projection.queries import Row
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.refused import ActionRefused
from sbx.actions.scoped_log import VisibleLog, no_entry
from sinks.ledger import commands

Candidate = dict[str, Any]
"""The fields that ``operators.CANDIDATE`` names."""


@dataclass(frozen=True, slots=True)
class Question:
    """An entry that needs a decision."""

    command_id: str
    account: str
    entry: Row | None
    """The entry as the log shows it; None if the log has not come that far yet, for the ledger knows
    first.
    """
    candidates: list[Candidate]

    def candidate(self, xero_id: str) -> Candidate | None:
        """Return the candidate with this id in Xero, or None."""
        wanted = xero_id.strip().casefold()
        return next((one for one in self.candidates if one["xero_id"].casefold() == wanted), None)


def is_undecided(entry: Row) -> bool:
    """Return True if, as far as the log knows, the entry needs a decision."""
    return (entry["state"], entry["reason_code"]) == ("failed", "needs_review")


async def candidates(connection: Connection, entry: Row) -> list[Candidate]:
    """Return the candidates in Xero; empty if there is nothing to decide (any more)."""
    command = _command(entry["entry_id"])
    if command is None or not is_undecided(entry):
        return []
    try:
        found = await commands.undecided(connection, command)
    except commands.Undecidable:
        return []
    return [{name: option[name] for name in commands.CANDIDATE} for option in found]


async def question(connection: Connection, actor: Actor, entry_id: str, adopt: str | None) -> Question:
    """Return the entry with its candidates, after checking that the decision is possible now.

    Args:
        adopt: the id in Xero of the candidate that it is; None: it is none of them.

    Raises:
        ActionRefused: there is no such entry, or it cannot be decided (this way).
    """
    command = _command(entry_id)
    if command is None:
        raise no_entry()
    standing = (await commands.standing(connection, [command])).get(command)
    entry = await VisibleLog(connection, actor).entry(command)
    if entry is None and (standing is None or not actor.sees(standing.account)):
        raise no_entry()
    try:
        found = await commands.undecided(connection, command)
        if adopt is not None:
            await commands.check_adoption(connection, command, adopt)
    except commands.Undecidable as error:
        raise await _refused(connection, command, error) from error
    assert standing is not None  # as there is something to decide
    options = [{name: option[name] for name in commands.CANDIDATE} for option in found]
    return Question(command, standing.account, entry, options)


async def decide(database: Database, actor: Actor, entry_id: str, adopt: str | None) -> tuple[int, list[str]]:
    """Apply the decision; return the number of its record, and the entries that are queued again.

    If two decide at once, one succeeds and the other is told.

    Raises:
        ActionRefused: as ``question``; nothing is changed.
    """
    async with database.connection() as connection:
        asked = await question(connection, actor, entry_id, adopt)
        command = asked.command_id
        target = {"account": asked.account, "entries": [command], "adopt": adopt}
        try:
            async with audit.recorded(connection, actor, "decide", target) as record:
                record.result["done"] = queued = await commands.decide(connection, command, actor.name, adopt)
        except commands.Undecidable as error:
            raise await _refused(connection, command, error) from error
    return record.number, queued


async def _refused(connection: Connection, command: str, error: commands.Undecidable) -> ActionRefused:
    standing = (await commands.standing(connection, [command])).get(command)
    if standing is not None and standing.reason_code != "needs_review":
        by = f", decided by {standing.actor}" if standing.actor else ""
        how = f" ({standing.outcome.replace('_', ' ')})" if standing.outcome else ""
        message = f"There is nothing to decide: the entry is {standing.state}{how}{by}."
        return ActionRefused("not_undecided", message)
    return ActionRefused("not_undecided", f"{str(error)[:1].upper()}{str(error)[1:]}", error.remedy)


def _command(entry_id: str) -> str | None:
    """Return the id as the ledger stores it; None for an invalid one."""
    try:
        return str(uuid.UUID(entry_id))
    except ValueError:
        return None
