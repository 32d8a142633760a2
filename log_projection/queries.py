"""Read the log: lists with filters, attempts, groups of failures, counts.

Rows are plain dictionaries with the columns of the views, ready for ``encode_row``. Every function takes
an open connection; lists are streamed, so that a million entries need no memory.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, LiteralString, get_args

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from contracts.results import State
from log_projection import search
from log_projection.paging import Cursor, Order, all_of, any_of, digits, on_table, page_query, place
from runtime.database import fetch_all
from runtime.sql import load_queries

Row = dict[str, Any]

_SQL = load_queries(__file__)
_COLUMNS = sql.SQL(_SQL["columns"])
_BATCH = 1000
MOST_COUNTED = 10_000
"""Hits that are counted; of more it is said that there are more."""
_WITHOUT_AMOUNT = ("customer", "supplier")
_encoder = msgspec.json.Encoder(decimal_format="string")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """A selection of entries: all given filters must match."""

    account: str | None = None
    state: str | None = None
    entity: str | None = None
    action: str | None = None
    reason: str | None = None
    """A reason code. Also finds entries that wait because their account is held for this reason."""
    record: str | None = None
    """A record's SalesBinder id."""
    number: str | None = None
    """A whole document or customer number, ignoring case."""
    text: str | None = None
    """Words, numbers, amounts or ids, as people type them into the search box; see ``search``."""
    since: datetime | None = None
    """Queued at or after this moment."""
    until: datetime | None = None
    """Queued before this moment."""
    topic: str | None = None
    partition: int | None = None
    entry_id: str | None = None
    issue: str | None = None
    """An issue's id: failures with one cause."""
    offset_from: int | None = None
    """Offsets from this one on."""
    offset_to: int | None = None
    """Offsets up to this one, itself included."""
    entry_ids: tuple[str, ...] | None = None
    accounts: tuple[str, ...] | None = None
    """Only entries of these accounts: those that somebody may see."""
    not_after: int | None = None
    """Only entries that have not changed since this position of ``changes``."""


@dataclass(frozen=True)
class Hits:
    """How many entries match."""

    states: dict[str, int]
    at_least: frozenset[str]
    """States of which there may be more than were counted."""

    def of(self, state: str) -> tuple[int, bool]:
        """Return how many there are in a state, ``all`` for all, and whether there may be more."""
        if state == "all":
            return sum(self.states.values()), bool(self.at_least)
        return self.states.get(state, 0), state in self.at_least


# Written so that each condition meets its index. The reasons of held accounts come from account_hold, so the
# entries that show them are found by account and state, not by the reason in the row.
_CONDITIONS: dict[str, LiteralString] = {
    "account": "account = %(account)s",
    "state": "state = %(state)s",
    "entity": "entity = %(entity)s",
    "action": "action = %(action)s",
    "reason": """reason_code = %(reason)s AND (own_reason_code = %(reason)s OR (state = 'queued'
                 AND account IN (SELECT h.account FROM integrations_log.account_hold AS h
                                 WHERE h.held = %(reason)s)))""",
    "record": "record_id = %(record)s",
    "number": "lower(record_number) = lower(%(number)s)",
    "since": "queued_at >= %(since)s",
    "until": "queued_at < %(until)s",
    "topic": "topic = %(topic)s",
    "partition": "partition = %(partition)s",
    "entry_id": "entry_id = %(entry_id)s",
    "issue": "issue_id = %(issue)s",
    "offset_from": '"offset" >= %(offset_from)s',
    "offset_to": '"offset" <= %(offset_to)s',
    "entry_ids": "entry_id = ANY(%(entry_ids)s)",
    "accounts": "account = ANY(%(accounts)s)",
    "not_after": "position <= %(not_after)s",
}


async def entries(
    connection: psycopg.AsyncConnection[Any],
    filters: Filters | None = None,
    *,
    limit: int | None = None,
    newest_first: bool = False,
    order: Order | None = None,
    after: Cursor | None = None,
) -> AsyncIterator[Row]:
    """Yield entries in the order in which they were queued, streamed.

    Args:
        connection: without another list being read from it; a transaction is held while reading.
        filters: which entries, all when left out.
        limit: at most so many.
        newest_first: the other way round, as the page shows them.
        order: another order than these.
        after: go on behind this entry, in the chosen order.
    """
    filters = filters or Filters()
    order = _sensible(order or Order(descending=newest_first), filters)
    conditions, parameters = _conditions(filters)
    parameters |= place(after) | {"limit": limit}
    if limit is not None and limit <= _BATCH:
        query = page_query(_COLUMNS, conditions, order, after, _ways(filters))
        for row in await fetch_all(connection, query, parameters, prepare=False):
            yield _shown(row)
        return
    if after is not None:
        conditions["after"] = order.all_behind(after)
    query = sql.SQL(_SQL["entries"]).format(
        columns=_COLUMNS, conditions=all_of(conditions.values()), order=order.whole(order.key)
    )
    async with connection.transaction(), connection.cursor("entries", row_factory=dict_row) as stream:
        stream.itersize = _BATCH
        await stream.execute(query, parameters)
        async for row in stream:
            yield _shown(row)


