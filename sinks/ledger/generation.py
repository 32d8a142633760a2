"""Is this ledger as new as the marks that it wrote elsewhere?

Each transaction that writes calls down raises its account's mark, and the mark is in Kafka before the first
byte of those calls leaves; each batch of new commands raises the intake's, which is in Kafka before the batch
is acknowledged. A ledger whose marks are below Kafka's is a restored backup, or a replica that lost the last
commits: calls that it does not know may have been sent. So may all calls that a ledger of another generation
has sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog
from psycopg.types.json import Jsonb

from contracts.reasons import render
from contracts.results import AccountResult
from runtime.crash_points import crash_point
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from sinks.ledger import store as ledger

SQL = load_queries(__file__)
REASON = "ledger_behind"
INTAKE = "intake"
_SHOWN = 5
"""Accounts that a sentence names."""

log = structlog.stdlib.get_logger(__name__)


class MarkNotStored(OSError):
    """Kafka did not take a mark, or did not return its marks: nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that Kafka keeps under a name: ``intake`` or ``account/{account}``."""

    generation: str
    """The generation of the ledger that raised it."""
    mark: int
    number: int = 0
    """The number of that ledger, as it was read: a worker of an older one must not hide the marks of a newer
    one.
    """


@dataclass(slots=True)
class Told:
    """Kafka's knowledge of the ledger."""

    number: int = 0
    """The number of the newest generation; 0 if Kafka knows none."""
    generation: str = ""
    marks: dict[str, Mark] = field(default_factory=dict)

    def of(self, generation: str, name: str) -> int:
        """Return the mark that a ledger of this generation raised under a name; 0 when there is none."""
        found = self.marks.get(name)
        return found.mark if found is not None and found.generation == generation else 0


@dataclass(frozen=True, slots=True)
class Standing:
    """The ledger's knowledge of itself."""

    number: int
    generation: str
    intake: int
    intake_at: datetime | None
    held_at: datetime | None
    held_args: Mapping[str, str]
    marks: Mapping[str, int]
    """By account."""
    marked_at: Mapping[str, datetime | None]
    """By account: when calls were last written down for it."""


class Marks(Protocol):
    """The place outside of the database where marks are kept."""

    async def told(self) -> Told:
        """Return all that is known there now.

        Raises:
            MarkNotStored: it does not say.
        """

    async def publish(self, standing_number: int, name: str, mark: Mark) -> None:
        """Keep a mark; returns once it is stored.

        Raises:
            MarkNotStored: it may not be.
        """


def account_name(account: str) -> str:
    """Return the name under which the mark of an account's calls is kept."""
    return f"account/{account}"


async def standing(connection: ledger.Connection) -> Standing:
    """Return the ledger's present knowledge of itself."""
    rows = await fetch_all(connection, SQL["standing"], None)
    marks = await fetch_all(connection, SQL["marks"], None)
    row = rows[0]
    return Standing(
        row["number"],
        row["id"],
        row["intake"],
        row["intake_at"],
        row["held_at"],
        row["held_args"],
        {one["account"]: one["mark"] for one in marks},
        {one["account"]: one["marked_at"] for one in marks},
    )


def is_another(ours: Standing, told: Told) -> bool:
    """Return True if Kafka names another ledger than this one as the one at work."""
    if told.number == 0 or told.number < ours.number:
        return False
    return told.number > ours.number or told.generation != ours.generation


def accounts_behind(ours: Standing, told: Told) -> list[str]:
    """Return the accounts for which calls may have been sent that this ledger does not know: all accounts
    that have a mark in Kafka, if another ledger was at work.
    """
    prefix = account_name("")
    names = [name.removeprefix(prefix) for name in told.marks if name.startswith(prefix)]
    if is_another(ours, told):
        return sorted(names)
    of = ours.generation
    return sorted(a for a in names if told.of(of, account_name(a)) > ours.marks.get(a, 0))


def why_behind(ours: Standing, told: Told) -> str:
    """Return why this ledger must not go on, in words; ``""`` if it is as new as the marks that it wrote
    elsewhere.
    """
    accounts = accounts_behind(ours, told)
    if is_another(ours, told):
        return (
            f"Kafka names ledger {told.number} ({told.generation[:8]}) as the one at work, and this is "
            f"ledger {ours.number} ({ours.generation[:8]}): a backup from before a recovery, or an empty "
            "database"
        )
    if accounts:
        named = ", ".join(accounts[:_SHOWN])
        rest = f" and {len(accounts) - _SHOWN} more" if len(accounts) > _SHOWN else ""
        return f"calls were made for {named}{rest} that it does not know"
    if told.of(ours.generation, INTAKE) > ours.intake:
        return "actions were taken in that it does not know"
    return ""


async def hold_if_behind(connection: ledger.Connection, told: Told) -> bool:
    """Hold all accounts if this ledger is behind what Kafka knows. Return True if they are held."""
    ours = await standing(connection)
    await connection.rollback()  # reading locks nothing: a hold is a transaction of its own
    if ours.held_at is not None:
        return True
    why = why_behind(ours, told)
    if not why:
        return False
    if not await hold(connection, why, ours.generation):
        held = (await standing(connection)).held_at is not None
        await connection.rollback()
        return held  # by another worker; or somebody has recovered it
    log.critical("the database is older than what was sent from it", why=why, remedy="sbx recover")
    return True


async def hold(connection: ledger.Connection, why: str, generation: str) -> bool:
    """Let nothing be taken in or sent until somebody recovers; the log says so of every account. Return False
    if the ledger is held already, or has been recovered since it was looked at.

    Args:
        generation: of the ledger that is behind; a recovered one is another, and is left alone.
    """
    args = {"message": why}
    async with connection.transaction():
        if not await fetch_all(connection, SQL["hold"], {"held_args": Jsonb(args), "id": generation}):
            return False
        rows = await fetch_all(connection, SQL["hold_accounts"], {"held": REASON, "held_args": Jsonb(args)})
        await _announce(connection, rows, REASON, args)
        crash_point("behind.before_commit")
    crash_point("behind.after_commit")
    return True


async def release(connection: ledger.Connection, number: int) -> tuple[int, str]:
    """Make this ledger the one at work, above ``number``, and let all accounts go on; part of the caller's
    transaction. Returns its new number and id."""
    [row] = await fetch_all(connection, SQL["renew"], {"number": number})
    rows = await fetch_all(connection, SQL["release_accounts"], {"held": REASON})
    await _announce(connection, rows, None, {})
    return row["number"], row["id"]


async def _announce(
    connection: ledger.Connection, rows: list[Row], held: str | None, args: Mapping[str, str]
) -> None:
    results = []
    for row in rows:
        reason, remedy = render(held, {**args, "account": row["account"]}) if held else ("", "")
        told = {"account": row["account"], "version": row["version"], "at": row["at"]}
        results.append(AccountResult(**told, held=held, reason=reason, remedy=remedy))
    await ledger.publish_later(connection, results, [row["account"] for row in rows])
