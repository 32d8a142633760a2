"""``sbx secrets``: which key the stored secrets are under, and encrypt them again with the new one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import typer
from psycopg import sql

from runtime.database import Connection, fetch_all
from runtime.secret_keys import SecretKeyError, new_secret_key, split
from runtime.secrets import SecretBox
from sbx.actions import audit
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage
from sbx.cli.terminal import plural, print_json, say, show_rows

_BITE: Final = 100
"""Rows per transaction: workers that want one of them wait for no longer than that takes."""
_PATIENCE_SECONDS: Final = 90.0
"""For how long rows that a worker holds are tried again: one that fetches a token holds its own meanwhile."""
_REST_SECONDS: Final = 1.0

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Columns of a table that hold secrets."""

    what: str
    schema: str
    table: str
    key: str
    """The primary key, by which the rows are gone through."""
    columns: tuple[str, ...]
    only: str = "true"
    """Rows without which nothing would be missing are left out."""


PLACES: Final = (
    Place("Xero client secrets", "connections", "accounts", "account", ("client_secret_encrypted",)),
    Place("Xero tokens", "connections", "tokens", "account", ("refresh_token_encrypted", "token_encrypted")),
    Place("SalesBinder API keys", "source", "accounts", "account", ("api_key_encrypted",)),
    Place("keys of change feeds", "source", "feeds", "account", ("api_key_encrypted",)),
    Place("webhook addresses", "source", "hooks", "account", ("token_encrypted",)),
    Place(
        "connections under way in a browser",
        "web",
        "agreements",
        "state_hash",
        ("client_secret_encrypted", "verifier_encrypted"),
        "expires_at > clock_timestamp()",
    ),
)


@dataclass(slots=True)
class Tally:
    """How many secrets of a place are under which key."""

    place: Place
    current: int = 0
    old: int = 0
    unreadable: int = 0
    needs: Counter[tuple[str, str]] = field(default_factory=Counter)
    """The unreadable ones by account and the id of the key that they need."""

    def count(self, box: SecretBox, account: str, encrypted: bytes) -> None:
        """Count one secret."""
        if box.is_current(encrypted):
            self.current += 1
        elif _text_of(box, encrypted) is not None:
            self.old += 1
        else:
            self.unreadable += 1
            self.needs[account, split(encrypted)[0]] += 1


def new_key() -> None:
    """Run ``sbx secrets new-key``."""
    print(new_secret_key())


def rotate(*, yes: bool, check: bool, as_json: bool) -> None:
    """Run ``sbx secrets rotate``."""
    if yes and check:
        raise BadUsage("--yes and --check are two questions", "ask one after the other")
    used = environment.required(database=True)
    rotated, tallies = asyncio.run(_rotate(SecretBox.of(used), yes))
    old, unreadable = (sum(getattr(tally, name) for tally in tallies) for name in ("old", "unreadable"))
    _show(tallies, {"applied": yes, "rotated": rotated, "old": old, "unreadable": unreadable}, as_json)
    if (check or yes) and (old or unreadable):
        raise typer.Exit(1)


async def _rotate(box: SecretBox, yes: bool) -> tuple[int, list[Tally]]:
    async with connected("sbx secrets") as (_, connection):
        rotated = 0
        tallies = await _tallies(connection, box)
        if yes and any(tally.old for tally in tallies):
            async with audit.announced(connection, actor(), "rotate_secrets", {}) as record:
                until = monotonic() + _PATIENCE_SECONDS
                while any(tally.old for tally in tallies) and monotonic() < until:
                    before = rotated
                    for place in PLACES:
                        rotated += await _pass(connection, box, place, record)
                    tallies = await _tallies(connection, box)
                    if rotated == before:  # the others are held: wait for their workers
                        await asyncio.sleep(_REST_SECONDS)
        return rotated, tallies


