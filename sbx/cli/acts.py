"""``sbx acts``: who did what, when, from where, and with what result."""

import asyncio
from datetime import UTC
from typing import Any

from sbx.actions import audit
from sbx.actions.audit import WantedActs
from sbx.cli.acting import actor, connected
from sbx.cli.terminal import show_rows
from sbx.cli.times import moment


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
    wanted = WantedActs(
        by, audit.known_kind(act), account, moment("--since", since), moment("--until", until)
    )
    rows = asyncio.run(_read(wanted, limit))
    names = ("when (UTC)", "who", "from", "what", "on", "note", "result")
    show_rows(rows, as_json, names, _cells, "no matching acts")


async def _read(wanted: WantedActs, limit: int) -> list[dict[str, Any]]:
    async with connected("sbx acts") as (_, connection):
        return await audit.acts(connection, actor(), wanted, limit)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    when = f"{row['at'].astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    what, on, came = row["act"], audit.on_what(row), audit.came_of(row)
    return when, row["actor"], row["address"], what, on, row["note"], came
