"""Operators' acts on drift: have Xero read, accept its state, or send ours again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from runtime.crash_points import crash_point
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from sinks.drift.judge import MISSING
from sinks.drift.scan import LISTS, PAGE, looked_up_at_once
from sinks.ledger import store as ledger
from sinks.ledger.commands import resend as queue_again
from sinks.ledger.intake import LANE_CHANNEL
from sinks.planner.documents import GONE, UNAPPROVED
from sinks.xero.elements import encode_jsonb

"""A difference, as ``differences`` gives it."""
Proposal = Literal["resend", "adopt", "follows"]
"""``follows``: fixed together with the difference that it follows from, such as the amount due with its
payments.
"""


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """The scope of a reading of Xero."""

    since: datetime | None
    """Only objects changed in Xero since then; None means everything."""
    covers: bool
    """True if no gap remains behind the reading before it, so that the next one may begin where it began."""
    calls: int
    """At least so many; more if others have put much into the organisation, too, and one for each record that
    differs (``sinks.drift.history.MOST`` at most) to see who changed it.
    """
    records: tuple[str, ...] = ()
    """Only these, looked up by their ids instead of listed: ``invoice/ID``."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of differences; a field that is None selects all."""

    kind: str | None = None
    number: str | None = None
    record: str | None = None
    field: str | None = None
    records: tuple[str, ...] | None = None
    """SalesBinder records with everything that belongs to them: ``invoice/ID``, ``customer/ID``."""