async def _pass(connection: Connection, box: SecretBox, place: Place, record: audit.Record) -> int:
    """Encrypt again what is under the old key, in small transactions; return how many secrets that were.

    A row that somebody holds is left for the next pass. Each bite is recorded, so the act of a command that
    was killed shows how far it has come; the next one goes on from there.
    """
    rotated, after, more = 0, None, True
    so_far = record.result.get("rotated", 0)
    while more:
        async with audit.going_on(connection, record):
            rows = await fetch_all(connection, _select(place, after, lock=True), {"after": after})
            for row in rows:
                if changed := _renewed(box, place, row):
                    await connection.execute(_update(place, changed), {**changed, "key": row["key"]})
                    rotated += len(changed)
            record.result["rotated"] = so_far + rotated
        more = len(rows) == _BITE
        after = rows[-1]["key"] if rows else None
    return rotated


def _renewed(box: SecretBox, place: Place, row: Row) -> dict[str, bytes]:
    """Return the row's secrets that are under the old key, by column, under the new one."""
    found = {}
    for column in place.columns:
        encrypted = None if row[column] is None else bytes(row[column])
        if encrypted is not None and not box.is_current(encrypted):
            text = _text_of(box, encrypted)
            if text is not None:
                found[column] = box.encrypt(text)
    return found


async def _tallies(connection: Connection, box: SecretBox) -> list[Tally]:
    tallies = []
    for place in PLACES:
        tally = Tally(place)
        async for row in _rows(connection, place):
            for column in place.columns:
                if row[column] is not None:
                    tally.count(box, row["account"], bytes(row[column]))
        tallies.append(tally)
    return tallies


async def _rows(connection: Connection, place: Place) -> AsyncIterator[Row]:
    after = None
    while rows := await fetch_all(connection, _select(place, after, lock=False), {"after": after}):
        for row in rows:
            yield row
        after = rows[-1]["key"]


def _select(place: Place, after: object, *, lock: bool) -> sql.Composed:
    columns = sql.SQL(", ").join(map(sql.Identifier, place.columns))
    statement = sql.SQL(
        "SELECT {key} AS key, account, {columns} FROM {table} WHERE {only}{after} ORDER BY {key} {end}"
    )
    return statement.format(
        key=sql.Identifier(place.key),
        columns=columns,
        table=sql.Identifier(place.schema, place.table),
        only=sql.SQL(place.only),  # a constant of this module
        after=sql.SQL("")
        if after is None
        else sql.SQL(" AND {} > %(after)s").format(sql.Identifier(place.key)),
        end=sql.SQL(f"LIMIT {_BITE}" + (" FOR NO KEY UPDATE SKIP LOCKED" if lock else "")),
    )


def _update(place: Place, changed: dict[str, bytes]) -> sql.Composed:
    pairs = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in changed]
    return sql.SQL("UPDATE {table} SET {pairs} WHERE {key} = %(key)s").format(
        table=sql.Identifier(place.schema, place.table),
        pairs=sql.SQL(", ").join(pairs),
        key=sql.Identifier(place.key),
    )


def _text_of(box: SecretBox, encrypted: bytes) -> str | None:
    """Return the secret; None if neither key reads it."""
    try:
        return box.decrypt(encrypted)
    except SecretKeyError:
        return None


def _show(tallies: list[Tally], total: dict[str, Any], as_json: bool) -> None:
    unreadable = [
        {"what": tally.place.what, "account": account, "needs": key}
        for tally in tallies
        for account, key in sorted(tally.needs)
    ]
    rows = [
        {"what": one.place.what, "current": one.current, "old": one.old, "unreadable": one.unreadable}
        for one in tallies
    ]
    if as_json:
        print_json({**total, "secrets": rows, "needs": unreadable})
        return
    names = ("secrets", "under the key", "under the old key", "unreadable")
    show_rows(rows, False, names, lambda row: map(str, row.values()))
    for each in unreadable:
        needed = f"the key {each['needs']}" if each["needs"] else "a key without an id"
        say(
            f"{each['what']} of {each['account']}: need {needed}; set it as SBX_SECRET_KEY_OLD, or connect "
            "again",
            "red",
        )
    print(_summary(total))


def _summary(total: dict[str, Any]) -> str:
    if total["applied"] and total["rotated"]:
        done = f"{plural(total['rotated'], 'secret')} encrypted again"
        return done if not total["old"] else f"{done}; {total['old']} are held or still written: run it again"
    if total["old"]:
        return f"{plural(total['old'], 'secret')} to encrypt again: add --yes"
    return (
        "nothing is under the old key"
        if not total["unreadable"]
        else "nothing that can be read is under an old key"
    )
