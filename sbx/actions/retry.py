"""Retry and skip, from the page, the API and the command line: the plan first, and who did it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from log_projection.queries import Filters, Row
from runtime.database import fetch_one
from runtime.sql import load_queries
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.refused import ActionRefused
from sbx.actions.scoped_log import VisibleLog
from sinks.ledger import commands, cost
from sinks.ledger.commands import Act

SHOWN = 20
"""How many entries a plan or a result lists individually."""
FOLLOWED = 200
"""How many entries of an act are kept by id, so that its page shows their further states."""
_CHUNK = 500
"""Entries per transaction. Each entry is done as a whole or not at all; nobody waits for all of them."""

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries: those named, or all failed ones that matched at ``position``."""

    filters: Filters
    words: dict[str, Any]
    """The selection as it was requested, for the record."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The effects of an act."""

    act: Act
    position: int
    """The log's position: entries that change after it are not acted on."""
    total: int
    causes: list[tuple[str, int]]
    """Reason codes, with the number of entries that have them."""
    unreadable: int
    """How many of the entries can only be fixed by publishing a corrected event."""
    read_again: int
    """How many are about records that SalesBinder's reader reads again by itself."""
    overtaken: int
    """How many would undo later actions, and cannot be retried."""
    ended: int
    """How many are in a state with nothing to do."""
    sample: list[Row]
    accounts: list[dict[str, Any]]
    """The cost of a retry for each account (see ``sinks.ledger.cost.by_account``); a skip costs nothing."""

    @property
    def possible(self) -> int:
        """Return how many would be acted on."""
        return self.total - self.unreadable - self.read_again - self.overtaken - self.ended

    @property
    def cost(self) -> dict[str, Any]:
        """Return about how many calls and minutes it takes, for all accounts: ``sinks.ledger.cost``."""
        return cost.of_all(self.accounts)


@dataclass(slots=True)
class Result:
    """The result of an act."""

    selected: int = 0
    done: list[str] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    """Entries left unchanged: ``entry_id``, ``code``, ``message``."""


def wanted(filters: Filters) -> Filters:
    """Return the filters of an act: named entries unchanged, otherwise only failed ones.

    Raises:
        ActionRefused: another state was requested.
    """
    if filters.entry_ids is not None:
        return filters
    if filters.state not in (None, "failed"):
        message = (
            f"Only failed entries can be chosen by filter, not {filters.state} ones. Choose them one by one."
        )
        raise ActionRefused("bad_request", message, field="state")
    return replace(filters, state="failed")


async def plan(connection: Connection, log: VisibleLog, act: Act, filters: Filters) -> Plan:
    """Return the effects that the act would have now."""
    position = await log.position()
    filters = replace(filters, not_after=position)
    counted = await log.counts(filters)
    causes, against, work = Counter[str](), Counter[str](), Counter[cost.Work]()
    for row in counted:
        causes[row["reason_code"] or row["state"]] += row["entries"]
        why_not = commands.obstacle(act, row["state"], row["reason_code"], row["triggered_by"])
        against[why_not] += row["entries"]
        if act == "retry" and not why_not:
            work[row["account"], row["entity"], row["action"]] += row["entries"]
    return Plan(
        act=act,
        position=position,
        total=sum(row["entries"] for row in counted),
        causes=causes.most_common(),
        unreadable=against["publish_anew"],
        read_again=against["read_again"],
        overtaken=against["overtaken"],
        ended=against["state"],
        sample=[row async for row in log.entries(filters, limit=SHOWN)],
        accounts=await cost.by_account(connection, work) if work else [],
    )


async def perform(
    database: Database, actor: Actor, act: Act, selection: Selection, note: str
) -> tuple[int, Result]:
    """Do it; return the number of its record, and the result.

    If two operators act at once, each entry goes to one of them, and the other is told.

    Raises:
        ActionRefused: a skip without a note.
        psycopg.OperationalError: the database became unavailable; entries done so far stay done.
    """
    note = audit.checked_note(note, needed=act == "skip")
    result = Result()
    # One connection for both: holding one while waiting for another could deadlock with others doing so.
    async with database.connection() as connection:
        ids, accounts, read_for = [], set(), {}
        async for row in VisibleLog(connection, actor).entries(selection.filters):
            ids.append(row["entry_id"])
            accounts.add(row["account"])
            if row["triggered_by"] == "source":
                read_for[row["entry_id"]] = row["account"]
        target = selection.words | ({"account": accounts.pop()} if len(accounts) == 1 else {})
        async with audit.recorded(connection, actor, act, target, note) as record:
            await _do(connection, actor, act, ids[:_CHUNK], note, result, read_for)
            record.result |= _kept(result)
        for start in range(_CHUNK, len(ids), _CHUNK):
            async with audit.going_on(connection, record):
                await _do(connection, actor, act, ids[start : start + _CHUNK], note, result, read_for)
                record.result |= _kept(result)
    return record.number, result


async def load(connection: Connection, actor: Actor, number: int) -> dict[str, Any] | None:
    """Return the record of one of the actor's own retries or skips."""
    return await fetch_one(connection, _SQL["load"], {"id": number, "actor": actor.name})


async def followed(connection: Connection, log: VisibleLog, act: Row) -> list[Row]:
    """Return the current state of an act's entries, as far as they were kept by id.

    The ledger is first to know that an entry was queued again: until the log follows, its old failure is left
    out.
    """
    ids = tuple((act["result"] or {}).get("followed", ()))
    standing = await commands.standing(connection, ids) if ids else {}
    rows = [row async for row in log.entries(Filters(entry_ids=ids))]
    for row in rows:
        now = standing.get(row["entry_id"])
        if row["state"] == "failed" and now is not None and now.state != "failed":
            row |= {"state": now.state, "reason": None}
    return rows


async def _do(
    connection: Connection,
    actor: Actor,
    act: Act,
    ids: Sequence[str],
    note: str,
    result: Result,
    read_for: Mapping[str, str],
) -> None:
    if act == "retry":
        done = await commands.retry(connection, ids, actor.name)
    else:
        done = await commands.skip(connection, ids, actor.name, note)
    result.selected += len(ids)
    result.done += done
    result.refused += await commands.refusals(connection, act, sorted(set(ids) - set(done)), read_for)


def _kept(result: Result) -> dict[str, Any]:
    return {
        "selected": result.selected,
        "done": len(result.done),
        "refused": len(result.refused),
        "shown": result.refused[:SHOWN],
        "followed": result.done[:FOLLOWED],
    }
