"""Handle differences between Xero and what was last synced: compare, accept, send again, like ``sbx
drift``.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from connections import store
from log_projection.queries import Row
from sbx.actions import audit
from sbx.actions.accounts import connected, delivering
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.refused import ActionRefused, not_possible
from sinks.drift import acts as drift
from sinks.drift.acts import ReadingPlan, Selection
from sinks.xero.links import xero_page

Act = Literal["resend", "adopt"]
ACTS: tuple[Act, ...] = get_args(Act)
_KINDS: dict[Act, audit.Kind] = {"resend": "drift_resend", "adopt": "drift_adopt"}
MOST = 500
"""How many differences are shown, and acted on, at a time."""
_LOOK_SECONDS = 0.5
_IDENTITY = ("kind", "record_id", "transaction_id", "field", "ours", "xeros")
_ENTITIES = {"purchase_order": "purchase_order", "bill": "purchase_order"}


@dataclass(frozen=True, slots=True)
class State:
    """Everything known about an account's differences."""

    connection: store.Connection
    last: Row | None
    """The last finished comparison; None if there was none."""
    under_way: Row | None
    """The comparison that was requested and has not ended."""
    differences: list[Row]
    """Each with ``id``, ``proposal``, ``note``, ``xero_url`` and, for its page, ``entity`` and ``record``."""
    expected: ReadingPlan
    """The scope of a comparison that would be made now."""
    obstacle: ActionRefused | None
    """Why no comparison would be made now; None if nothing is in the way."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of an act."""

    selected: int
    done: int
    """Differences that were handled; the others have changed since, or somebody else was first."""
    queued: list[str]
    """Entries that are queued again."""


Follow = Callable[[Row], None]
"""Called with the progress of a comparison: ``calls`` of ``calls_expected``, ``read``."""
Stopped = Callable[[], Awaitable[bool]]
"""Tells whether the caller no longer wants to wait."""


async def load(
    connection: Connection,
    actor: Actor,
    account: str,
    wanted: Selection = Selection(),  # noqa: B008
) -> State:
    """Return the account as it stands, with the differences that are wanted.

    Raises:
        ActionRefused: there is no such account.
    """
    found = await connected(connection, actor, account)
    rows = await drift.differences(connection, account, wanted)
    return State(
        found,
        await drift.last_reading(connection, account),
        await drift.reading_under_way(connection, account),
        [_shown(row, found) for row in rows],
        await drift.plan(connection, account),
        _obstacle(found, await delivering(connection)),
    )


async def read(
    database: Database,
    actor: Actor,
    account: str,
    since: datetime | None = None,
    *,
    full: bool = False,
    records: Sequence[str] = (),
) -> tuple[ReadingPlan, Row]:
    """Have the account's lane compare; return its scope, and its progress. A comparison in progress counts.

    Args:
        since: only objects changed in Xero since then; None: since the last time.
        full: everything.
        records: only these, as ``invoice/ID``.

    Raises:
        ActionRefused: there is no such account; nobody would compare now.
    """
    async with database.connection() as connection:
        found = await connected(connection, actor, account)
        if obstacle := _obstacle(found, await delivering(connection)):
            raise obstacle
        if records:
            wanted = await drift.plan_records(connection, account, records)
        else:
            wanted = await drift.plan(connection, account, since, full=full)
        target = {"account": account, "since": wanted.since}
        async with audit.recorded(connection, actor, "drift_read", target) as record:
            record.result["reading"] = run_id = await drift.ask(connection, account, wanted, actor.name)
        return wanted, await drift.reading(connection, run_id)


async def _never() -> bool:
    return False


