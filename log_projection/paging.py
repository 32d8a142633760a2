"""Query one page of the log in a form that can use an index for any combination of filters.

For a page, PostgreSQL walks through time and takes the matches, as long as it believes that they are spread
evenly. Numbers rise with time, accounts come and go: such a walk may go through everything. So if there are
several ways to find the entries, each of them is looked up separately, and the results are merged.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, LiteralString

from psycopg import sql

from runtime.sql import load_queries

By = Literal["time", "amount", "document"]
Conditions = Mapping[str, sql.Composable]

_SQL = load_queries(__file__)
_DIGITS = re.compile(r"([0-9]+)[^0-9]*$")
_NEAR = sql.SQL("3000")
"""Entries that are looked through before a text is searched everywhere: some milliseconds."""
_LIMIT = sql.SQL("%(limit)s")
_KEYS: dict[str, LiteralString] = {"amount": "amount", "document": "integrations_log.digits(record_number)"}

# On the table itself: with the view's join indexes are not read alone, and planning takes twice as long.
_REASONS: tuple[LiteralString, ...] = (
    """reason_code = %(reason)s AND NOT (state = 'queued' AND account IN (
        SELECT h.account FROM integrations_log.account_hold AS h WHERE h.held IS NOT NULL))""",
    """state = 'queued' AND account IN (
        SELECT h.account FROM integrations_log.account_hold AS h WHERE h.held = %(reason)s)""",
)


@dataclass(frozen=True)
class Cursor:
    """A place in a list: the last entry seen."""

    queued_at: datetime
    entry_id: str
    key: Decimal | None = None
    """What the list goes by, if that is not time: an amount, or the number of a document."""


@dataclass(frozen=True)
class Order:
    """An order of entries; those with the same amount or number are in the order of time."""

    by: By = "time"
    """Entries without an amount, or without a number, come last."""
    descending: bool = False
    backwards: bool = False
    """From the end of the list to its beginning."""

    @property
    def direction(self) -> sql.SQL:
        """The direction of all keys."""
        return sql.SQL("DESC" if self.descending is not self.backwards else "ASC")

    @property
    def key(self) -> sql.SQL | None:
        """What entries go by before time, or None."""
        return sql.SQL(_KEYS[self.by]) if self.by in _KEYS else None

    def keys(self, key: sql.Composable | None) -> sql.Composed:
        """Return the list for ORDER BY, ``key`` standing for what entries go by before time."""
        time = sql.SQL("queued_at {0}, entry_id {0}").format(self.direction)
        return time if key is None else sql.SQL("{} {}, {}").format(key, self.direction, time)

    def whole(self, key: sql.Composable | None) -> sql.Composed:
        """Return the same with those that have no key in their place."""
        if key is None:
            return self.keys(None)
        last = sql.SQL("DESC" if self.backwards else "ASC")
        return sql.SQL("{} IS NULL {}, {}").format(key, last, self.keys(key))

    def behind(self, after: Cursor | None, key: sql.SQL | None) -> sql.Composable | None:
        """Return the condition that an entry with (or, if ``key`` is None, without) a key comes after that
        one; None if none does.
        """
        without_key = self.by in _KEYS and key is None
        if after is None:
            return sql.SQL("true")
        if self.by in _KEYS and (after.key is None) is not without_key:
            return sql.SQL("true") if without_key is not self.backwards else None
        columns = (
            sql.SQL("queued_at, entry_id") if key is None else sql.SQL("{}, queued_at, entry_id").format(key)
        )
        compared = sql.SQL("<" if self.descending is not self.backwards else ">")
        values = sql.SQL(
            "%(after_time)s, %(after_id)s" if key is None else "%(after_key)s, %(after_time)s, %(after_id)s"
        )
        return sql.SQL("({}) {} ({})").format(columns, compared, values)

    def all_behind(self, after: Cursor) -> sql.Composable:
        """Return the condition that an entry comes after that one, whether it has a key or not."""
        behind = self.behind(after, None) or sql.SQL("false")
        if self.key is None:
            return behind
        with_key = self.behind(after, self.key) or sql.SQL("false")
        return sql.SQL("CASE WHEN {} IS NULL THEN {} ELSE {} END").format(self.key, behind, with_key)


def digits(record_number: str) -> Decimal | None:
    """Return the number at the end of a document's number, as PostgreSQL's function of this name does."""
    found = _DIGITS.search(record_number[:100])
    return Decimal(found[1]) if found else None


def place(after: Cursor | None) -> dict[str, Any]:
    """Return the parameters of a place in a list."""
    if after is None:
        return {}
    return {"after_time": after.queued_at, "after_id": after.entry_id, "after_key": after.key}


def page_query(
    columns: sql.SQL,
    conditions: Conditions,
    order: Order,
    after: Cursor | None = None,
    ways: Sequence[sql.Composable] = (),
) -> sql.Composed:
    """Return the entries that meet all ``conditions`` (by filters' names), at most ``limit``, as one
    statement.

    Args:
        after: go on behind this one.
        ways: instead of the condition ``text``, conditions one of which an entry meets.
    """
    key = order.key
    if key is not None:
        found = _by_key(conditions, order, after, ways, key)
        return sql.SQL(_SQL["page"]).format(
            columns=columns, found=found, inner=order.whole(sql.SQL("key")), outer=order.whole(key)
        )
    behind = {"after": order.behind(after, None) or sql.SQL("false")} if after else {}
    conditions = {**conditions, **behind}
    if not {"text", "reason", "number"} & conditions.keys() and not _by_accounts(conditions):
        return sql.SQL(_SQL["plain"]).format(
            columns=columns, conditions=all_of(conditions.values()), order=order.keys(None)
        )
    found = _by_time(conditions, order, ways)
    return sql.SQL(_SQL["page"]).format(
        columns=columns, found=found, inner=order.keys(None), outer=order.keys(None)
    )


def all_of(conditions: Iterable[sql.Composable]) -> sql.Composed:
    """Return a condition that holds when all of these do."""
    return sql.SQL(" AND ").join([*conditions] or [sql.SQL("true")])


def any_of(conditions: Iterable[sql.Composable]) -> sql.Composed:
    """Return a condition that holds when one of these does."""
    return sql.SQL("({})").format(sql.SQL(" OR ").join([*conditions] or [sql.SQL("false")]))


def on_table(conditions: Conditions, ways: Sequence[sql.Composable]) -> dict[str, sql.Composable]:
    """Return the conditions as they are asked of the table instead of the view."""
    changed: dict[str, sql.Composable] = {}
    if "reason" in conditions:
        changed["reason"] = sql.SQL(f"(({_REASONS[0]}) OR ({_REASONS[1]}))")
    if "text" in conditions:
        changed["text"] = any_of(ways)
    return {**conditions, **changed}


def _by_time(conditions: Conditions, order: Order, ways: Sequence[sql.Composable]) -> sql.Composed:
    if "text" in conditions:
        return _text(conditions, order, ways)
    if "number" in conditions:
        few = all_of(on_table(conditions, ways).values())
        return sql.SQL(_SQL["few"]).format(conditions=few, order=order.keys(None))
    scans = _scans(conditions, order)
    return sql.SQL("\nUNION ALL\n").join([sql.SQL("({})").format(scan) for scan in scans])


def _text(conditions: Conditions, order: Order, ways: Sequence[sql.Composable]) -> sql.Composed:
    others = {name: found for name, found in on_table(conditions, ways).items() if name != "text"}
    arms = [
        sql.SQL(_SQL["arm"]).format(way=way, conditions=all_of(others.values()), order=order.keys(None))
        for way in ways or [sql.SQL("false")]
    ]
    return sql.SQL(_SQL["newest"]).format(
        scan=_scan(sql.SQL("e.*"), others, order, _NEAR),
        text=any_of(ways),
        arms=sql.SQL("\nUNION\n").join(arms),
        order=order.keys(None),
    )


def _by_key(
    conditions: Conditions,
    order: Order,
    after: Cursor | None,
    ways: Sequence[sql.Composable],
    key: sql.SQL,
) -> sql.Composed:
    """Return those with a key in its order, and if these do not fill the page, those without it."""
    whole = on_table(conditions, ways)
    others = {name: found for name, found in whole.items() if name != "text"}
    with_key = order.behind(after, key) or sql.SQL("false")
    without_key = order.behind(after, None) or sql.SQL("false")
    arms = [
        sql.SQL(_SQL["key_arm"]).format(
            key=key,
            place=order.behind(after, sql.SQL("key")) or sql.SQL("false"),
            conditions=all_of([*others.values(), *([way] if "text" in conditions else [])]),
            order=order.keys(sql.SQL("key")),
        )
        for way in (ways or [sql.SQL("false")] if "text" in conditions else [sql.SQL("true")])
    ]
    rest = {**conditions, "key": sql.SQL("{} IS NULL").format(key), "after": without_key}
    if not order.backwards:
        rest["missing"] = sql.SQL("(SELECT count(*) FROM keyed) < %(limit)s")
    return sql.SQL(_SQL["by_key"]).format(
        key=key,
        place=with_key,
        near=_NEAR,
        walk=order.keys(key),
        order=order.keys(sql.SQL("key")),
        conditions=all_of(whole.values()),
        arms=sql.SQL("\nUNION\n").join(arms),
        rest=_by_time(rest, replace(order, by="time"), ways),
    )


def _scans(conditions: Conditions, order: Order) -> list[sql.Composed]:
    """Return scans that together have the first ``limit`` entries, each entry once."""
    keys = sql.SQL("queued_at, entry_id")
    if "reason" not in conditions:
        return [_scan(keys, conditions, order, _LIMIT)]
    return [_scan(keys, {**conditions, "reason": sql.SQL(reason)}, order, _LIMIT) for reason in _REASONS]


def _scan(columns: sql.SQL, conditions: Conditions, order: Order, limit: sql.SQL) -> sql.Composed:
    name = "scan"
    if _by_accounts(conditions):
        name = "scan_accounts"
        conditions = {name: condition for name, condition in conditions.items() if name != "accounts"}
    return sql.SQL(_SQL[name]).format(
        columns=columns, conditions=all_of(conditions.values()), order=order.keys(None), limit=limit
    )


def _by_accounts(conditions: Conditions) -> bool:
    return "accounts" in conditions and "account" not in conditions
