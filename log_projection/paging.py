"""Query one page of the log in a form that can use an index for any combination of filters.

For a page, PostgreSQL walks through time and takes the matches, as long as it believes that they are spread
evenly. Numbers rise with time, accounts come and go: such a walk may go through everything. So if there are
several ways to find the entries, each of them is looked up separately, and the results are merged.
"""

from collections.abc import Iterable, Mapping
from typing import LiteralString

from psycopg import sql

from runtime.sql import load_queries

_SQL = load_queries(__file__)
_KEYS = sql.SQL("queued_at, entry_id")
_NEAR = sql.SQL("3000")
"""Entries that are looked through before a text is searched everywhere: some milliseconds."""

_TEXTS: tuple[LiteralString, ...] = (
    "lower(record_number) LIKE %(prefix)s",
    "lower(party_name) LIKE %(prefix)s",
    # Mostly Xero has our own number; those are found above, and left out of this one's index.
    "lower(xero_number) LIKE %(prefix)s AND lower(xero_number) <> lower(record_number)",
    "record_id LIKE %(prefix)s",
    "entry_id LIKE %(prefix)s",
    "event_id = %(text)s",
)
# On the table itself: with the view's join indexes are not read alone, and planning takes twice as long.
_REASONS: tuple[LiteralString, ...] = (
    """reason_code = %(reason)s AND NOT (state = 'queued' AND account IN (
        SELECT h.account FROM integrations_log.account_hold AS h WHERE h.held IS NOT NULL))""",
    """state = 'queued' AND account IN (
        SELECT h.account FROM integrations_log.account_hold AS h WHERE h.held = %(reason)s)""",
)


def page_query(columns: sql.SQL, conditions: Mapping[str, sql.SQL], direction: sql.SQL) -> sql.Composed:
    """Return the entries that meet all ``conditions`` (by filters' names), at most ``limit``, as one
    statement.
    """
    limit = sql.SQL("%(limit)s")
    if not {"text", "reason"} & conditions.keys() and not _by_accounts(conditions):
        return sql.SQL(_SQL["plain"]).format(
            columns=columns, conditions=all_of(conditions.values()), direction=direction
        )
    if "text" in conditions:
        found = _text(conditions, direction)
    else:
        scans = _scans(conditions, direction, limit)
        found = sql.SQL("\nUNION ALL\n").join([sql.SQL("({})").format(scan) for scan in scans])
    return sql.SQL(_SQL["page"]).format(columns=columns, found=found, direction=direction)


def all_of(conditions: Iterable[sql.SQL]) -> sql.Composed:
    """Return a condition that holds when all of these do."""
    return sql.SQL(" AND ").join([*conditions] or [sql.SQL("true")])


def _text(conditions: Mapping[str, sql.SQL], direction: sql.SQL) -> sql.Composed:
    others = {name: condition for name, condition in conditions.items() if name != "text"}
    if "reason" in others:
        others["reason"] = sql.SQL(f"(({_REASONS[0]}) OR ({_REASONS[1]}))")
    columns = sql.SQL("queued_at, entry_id, record_number, party_name, xero_number, record_id, event_id")
    arms = [
        sql.SQL(_SQL["arm"]).format(
            text=sql.SQL(text), conditions=all_of(others.values()), direction=direction
        )
        for text in _TEXTS
    ]
    return sql.SQL(_SQL["newest"]).format(
        scan=_scan(columns, others, direction, _NEAR),
        text=conditions["text"],
        arms=sql.SQL("\nUNION\n").join(arms),
        direction=direction,
    )


def _scans(conditions: Mapping[str, sql.SQL], direction: sql.SQL, limit: sql.SQL) -> list[sql.Composed]:
    """Return scans that together have the first ``limit`` entries, each entry once."""
    if "reason" not in conditions:
        return [_scan(_KEYS, conditions, direction, limit)]
    return [_scan(_KEYS, {**conditions, "reason": sql.SQL(reason)}, direction, limit) for reason in _REASONS]


def _scan(
    columns: sql.SQL, conditions: Mapping[str, sql.SQL], direction: sql.SQL, limit: sql.SQL
) -> sql.Composed:
    name = "scan"
    if _by_accounts(conditions):
        name = "scan_accounts"
        conditions = {name: condition for name, condition in conditions.items() if name != "accounts"}
    return sql.SQL(_SQL[name]).format(
        columns=columns, conditions=all_of(conditions.values()), direction=direction, limit=limit
    )


def _by_accounts(conditions: Mapping[str, sql.SQL]) -> bool:
    return "accounts" in conditions and "account" not in conditions
