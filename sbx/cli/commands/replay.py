"""``sbx replay``: read events again from their topics, and do what is not yet done."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from sbx.cli.commands.filters import filtered_by
from sbx.cli.filter_options import Options
from sbx.cli.options import AsJson

if TYPE_CHECKING:
    from log_projection.queries import Filters


@filtered_by(*(one.name for one in fields(Options) if one.name != "topic"))
def replay(
    wanted: "Filters",
    topic: Annotated[
        list[str] | None, typer.Option(help="A topic of change events; may be repeated. [default: all]")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")
    ] = False,
    resume: Annotated[
        int | None, typer.Option(metavar="ID", help="Continue a replay that was stopped.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Compare completed actions with Xero, and send again what differs."),
    ] = False,
    cancel: Annotated[int | None, typer.Option(metavar="ID", help="Stop a replay that is running.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="Show all replays.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read events again from their topics, and do what is not yet done.

    Shows the plan first; add --yes to run it. Completed actions cost no call and stay as they
    are; failed ones are retried; missing ones are taken in; with --force, completed ones are compared with
    Xero and sent again if they differ. Ctrl-C stops it, and --resume continues. --since and --until are
    publishing times; --offset needs --topic and --partition; --id, --state, --reason, --issue and --text
    select by what the log shows for the events.
    """
    from sbx.cli.replay import replay as work

    work.replay(
        wanted=wanted,
        topic=topic,
        yes=yes,
        resume=resume,
        force=force,
        cancel=cancel,
        list_all=list_all,
        as_json=as_json,
    )