def cursor(row: Row, order: Order) -> Cursor:
    """Return the place of an entry in a list of this order."""
    key = {"amount": row["amount"], "document": digits(row["record_number"])}.get(order.by)
    return Cursor(row["queued_at"], row["entry_id"], key)


async def entry(
    connection: psycopg.AsyncConnection[Any], entry_id: str, accounts: tuple[str, ...] | None = None
) -> Row | None:
    """Return one entry, or None. ``accounts``, here and below, limits the result to these accounts."""
    found = [row async for row in entries(connection, Filters(entry_id=entry_id, accounts=accounts))]
    return found[0] if found else None


async def counts(connection: psycopg.AsyncConnection[Any], filters: Filters) -> list[Row]:
    """Return how many match (``entries``), the largest first: by ``account``, ``entity``, ``action``,
    ``state``, ``reason_code`` and ``triggered_by``.
    """
    conditions, parameters = _conditions(filters)
    query = sql.SQL(_SQL["counts"]).format(conditions=all_of(conditions.values()))
    return await fetch_all(connection, query, parameters, prepare=False)


async def hits(connection: psycopg.AsyncConnection[Any], filters: Filters) -> Hits:
    """Count what matches, by state; a state among the filters is left out. Many are counted in part alone."""
    conditions, parameters = _conditions(replace(filters, state=None))
    table = on_table(conditions, _ways(filters))
    counted = await _counted(connection, table.values(), parameters)
    if sum(counted.values()) <= MOST_COUNTED:
        return Hits(counted, frozenset())
    # Most have completed. The others are few, and are what people look for.
    opened = [*table.values(), sql.SQL("state <> 'completed'")]
    others = await _counted(connection, opened, parameters)
    if sum(others.values()) <= MOST_COUNTED:
        return Hits({"completed": counted.get("completed", 0), **others}, frozenset({"completed"}))
    return Hits(counted, frozenset(get_args(State)))


async def _counted(
    connection: psycopg.AsyncConnection[Any], conditions: Iterable[sql.Composable], parameters: Row
) -> dict[str, int]:
    query = sql.SQL(_SQL["hits"]).format(conditions=all_of(conditions))
    given = parameters | {"most": MOST_COUNTED + 1}
    return {row["state"]: row["entries"] for row in await fetch_all(connection, query, given, prepare=False)}


async def attempts(connection: psycopg.AsyncConnection[Any], entry_ids: Sequence[str]) -> list[Row]:
    """Return the calls to Xero made for these entries, oldest first."""
    return await _all(connection, "attempts", {"entry_ids": list(entry_ids)})


async def steps(connection: psycopg.AsyncConnection[Any], entry_ids: Sequence[str]) -> list[Row]:
    """Return every step of these entries, oldest first: the columns of the view ``steps``."""
    return await _all(connection, "steps", {"entry_ids": list(entry_ids)})


