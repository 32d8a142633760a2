"""``sbx log``: the entries of the Integrations Log."""

import asyncio
import sys
from collections.abc import Sequence
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


def log(wanted: Filters, limit: int | None, sort: str | None, as_json: bool) -> None:
    """Run ``sbx log``.

    Raises:
        ActionRefused: there is no such order.
    """
    order = None if sort is None else read_order(sort)
    if as_json:
        asyncio.run(_print_json(wanted, limit, order))
    else:
        asyncio.run(_print_table(wanted, limit or _SHOWN, order))


async def _print_json(wanted: Filters, limit: int | None, order: Order | None) -> None:
    async with connected("sbx log") as (_, connection):
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


async def _print_table(wanted: Filters, limit: int, order: Order | None) -> None:
    async with connected("sbx log") as (_, connection):
        found = await _first(connection, wanted, limit + 1, order)
        accounts = [] if found else [row["account"] for row in await queries.summary(connection)]
        hits = await queries.hits(connection, wanted) if len(found) > limit else None
    if not found:
        say(_nothing(wanted, accounts))
        return
    stdout_console().print(entries_table(_in_order(found[:limit], order)))
    if hits is not None:
        which = "newest" if order is None else "first"
        number, more = hits.of(wanted.state or "all")
        total = f"more than {number:,}" if more else f"{number:,}"
        say(f"showing the {which} {limit} of {total}; use --limit for more, or --json for all")


def _nothing(wanted: Filters, accounts: Sequence[str]) -> str:
    """Say that nothing matches, and which accounts there are if an unknown one was asked for."""
    if wanted.account is None or wanted.account in accounts:
        return "no entries"
    known = f"there are: {', '.join(sorted(accounts))}" if accounts else "the log has none yet"
    return f"no entries: the log has no account {wanted.account}; {known}"


def entries_table(rows: Sequence[queries.Row]) -> Table:
    """Print the entries for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("queued", "account", "what", "party", "amount", "state", "why and what to do"):
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
            row["account"],
            what(row),
            Text(row["party_name"]),
            f"{row['amount']:,} {row['currency']}".rstrip() if row["amount"] is not None else "",
            Text(row["state"], STATE_COLOURS[row["state"]]),
            _why(row),
        )
    return table


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
