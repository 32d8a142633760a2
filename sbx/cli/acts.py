"""``sbx acts``: who did what, when, from where, and what came of it."""

import asyncio
from datetime import UTC
from typing import Any

from rich.table import Table
from rich.text import Text

from sbx.actions import audit
from sbx.actions.audit import WantedActs
from sbx.cli.acting import actor, connected
from sbx.cli.filters import moment
from sbx.cli.terminal import print_json, say, stdout_console


def acts(
    *,
    by: str | None,
    act: str | None,
    account: str | None,
    since: str | None,
    until: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Run ``sbx acts``."""
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