async def issues(
    connection: psycopg.AsyncConnection[Any],
    account: str | None = None,
    accounts: tuple[str, ...] | None = None,
    *,
    ids: Collection[str] | None = None,
    without: Collection[str] | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> list[Row]:
    """Return groups of standing failures with one cause, the largest first.

    Args:
        ids: only these issues.
        without: all but these.
        limit: at most so many; without it, this takes long if there are thousands.
        offset: after so many of them.
    """
    parameters = {
        "account": account,
        "accounts": _listed(accounts),
        "ids": None if ids is None else list(ids),
        "without": None if without is None else list(without),
        "limit": limit,
        "offset": offset,
    }
    return await _all(connection, "issues", parameters)


async def issue_totals(
    connection: psycopg.AsyncConnection[Any],
    account: str | None = None,
    accounts: tuple[str, ...] | None = None,
) -> Row:
    """Return how many ``issues`` there are, and how many ``entries`` in them."""
    parameters = {"account": account, "accounts": _listed(accounts)}
    return (await _all(connection, "issue_totals", parameters))[0]


async def failed_of(
    connection: psycopg.AsyncConnection[Any],
    issue_ids: Sequence[str],
    most: int,
    accounts: tuple[str, ...] | None = None,
) -> dict[str, list[Row]]:
    """Return the newest failures of each of these issues, at most ``most`` each, by the issue's id."""
    query = sql.SQL(_SQL["failed_of"]).format(columns=_COLUMNS)
    parameters = {"ids": list(issue_ids), "most": most, "accounts": _listed(accounts)}
    found: dict[str, list[Row]] = {}
    for row in await fetch_all(connection, query, parameters, prepare=False):
        found.setdefault(row["issue_id"], []).append(_shown(row))
    return found


async def unknown_refusals(
    connection: psycopg.AsyncConnection[Any], since: datetime | None = None
) -> list[Row]:
    """Return the texts with which Xero refused and which the catalogue does not know, the newest first.

    Args:
        since: only those seen at or after this moment.
    """
    return await _all(connection, "unknown_refusals", {"since": since})


async def replays(
    connection: psycopg.AsyncConnection[Any],
    replay_id: int | None = None,
    accounts: tuple[str, ...] | None = None,
    *,
    running: bool = False,
) -> list[Row]:
    """Return replays with their totals, the newest first: all, or one.

    Args:
        accounts: only replays of one of these accounts, without those of all accounts.
        running: only replays that are running now.
    """
    parameters = {"replay_id": replay_id, "accounts": _listed(accounts), "running": running}
    return await _all(connection, "replays", parameters)


async def summary(
    connection: psycopg.AsyncConnection[Any],
    account: str | None = None,
    accounts: tuple[str, ...] | None = None,
) -> list[Row]:
    """Return counts, ages and holds, one row per account."""
    return await _all(connection, "summary", {"account": account, "accounts": _listed(accounts)})


async def hours(
    connection: psycopg.AsyncConnection[Any], since: datetime, accounts: tuple[str, ...] | None = None
) -> list[Row]:
    """Return ``completed``, ``failed`` and ``waiting`` of the entries that arrived in each ``hour`` of 24
    from ``since`` on; hours without any are left out.
    """
    return await _all(connection, "hours", {"since": since, "accounts": _listed(accounts)})


async def speeds(
    connection: psycopg.AsyncConnection[Any], since: datetime, accounts: tuple[str, ...] | None = None
) -> list[Row]:
    """Return the median and 95th percentile, in seconds from arrival to Xero, of the entries since then."""
    return await _all(connection, "speeds", {"since": since, "accounts": _listed(accounts)})


async def changes(
    connection: psycopg.AsyncConnection[Any],
    after: int,
    limit: int = _BATCH,
    accounts: tuple[str, ...] | None = None,
) -> list[Row]:
    """Return ``entry_id``, ``account`` and ``position`` of the entries that changed after an earlier
    position.
    """
    parameters = {"after": after, "limit": limit, "accounts": _listed(accounts)}
    return await _all(connection, "changes", parameters)


async def position(connection: psycopg.AsyncConnection[Any]) -> int:
    """Return the newest position, from which ``changes`` continues."""
    rows = await _all(connection, "position", {})
    return int(rows[0]["position"])


def encode_row(row: Row) -> bytes:
    """Return a row as JSON: amounts as strings (``"110.00"``), times RFC 3339 in UTC."""
    return _encoder.encode(row)


def _conditions(filters: Filters) -> tuple[dict[str, sql.Composable], dict[str, Any]]:
    """Return the conditions for the given filters, by the filters' names, and their values."""
    given = {field.name: getattr(filters, field.name) for field in fields(filters)}
    parameters: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value is not None
    }
    conditions: dict[str, sql.Composable] = {
        name: sql.SQL(_CONDITIONS[name]) for name in parameters if name != "text"
    }
    if filters.text is not None:
        found = search.read(filters.text, in_view=True)
        conditions["text"] = any_of(found.ways)
        parameters |= found.parameters
    return conditions, parameters


def _ways(filters: Filters) -> tuple[sql.Composable, ...]:
    return () if filters.text is None else search.read(filters.text).ways


def _sensible(order: Order, filters: Filters) -> Order:
    """Return the order, or that of time if none of the entries has what it goes by."""
    return replace(order, by="time") if order.by == "amount" and filters.entity in _WITHOUT_AMOUNT else order


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    """Return it as a list, which psycopg sends as an array: it sends a tuple as a row."""
    return None if values is None else list(values)


async def _all(connection: psycopg.AsyncConnection[Any], name: str, parameters: Row) -> list[Row]:
    # Planned for these values: a filter that is left out must not cost a filter's plan.
    return [_shown(row) for row in await fetch_all(connection, _SQL[name], parameters, prepare=False)]


def _shown(row: Row) -> Row:
    """Return the row with its times in UTC, independent of the session's time zone."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in row.items()
    }
