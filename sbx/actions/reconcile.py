"""Compare SalesBinder, what should be in Xero by the settings, and Xero; and read the result."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from connections import store
from log_projection.queries import Row
from sbx.actions import audit
from sbx.actions.accounts import connected, delivering
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.refused import ActionRefused, not_possible
from sbx.actions.spreadsheets import plain_cell
from sinks.xero.links import xero_page
from sources.reconcile import runs
from sources.reconcile.months import AMOUNTS, Month, Months, in_a_line
from sources.reconcile.result import Result
from sources.reconcile.sides import Side
from sources.reconcile.why import TITLES
from sources.store.overview import overviews

MOST: Final = 500
"""How many differences a page shows."""
_LOOK_SECONDS: Final = 0.5
_SIDES: Final = ("salesbinder", "expected", "xero")
CSV_COLUMNS: Final = (
    *("month", "kind", "number", "party", "date", "currency"),
    *(f"{side}_{name}" for side in _SIDES for name in ("number", "party", *AMOUNTS, "status")),
    *("differs_in", "reason", "explanation", "what_to_do", "salesbinder_url", "xero_url", "entry_id"),
)

Follow = Callable[[Row], None]
"""Called with the progress of a comparison."""


@dataclass(frozen=True, slots=True)
class Report:
    """The last comparison of an account, and what stands in the way of another."""

    connection: store.Connection
    last: Row | None
    """None if it was never compared."""
    error: Row | None
    """The comparison that ended last, if it did not succeed."""
    under_way: Row | None
    obstacle: ActionRefused | None

    @property
    def months(self) -> list[Month]:
        """Return all months of the last comparison."""
        return [] if self.last is None else msgspec.convert(self.last["months"], list[Month], strict=False)

    @property
    def lines(self) -> list[tuple[str, bool]]:
        """Return each month in a line, the latest first, and whether it agrees."""
        return lines_of(self.months)


def lines_of(months: Sequence[Month]) -> list[tuple[str, bool]]:
    """Return each month in a line, the latest first, and whether it agrees."""
    names = sorted({each.month for each in months}, reverse=True)
    return [
        (in_a_line(name, months), all(each.agrees for each in months if each.month == name)) for name in names
    ]


async def load(connection: Connection, actor: Actor, account: str) -> Report:
    """Return the account's last comparison.

    Raises:
        ActionRefused: there is no such account.
    """
    found = await connected(connection, actor, account)
    return Report(
        found,
        await runs.last_run(connection, account),
        await runs.last_error(connection, account),
        await runs.under_way(connection, account),
        await _obstacle(connection, found),
    )


async def ask(database: Database, actor: Actor, account: str) -> str:
    """Ask for a comparison; one that is under way counts. Returns its id.

    Raises:
        ActionRefused: there is no such account; nobody would compare now.
    """
    async with database.connection() as connection:
        found = await connected(connection, actor, account)
        if obstacle := await _obstacle(connection, found):
            raise obstacle
        async with audit.recorded(connection, actor, "reconcile", {"account": account}) as record:
            record.result["comparison"] = run_id = await runs.ask(connection, account, actor.name)
    return run_id


async def until_compared(connection: Connection, run_id: str, follow: Follow) -> None:
    """Wait for a comparison's end. The workers go on with it anyway.

    Raises:
        ActionRefused: it ended with an error.
    """
    while (run := await runs.seen(connection, run_id))["finished_at"] is None:
        follow(run)
        await asyncio.sleep(_LOOK_SECONDS)
    if run["error"] is not None:
        raise not_possible(f"the comparison ended: {run['error']}", "see what was found before with --last")


async def _obstacle(connection: Connection, found: store.Connection) -> ActionRefused | None:
    account = found.account
    read = await overviews(connection, [account])
    if not read:
        return not_possible(
            f"'{account}' is not connected to SalesBinder", f"connect it: sbx source connect {account}"
        )
    if not read[0].stock_is_taken:
        return not_possible(
            f"the lists of '{account}' have not been read whole yet",
            f"wait until they are: sbx source status {account}",
        )
    if not read[0].is_read:
        return not_possible(
            f"nobody reads '{account}': no worker runs", "'sbx up' or 'sbx worker source' starts one"
        )
    if found.status == "lost":
        return not_possible(
            f"Xero no longer accepts our access: {found.status_reason}",
            f"connect it again: sbx connect {account}",
        )
    if found.paused_at is not None:
        return not_possible(
            f"the account is paused: {found.paused_reason}", f"let it go on first: sbx resume {account}"
        )
    if not await delivering(connection):
        return not_possible(
            "no deliver process works, and only that asks Xero", "'sbx up' or 'sbx worker deliver' starts one"
        )
    return None


async def results(
    connection: Connection,
    actor: Actor,
    account: str,
    since: date | None = None,
    until: date | None = None,
    *,
    only_differing: bool = False,
    limit: int | None = None,
    after: runs.Place | None = None,
) -> AsyncIterator[Row]:
    """Yield the documents of the last comparison as rows for people and programs, by day of issue; those
    behind ``after`` if it is given.

    Raises:
        ActionRefused: there is no such account.
    """
    found = await connected(connection, actor, account)
    every = runs.results(
        connection, account, since, until, only_differing=only_differing, limit=limit, after=after
    )
    async for result, first_seen in every:
        yield _row(found, result, first_seen)


def place_of(row: Row) -> runs.Place:
    """Return the place of a row of ``results``, to go on behind it."""
    day = "infinity" if row["date"] is None else row["date"].isoformat()
    return day, row["kind"], row["number"], row["record_id"]


async def months_of(
    connection: Connection, actor: Actor, account: str, since: date | None, until: date | None
) -> list[Month]:
    """Return the months of documents issued from one day to another, both counted.

    Raises:
        ActionRefused: there is no such account.
    """
    await connected(connection, actor, account)
    found = Months()
    async for result, _ in runs.results(connection, account, since, until):
        found.add(result.compared)
    return found.all()


def _row(connection: store.Connection, result: Result, first_seen: datetime) -> Row:
    one, reason = result.compared, result.reason
    entity = "invoice" if one.kind == "invoice" else "purchase_order"
    short_code = connection.facts.short_code if connection.facts is not None else ""
    return {
        "account": connection.account,
        "kind": one.kind,
        "number": result.number,
        "party": result.party,
        "record_id": one.record_id,
        "date": one.day,
        "month": f"{one.day:%Y-%m}" if one.day is not None else "",
        "currency": one.currency,
        "salesbinder": _side(one.shop),
        "expected": _side(one.expected),
        "xero": _side(one.xero),
        "fields": list(one.fields),
        "agrees": one.agrees,
        "reason": reason.code if reason is not None else "",
        "title": TITLES[reason.code] if reason is not None else "",
        "text": reason.text if reason is not None else "",
        "remedy": reason.remedy if reason is not None else "",
        "known": reason is None or reason.is_known,
        "entry_id": reason.entry_id if reason is not None else "",
        "first_seen_at": None if one.agrees else first_seen,
        "salesbinder_url": connection.addresses.shown(connection.account, entity, one.record_id),
        "xero_id": one.xero_id,
        "xero_url": xero_page(one.kind, one.xero_id, short_code),
    }


def _side(side: Side | None) -> Row | None:
    return None if side is None else {name: getattr(side, name) for name in Side.__struct_fields__}


def csv_lines(rows: Iterable[Row], *, head: bool = True) -> str:
    """Return rows as lines of CSV (RFC 4180) for a spreadsheet: none of its cells is a formula.

    Anybody can choose a customer's name, so a text that a spreadsheet would take for a formula begins with
    an apostrophe. Amounts are numbers, those below zero too.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    if head:
        writer.writerow(CSV_COLUMNS)
    for row in rows:
        writer.writerow([_cell(value) for value in _cells(row)])
    return buffer.getvalue()


def _cells(row: Row) -> list[Any]:
    sides = [row[side] or {} for side in _SIDES]
    return [
        *(row[name] for name in ("month", "kind", "number", "party", "date", "currency")),
        *(side.get(name) for side in sides for name in ("number", "party", *AMOUNTS, "status")),
        " ".join(row["fields"]),
        row["reason"],
        *(row[name] for name in ("text", "remedy", "salesbinder_url", "xero_url", "entry_id")),
    ]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    text = value.isoformat() if isinstance(value, date) else str(value)
    return plain_cell(text)