async def until_read(
    connection: Connection, account: str, run_id: str, follow: Follow, stopped: Stopped = _never
) -> bool:
    """Wait for a comparison's end; false when ``stopped`` said so before. The lane goes on with it anyway.

    Raises:
        ActionRefused: it ended with an error, or the account can no longer be read.
    """
    while (run := await drift.reading(connection, run_id))["finished_at"] is None:
        state = await store.load_connection(connection, account)
        if state is not None and (state.status == "lost" or state.paused_at is not None):
            problem = (
                f"{account} was paused, or Xero no longer accepts our access; "
                "the scan will continue where it stopped"
            )
            raise not_possible(problem, "see 'sbx status'")
        if await stopped():
            return False
        follow(run)
        await asyncio.sleep(_LOOK_SECONDS)
    if run["error"] is not None:
        problem = f"the scan ended: {run['error']}"
        raise not_possible(problem, "see what was found with --last")
    return True


def chosen(state: State, act: Act, ids: Collection[str]) -> tuple[list[Row], int]:
    """Return those of these differences that can be handled this way, and how many cannot or have changed."""
    rows = [row for row in state.differences if row["id"] in ids and _possible(act, row)]
    return rows, len(set(ids)) - len(rows)


def possible(state: State, act: Act) -> list[str]:
    """Return the ids of all that can be handled this way, except those for information only, and those that
    would fail with today's settings.
    """
    rows = [
        row
        for row in state.differences
        if _possible(act, row) and not row["information"] and not (act == "resend" and would_fail(row))
    ]
    return [row["id"] for row in rows[:MOST]]


def would_fail(row: Row) -> bool:
    """Return whether sending the difference again would fail: its note says why."""
    return row["proposal"] == "resend" and bool(row["note"])


async def perform(
    database: Database, actor: Actor, account: str, act: Act, ids: Sequence[str]
) -> tuple[int, Result]:
    """Do it; return the number of its record, and the result. Of two at once, each difference goes to one.

    Raises:
        ActionRefused: there is no such account.
    """
    async with database.connection() as connection:
        rows, _ = chosen(await load(connection, actor, account), act, ids)
        target = {"account": account, "differences": [_named(row) for row in rows]}
        async with audit.recorded(connection, actor, _KINDS[act], target) as record:
            if act == "resend":
                queued = await drift.resend(connection, account, rows, actor.name)
                result = Result(len(set(ids)), len(rows) if queued else 0, queued)
            else:
                result = Result(len(set(ids)), await drift.adopt(connection, account, rows, actor.name), [])
            record.result |= asdict(result)
    return record.number, result


def _possible(act: Act, row: Row) -> bool:
    return act == "adopt" or drift.proposal(row, "push")[0] == "resend"


def _shown(row: dict[str, Any], connection: store.Connection) -> Row:
    proposal, note = drift.proposal(row, connection.settings.edit_authorised)
    short_code = connection.facts.short_code if connection.facts else ""
    entity, _, record = row["record_id"].rpartition("/")
    return row | {
        "id": _id(row),
        "proposal": proposal,
        "note": note,
        "entity": entity or _ENTITIES.get(row["kind"], "invoice"),
        "record": record,
        "xero_url": xero_page(
            "payment" if row["kind"] == "refund" else row["kind"], row["xero_id"], short_code
        ),
    }


def _id(row: Row) -> str:
    """Return an id that changes as soon as either side's value does, so that nobody acts on a value that they
    have not seen.
    """
    return hashlib.sha256("\0".join(row[name] for name in _IDENTITY).encode()).hexdigest()[:16]


def _named(row: Row) -> dict[str, str]:
    return {name: row[name] for name in _IDENTITY}


def _obstacle(connection: store.Connection, workers: int) -> ActionRefused | None:
    account = connection.account
    if connection.status == "lost":
        problem = f"Xero no longer accepts our access: {connection.status_reason}"
        return not_possible(problem, f"connect it again: sbx connect {account}")
    if connection.paused_at is not None:
        problem = f"the account is paused: {connection.paused_reason}"
        return not_possible(problem, f"let it go on first: sbx resume {account}")
    if not workers:
        problem = "no deliver process works, and only that asks Xero"
        return not_possible(problem, "'sbx up' or 'sbx worker deliver' starts one")
    return None
