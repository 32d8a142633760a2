"""``sbx acts``: who did what, when, from where, and what came of it."""

import asyncio
from datetime import UTC
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from sbx.actions import audit
from sbx.actions.audit import WantedActs
from sbx.cli.acting import actor, connected
from sbx.cli.filters import moment
from sbx.cli.options import AsJson
from sbx.cli.terminal import print_json, say, stdout_console

_SHOWN = 50


def acts(
    by: Annotated[str | None, typer.Option("--actor", help="Who: a user of the page, or cli:NAME.")] = None,
    act: Annotated[str | None, typer.Option(help="What, such as retry, pause or settings.")] = None,
    account: Annotated[str | None, typer.Option(help="On this account.")] = None,
    since: Annotated[str | None, typer.Option(help="Since a time, or 30m, 2h, 1d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Until a time, or 30m, 2h, 1d ago.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many, the newest.")] = _SHOWN,
    as_json: AsJson = False,
) -> None:
    """Show who did what, on the page, through the API and on the command line.

    The newest first; with --json one act per line.
    """
    wanted = WantedActs(by, act, account, moment("--since", since), moment("--until", until))
    rows = asyncio.run(_read(wanted, limit))
    if as_json:
        for row in rows:
            print_json(row)
    elif rows:
        stdout_console().print(_table(rows))
    else:
        say("nothing was done that matches")


async def _read(wanted: WantedActs, limit: int) -> list[dict[str, Any]]:
    async with connected("sbx acts") as (_, connection):
        return await audit.acts(connection, actor(), wanted, limit)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when (UTC)", "who", "from", "what", "on", "note", "result"):
        table.add_column(name, overflow="fold")
    for row in rows:
        texts = (
            row["actor"],
            row["address"],
            row["act"],
            audit.on_what(row),
            row["note"],
            audit.came_of(row),
        )
        table.add_row(f"{row['at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}", *map(Text, texts))
    return table