async def plan(
    connection: ledger.Connection, account: str, since: datetime | None = None, *, full: bool = False
) -> ReadingPlan:
    """Return the plan of the next reading: what was changed since the last reading began, or everything if
    there was none.
    """
    rows = await fetch_all(connection, _SQL["covered"], {"account": account})
    covered: datetime | None = rows[0]["next_since"] if rows else None
    start = None if full else since or covered
    if start is not None:
        return ReadingPlan(start, covered is not None and start <= covered, len(LISTS))
    linked = {
        row["kind"]: row["objects"]
        for row in await fetch_all(connection, _SQL["linked"], {"account": account})
    }
    objects = [sum(linked.get(kind, 0) for kind in listing.kinds) for listing in LISTS]
    return ReadingPlan(None, True, sum(max(1, -(-count // PAGE)) for count in objects))


async def plan_records(connection: ledger.Connection, account: str, records: Sequence[str]) -> ReadingPlan:
    """Return the plan for comparing these records: look their ids up, or read the next list, whichever takes
    fewer calls. A list shows the objects changed since the last reading; the others are compared already.
    """
    listed = await plan(connection, account)
    linked = await fetch_all(
        connection, _SQL["linked_records"], {"account": account, "records": list(records)}
    )
    objects = {row["kind"]: row["objects"] for row in linked}
    calls = sum(
        -(-sum(objects.get(kind, 0) for kind in listing.kinds) // looked_up_at_once(listing))
        for listing in LISTS
    )
    if listed.calls <= calls:
        return listed
    return ReadingPlan(datetime.now(UTC), False, calls, tuple(records))


async def ask(connection: ledger.Connection, account: str, wanted: ReadingPlan, actor: str) -> str:
    """Have the account's lane read; a reading that is in progress counts. Returns its id."""
    async with connection.transaction():
        parameters = {
            "account": account,
            "actor": actor,
            "since": wanted.since,
            "covers": wanted.covers,
            "calls": wanted.calls,
            "phase": len(LISTS) if wanted.records else 0,
            "records": list(wanted.records),
        }
        await connection.execute(_SQL["hold_open_run"], parameters)
        if wanted.records:
            await connection.execute(_SQL["read_records"], parameters)
        await connection.execute(_SQL["ask"], parameters)
        await connection.execute("SELECT pg_notify(%s, %s)", [LANE_CHANNEL, account])
        run_id = str((await fetch_all(connection, _SQL["open_run"], {"account": account}))[0]["run_id"])
        crash_point("ask.before_commit")
    crash_point("ask.after_commit")
    return run_id


async def ask_due(connection: ledger.Connection) -> None:
    """Ask for the readings that the setting ``drift_every`` makes due now."""
    for row in await fetch_all(connection, _SQL["due"], {}):
        await ask(connection, row["account"], await plan(connection, row["account"]), "drift_every")


async def reading(connection: ledger.Connection, run_id: str) -> Row:
    """Return how far a reading has come."""
    return (await fetch_all(connection, _SQL["run"], {"run_id": run_id}))[0]


async def reading_under_way(connection: ledger.Connection, account: str) -> Row | None:
    """Return the reading that was asked for and has not ended; None if there is none."""
    rows = await fetch_all(connection, _SQL["open_run"], {"account": account})
    return await reading(connection, rows[0]["run_id"]) if rows else None


async def last_reading(connection: ledger.Connection, account: str) -> Row | None:
    """Return the reading that ended last; None if there was none."""
    rows = await fetch_all(connection, _SQL["last_run"], {"account": account})
    return rows[0] if rows else None


async def differences(connection: ledger.Connection, account: str, wanted: Selection) -> list[Row]:
    """Return the differences that stand and were not adopted, of objects that are linked."""
    parameters = {
        "account": account,
        "kind": wanted.kind,
        "number": wanted.number,
        "record": wanted.record,
        "field": wanted.field,
        "records": None if wanted.records is None else list(wanted.records),
    }
    return await fetch_all(connection, _SQL["differences"], parameters)


def proposal(row: Row, edit_authorised: str) -> tuple[Proposal, str]:
    """Return the proposal for a difference, and why no other is possible (``""``: no reason is needed).

    Args:
        edit_authorised: the connection's setting.
    """
    kind, field, status = row["kind"], row["field"], row["xero_status"]
    gone = status in GONE or field == "status"
    if row["information"]:
        return "adopt", "nothing of ours was changed" if not row.get("why") else "see the entry"
    if row.get("mend"):
        return "resend", ""
    if field == "unreadable":
        return "adopt", "look at it in Xero"
    if field == MISSING:
        return "adopt", "enter it in Xero by hand"
    if field == "amount_due":
        return "follows", "comes right with payments and amounts"
    if kind in ("payment", "refund"):
        # Xero may only have failed to show it: it is not paid a second time.
        return ("resend", "") if status in GONE else ("adopt", "look at it in Xero")
    if kind == "contact":
        return ("adopt", "restore it in Xero") if field == "status" else ("resend", "")
    if kind in ("bill", "credit_note"):
        return "adopt", "put it right in Xero by hand"
    if gone:
        return "adopt", "what was taken out of Xero stays out"
    if kind == "purchase_order":
        return ("adopt", "the order is billed") if status == "BILLED" else ("resend", "")
    if status in UNAPPROVED or edit_authorised == "push":
        return "resend", ""
    return "resend", "fails while edit_authorised is refuse"


async def adopt(connection: ledger.Connection, account: str, rows: Sequence[Row], actor: str) -> int:
    """Adopt these differences: they are not reported again while both sides stay the same.

    Returns:
        how many were adopted; not those that have changed since they were shown.
    """
    parameters = {"account": account, "actor": actor, "rows": encode_jsonb(rows)}
    return (await connection.execute(_SQL["adopt"], parameters)).rowcount


async def resend(connection: ledger.Connection, account: str, rows: Sequence[Row], actor: str) -> list[str]:
    """Send again those of these differences that sending can fix.

    The newest created or edited action of the record, or the action of a payment that was deleted in Xero,
    goes through the ledger as a retry does.

    Returns:
        ids of the actions that were queued. A document that no action of its own created or edited has none.
    """
    rows = [row for row in rows if proposal(row, "push")[0] == "resend"]
    lost = [row["mend"] for row in rows if row.get("mend")]
    changed = [row for row in rows if not row.get("mend")]
    money = [row for row in changed if row["kind"] in ("payment", "refund")]
    async with connection.transaction():
        queue = [
            *lost,
            *await _contacts_again(connection, account, [r for r in changed if r["kind"] == "contact"]),
            *await _documents_again(
                connection, account, [r for r in changed if r["kind"] in ("invoice", "purchase_order")]
            ),
            *await _money_again(connection, account, money),
        ]
        queued = await queue_again(connection, list(dict.fromkeys(queue)), actor)
        await connection.execute(_SQL["resent"], {"account": account, "rows": encode_jsonb(rows)})
        crash_point("drift.before_commit")
    crash_point("drift.after_commit")
    return queued


async def _contacts_again(connection: ledger.Connection, account: str, rows: Sequence[Row]) -> list[str]:
    parties = sorted({row["record_id"] for row in rows})
    if not parties:
        return []
    own = await _newest(connection, account, {tuple(party.split("/", 1)) for party in parties})
    queue = [own[entity, record][0] for entity, record in own]
    bare = [party for party in parties if tuple(party.split("/", 1)) not in own]
    brought = await fetch_all(connection, _SQL["documents_of"], {"account": account, "parties": bare})
    documents = await _newest(connection, account, {(row["entity"], row["record_id"]) for row in brought})
    queue += [command_id for command_id, _ in documents.values()]
    await connection.execute(_SQL["forget_fields"], {"account": account, "rows": encode_jsonb(rows)})
    return queue


async def _documents_again(connection: ledger.Connection, account: str, rows: Sequence[Row]) -> list[str]:
    newest = await _newest(connection, account, {(row["kind"], row["record_id"]) for row in rows})
    marks = [{"kind": kind, "record_id": record, "seq": seq} for (kind, record), (_, seq) in newest.items()]
    await connection.execute(_SQL["send_again"], {"account": account, "rows": encode_jsonb(marks)})
    return [command_id for command_id, _ in newest.values()]


async def _money_again(connection: ledger.Connection, account: str, rows: Sequence[Row]) -> list[str]:
    """Return the payments seen as deleted in Xero; their links still say that they were made."""
    parameters = {"account": account, "rows": encode_jsonb(rows)}
    found = await fetch_all(connection, _SQL["money_actions"], parameters)
    parameters = {"account": account, "rows": encode_jsonb(found)}
    await connection.execute(_SQL["forget_money"], parameters)
    return [row["command_id"] for row in found]


async def _newest(
    connection: ledger.Connection, account: str, records: set[Any]
) -> dict[tuple[str, str], tuple[str, int]]:
    parameters = ledger.records_of(account, sorted(records))
    rows = await fetch_all(connection, _SQL["newest_actions"], parameters)
    return {(row["entity"], row["record_id"]): (row["command_id"], row["seq"]) for row in rows}


_SQL = load_queries(__file__)
