"""``sbx log``: the entries of the Integrations Log."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime

from rich.table import Table
from rich.text import Text

from log_projection import queries
from log_projection.paging import Order
from log_projection.queries import Filters
from sbx.actions.actors import Connection
from sbx.actions.filters import read_order
from sbx.cli.acting import connected
from sbx.cli.terminal import STATE_COLOURS, say, stdout_console

_SHOWN = 50
_LOOK_SECONDS = 0.5


def log(wanted: Filters, limit: int | None, sort: str | None, ids: bool, follow: bool, as_json: bool) -> None:
    """Run ``sbx log``.

    Raises:
        ActionRefused: there is no such order.
    """
    order = None if sort is None else read_order(sort)
    asyncio.run(_log(wanted, limit, order, ids, follow, as_json))


async def _log(
    wanted: Filters, limit: int | None, order: Order | None, ids: bool, follow: bool, as_json: bool
) -> None:
    async with connected("sbx log") as (_, connection):
        # Before the list is read: what changes meanwhile is shown twice rather than never.
        position = await queries.position(connection)
        if as_json:
            await _print_json(connection, wanted, limit, order)
        else:
            await _print_table(connection, wanted, limit or _SHOWN, order, ids)
        if follow:
            sys.stdout.flush()
            async for rows in changes(connection, wanted, position):
                for row in rows:
                    print(queries.encode_row(row).decode() if as_json else line(row, ids), flush=True)


async def changes(
    connection: Connection, wanted: Filters, position: int
) -> AsyncIterator[Sequence[queries.Row]]:
    """Yield the entries that changed after a position and match, in the order of their changes, for ever."""
    while True:
        changed = {str(one["entry_id"]): one for one in await queries.changes(connection, position)}
        if changed:
            position = max(int(one["position"]) for one in changed.values())
            named = replace(wanted, entry_ids=tuple(changed))
            rows = [row async for row in queries.entries(connection, named)]
            yield sorted(rows, key=lambda row: int(changed[row["entry_id"]]["position"]))
        else:
            await asyncio.sleep(_LOOK_SECONDS)


async def _print_json(
    connection: Connection, wanted: Filters, limit: int | None, order: Order | None
) -> None:
    if limit is None:
        async for row in queries.entries(connection, wanted, order=order):
            sys.stdout.write(queries.encode_row(row).decode() + "\n")
    else:
        for row in _in_order(await _first(connection, wanted, limit, order), order):
            sys.stdout.write(queries.encode_row(row).decode() + "\n")


async def _first(
    connection: Connection, wanted: Filters, limit: int, order: Order | None
) -> list[queries.Row]:
    found = queries.entries(connection, wanted, limit=limit, newest_first=True, order=order)
    return [row async for row in found]


def _in_order(rows: list[queries.Row], order: Order | None) -> list[queries.Row]:
    """Return them as they are printed: the newest last, since that is where a terminal stands."""
    return rows[::-1] if order is None else rows


async def _print_table(
    connection: Connection, wanted: Filters, limit: int, order: Order | None, ids: bool
) -> None:
    found = await _first(connection, wanted, limit + 1, order)
    if not found:
        say(_nothing(wanted, [row["account"] for row in await queries.summary(connection)]))
        return
    stdout_console().print(entries_table(_in_order(found[:limit], order), ids=ids))
    if len(found) > limit:
        number, more = (await queries.hits(connection, wanted)).of(wanted.state or "all")
        which = "newest" if order is None else "first"
        total = f"more than {number:,}" if more else f"{number:,}"
        say(f"showing the {which} {limit} of {total}; use --limit for more, or --json for all")


def _nothing(wanted: Filters, accounts: Sequence[str]) -> str:
    """Say that nothing matches, and which accounts there are if an unknown one was asked for."""
    if wanted.account is None or wanted.account in accounts:
        return "no entries"
    known = f"there are: {', '.join(sorted(accounts))}" if accounts else "the log has none yet"
    return f"no entries: the log has no account {wanted.account}; {known}"


def entries_table(rows: Sequence[queries.Row], *, ids: bool = False) -> Table:
    """Print the entries for people.

    Args:
        ids: with the id of each entry, and the place of its event in Kafka.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    places = ("id and event",) if ids else ()
    for name in ("queued", *places, "account", "what", "party", "amount", "state", "why and what to do"):
        table.add_column(
            name,
            justify="right" if name == "amount" else "left",
            no_wrap=name in ("queued", "amount", "state"),
            overflow="fold",
            ratio=1 if name == "why and what to do" else None,
        )
    for row in rows:
        queued: datetime = row["queued_at"]
        table.add_row(
            queued.strftime("%m-%d %H:%M:%S"),
            *((f"{row['entry_id']}\n{place(row)}",) if ids else ()),
            row["account"],
            what(row),
            Text(row["party_name"]),
            f"{row['amount']:,} {row['currency']}".rstrip() if row["amount"] is not None else "",
            Text(row["state"], STATE_COLOURS[row["state"]]),
            _why(row),
        )
    return table


def place(row: queries.Row) -> str:
    """Return where the entry's event is in Kafka: ``salesbinder.invoices/3/120``; blank if nowhere."""
    return f"{row['topic']}/{row['partition']}/{row['offset']}" if row["offset"] is not None else ""


def line(row: queries.Row, ids: bool) -> str:
    """Return a changed entry as one line."""
    at: datetime = row["finished_at"] or row["started_at"] or row["queued_at"]
    amount = f"{row['amount']:,} {row['currency']}".rstrip() if row["amount"] is not None else ""
    outcome = (row["outcome"] or "").replace("_", " ")
    parts = (
        at.strftime("%m-%d %H:%M:%S"),
        *((row["entry_id"], place(row)) if ids else ()),
        row["account"],
        str(what(row)),
        row["party_name"],
        amount,
        row["state"] + (f" ({outcome})" if outcome not in ("", "posted") else ""),
        row["reason"] or "",
    )
    return "  ".join(" ".join(part.split()) for part in parts if part)


def what(row: queries.Row) -> Text:
    """Return the action in words: ``invoice 5001 payment applied``."""
    number = row["record_number"] or row["record_id"][:8]
    return Text(f"{row['entity']} {number} {row['action']}".replace("_", " ").strip())


def _why(row: queries.Row) -> Text:
    parts = [Text(row["outcome"].replace("_", " "), "dim")] if row["outcome"] not in (None, "posted") else []
    if row["reason"]:
        parts.append(Text(row["reason"]))
    if row["remedy"]:
        parts.append(Text(row["remedy"], "italic"))
    parts += [Text(warning["text"], "yellow") for warning in row["warnings"]]
    if row["next_attempt_at"]:
        parts.append(Text(f"next try {row['next_attempt_at']:%H:%M:%S} UTC", "dim"))
    return Text("\n").join(parts)
