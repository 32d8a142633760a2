"""``sbx replay``: read events again from their topics, and do what is not done."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated

import typer

from sbx.cli.commands.filters import Options, filtered_by
from sbx.cli.commands.options import AsJson

if TYPE_CHECKING:
    from log_projection.queries import Filters


@filtered_by(*(one.name for one in fields(Options) if one.name != "topic"))
def replay(
    wanted: "Filters",
    topic: Annotated[
        list[str] | None, typer.Option(help="A topic of change events; may be given again. [default: all]")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")
    ] = False,
    resume: Annotated[
        int | None, typer.Option(metavar="ID", help="Go on with a replay that was stopped.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compare what is done with Xero, and send again what differs.")
    ] = False,
    cancel: Annotated[int | None, typer.Option(metavar="ID", help="Stop a replay that is running.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="Show all replays.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read events again from their topics, and do what is not done.

    Says first what there is; --yes does it. What is done costs no call and stays as it is; what failed is
    tried again; what the ledger lacks is taken in; with --force what is done is compared with Xero, and what
    differs is sent again. Ctrl-C stops it, and --resume goes on. --since and --until are times of publishing,
    --offset needs --topic and --partition; --id, --state, --reason, --issue and --text choose by what the log
    shows of the events.
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
