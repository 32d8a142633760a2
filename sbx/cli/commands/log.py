"""``sbx log``: the entries of the Integrations Log."""

from typing import TYPE_CHECKING, Annotated

import typer

from sbx.cli.commands.filters import filtered
from sbx.cli.options import AsJson

if TYPE_CHECKING:
    from log_projection.queries import Filters


@filtered
def log(
    wanted: "Filters",
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="Show at most this many of the newest entries. [default: 50; with --json, all]"
        ),
    ] = None,
    ids: Annotated[
        bool, typer.Option("--ids", help="Show the id of each entry, and where its event is in Kafka.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Then show what changes, until Ctrl-C.")
    ] = False,
    sort: Annotated[
        str | None,
        typer.Option(help="time, amount or document; -time, -amount or -document for the other way round."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened to every action.

    The newest 50, newest last; with --json, all of them, one entry per line, oldest first. With --sort, the
    first 50 of that order.
    """
    from sbx.cli import log as work

    work.log(wanted, limit, sort, ids, follow, as_json)
