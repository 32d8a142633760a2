"""``sbx log``: the entries of the Integrations Log."""

import asyncio
import difflib
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_args

import psycopg
import typer
from rich.table import Table
from rich.text import Text

from contracts.commands import Action, Entity
from contracts.reasons import CATALOGUE
from contracts.results import State
from log_projection import queries
from log_projection.queries import Filters
from ops import environment
from ops.errors import BadUsage
from ops.options import AsJson, check_account
from ops.terminal import STATE_COLOURS, say, stdout_console

_SHOWN = 50
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def log(
    account: Annotated[
        str | None, typer.Option(callback=check_account, help="SalesBinder sub-domain.")
    ] = None,
    state: Annotated[str | None, typer.Option(help="queued, running, completed or failed.")] = None,
    entity: Annotated[str | None, typer.Option(help="customer, supplier, invoice or purchase_order.")] = None,
    action: Annotated[str | None, typer.Option(help="Such as created or payment_applied.")] = None,
    reason: Annotated[str | None, typer.Option(help="A reason code, such as tax_rate_unmapped.")] = None,
    number: Annotated[str | None, typer.Option(help="A document's number.")] = None,
    record: Annotated[str | None, typer.Option(help="A record's SalesBinder id.")] = None,
    entry: Annotated[str | None, typer.Option("--id", help="An entry's id.")] = None,
    text: Annotated[str | None, typer.Option(help="How a number, name or id begins.")] = None,
    since: Annotated[str | None, typer.Option(help="Queued since: a time, or 30m, 2h, 1d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Queued before: a time, or 30m, 2h, 1d ago.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many, the newest. [default: 50; with --json all]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of every action.

    The newest 50, the newest last; with --json all, one entry a line, the oldest first.
    """
    filters = Filters(
        account=account,
        state=_one_of("--state", state, get_args(State)),
        entity=_one_of("--entity", entity, get_args(Entity)),
        action=_one_of("--action", action, get_args(Action)),
        reason=_one_of("--reason", reason, sorted(CATALOGUE)),
        number=number,
        record=record,
        entry_id=entry,
        text=text,
        since=_moment("--since", since),
        until=_moment("--until", until),
    )
    if as_json:
        asyncio.run(_print_json(filters, limit))
    else:
        asyncio.run(_print_table(filters, limit or _SHOWN))


async def _connect() -> psycopg.AsyncConnection[Any]:
    used = environment.required(database=True)
    return await psycopg.AsyncConnection.connect(**used.psycopg("sbx log"))


async def _print_json(filters: Filters, limit: int | None) -> None:
    async with await _connect() as connection:
        if limit is None:
            async for row in queries.entries(connection, filters):
                sys.stdout.write(queries.encode_row(row).decode() + "\n")
        else:
            for row in reversed(await _newest(connection, filters, limit)):
                sys.stdout.write(queries.encode_row(row).decode() + "\n")


async def _newest(
    connection: psycopg.AsyncConnection[Any], filters: Filters, limit: int
) -> list[queries.Row]:
    return [row async for row in queries.entries(connection, filters, limit=limit, newest_first=True)]


async def _print_table(filters: Filters, limit: int) -> None:
    async with await _connect() as connection:
        newest = await _newest(connection, filters, limit + 1)
    if not newest:
        say("no entries")
        return
    stdout_console().print(entries_table(newest[limit - 1 :: -1]))
    if len(newest) > limit:
        say(f"the newest {limit}; for more: --limit, or --json for all")


def entries_table(rows: Sequence[queries.Row]) -> Table:
    """Entries for people."""
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
    """The action in words: ``invoice 5001 payment applied``."""
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


def _one_of(option: str, value: str | None, allowed: Sequence[str]) -> str | None:
    if value is None or value in allowed:
        return value
    near = difflib.get_close_matches(value, allowed, n=3) if len(allowed) > 20 else allowed
    remedy = f"use one of: {', '.join(near)}" if near else "all reason codes are in docs/reasons.md"
    raise BadUsage(f"{option} {value}: there is no such {option.lstrip('-')}", remedy)


def _moment(option: str, value: str | None) -> datetime | None:
    if value is None:
        return None
    ago = re.fullmatch(r"(\d{1,6})([smhdw])", value)
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadUsage(
            f"{option} {value}: is not a time",
            "write 2026-01-31T09:00:00Z, or 2h for two hours ago",
        ) from error
    return moment if moment.tzinfo else moment.astimezone()
