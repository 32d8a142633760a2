"""Put back what the topics know and the ledger does not, and let the accounts go on behind it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.commands import Command
from runtime.crash_points import crash_point
from runtime.database import fetch_all
from runtime.sql import load_queries
from sinks.drift.scan import LISTS, PAGE
from sinks.lanes.lane import SEND_WITHIN
from sinks.lanes.sending import GIVEN_UP_AFTER
from sinks.ledger import commands as operators
from sinks.ledger import generation
from sinks.ledger import store as ledger
from sinks.ledger.entries import entry_of_row
from sinks.ledger.generation import Standing, Told
from sinks.ledger.intake import LANE_CHANNEL, Trigger, take_in
from sinks.recover import clearing
from sinks.recover.reading import few

SQL = load_queries(__file__)
TRIGGER = "replay"
_MARGIN = timedelta(hours=1)
"""The overlap by which a reading begins before the given moment, since Xero has a clock of its own."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An account for which calls may have been made that the ledger does not know."""

    account: str
    since: datetime | None
    """By the database's clock: the ledger knows all calls before then. None: that moment is not known."""


def doubts(ours: Standing, told: Told, known: Collection[str], *, everything: bool = False) -> list[Doubt]:
    """Return the accounts in doubt, and since when. An account whose mark is as high as Kafka's is not in
    doubt: everything that was sent for it is written down.

    Args:
        known: the accounts that the ledger knows.
        everything: Kafka cannot tell, for instance because it was lost, too: all accounts are in doubt.
    """
    accounts = set(generation.accounts_behind(ours, told))
    if everything:
        accounts |= set(known)
    found = []
    for account in sorted(accounts):
        at = ours.marked_at.get(account)
        found.append(Doubt(account, at - _MARGIN if at is not None else None))
    return found


async def known_accounts(connection: ledger.Connection) -> set[str]:
    """Return all accounts that the ledger has anything of."""
    return {row["account"] for row in await fetch_all(connection, SQL["known_accounts"], None)}


async def uncertain(connection: ledger.Connection, accounts: Collection[str]) -> dict[str, Mapping[str, int]]:
    """Return, by account, ``commands`` and ``records`` that the ledger has and that have not completed."""
    rows = await fetch_all(connection, SQL["uncertain"], {"accounts": list(accounts)})
    return {row["account"]: row for row in rows}


async def take_up(
    connection: ledger.Connection, commands: Sequence[Command], actor: str, in_doubt: Collection[str]
) -> set[str]:
    """Insert the commands that the ledger does not know, in the order given; returns their ids. Nothing is
    planned before the hold ends.
    """
    by = Trigger(TRIGGER, actor, frozenset(in_doubt), recovers=True)
    async with connection.transaction():
        inserted = await take_in(connection, commands, by)
        crash_point("taking_up.before_commit")
    crash_point("taking_up.after_commit")
    return inserted


async def let_go(
    connection: ledger.Connection,
    in_doubt: Sequence[Doubt],
    inserted: Collection[str],
    told: Told,
    actor: str,
    clock_rate: float = 1.0,
) -> tuple[int, str]:
    """End the recovery, in one transaction: everything that has not completed counts as possibly
    sent, calls of before are given up, the lanes are to find out, the ledger is of a new generation, nothing
    is held.

    Args:
        inserted: accounts of which something was taken up.

    Returns:
        number and id of the new generation, for Kafka.
    """
    accounts = [one.account for one in in_doubt]
    touched = sorted({*accounts, *inserted})
    settle = (SEND_WITHIN + GIVEN_UP_AFTER) / clock_rate
    async with connection.transaction():
        await connection.execute(generation.SQL["lock"])
        await connection.execute(SQL["flag"], {"accounts": accounts})
        await connection.execute(SQL["give_up_calls"], {"accounts": accounts})
        await connection.execute(SQL["give_up_elements"], {"accounts": accounts, "trusted_in": settle})
        rows = await fetch_all(connection, SQL["raise_versions"], {"accounts": touched})
        await operators.publish(connection, [entry_of_row(row) for row in rows])
        for one in in_doubt:
            records = await _flagged(connection, one.account)
            if records:
                await clearing.begin(
                    connection,
                    one.account,
                    since=one.since,
                    by_number=False,
                    trusted_in=settle,
                    actor=actor,
                )
        number, made = await generation.release(connection, told.number)
        await connection.execute(SQL["wake"], {"channel": LANE_CHANNEL, "accounts": touched})
        crash_point("recovered.before_commit")
    crash_point("recovered.after_commit")
    return number, made


async def ask_about(connection: ledger.Connection, account: str, actor: str) -> None:
    """Have the account's lane find out which of its flagged actions were perhaps sent, at an unknown time;
    part of the caller's transaction.
    """
    by_number = few(await _flagged(connection, account))
    await clearing.begin(connection, account, since=None, by_number=by_number, trusted_in=0.0, actor=actor)


async def still_flagged(connection: ledger.Connection) -> dict[str, int]:
    """Return, by account, the records for which it has not been found out yet what was perhaps sent."""
    return {row["account"]: row["records"] for row in await fetch_all(connection, SQL["still_flagged"], None)}


def calls_for(changed: int) -> int:
    """Return about how many calls it takes to read so many objects that were changed in Xero."""
    return len(LISTS) + changed // PAGE


async def _flagged(connection: ledger.Connection, account: str) -> list[tuple[str, str]]:
    rows = await fetch_all(connection, SQL["flagged_records"], {"account": account})
    return [(row["entity"], row["record_id"]) for row in rows]
