"""``sbx decide``: what became of a call whose answer was lost, where only a person can say. Plan first."""

from typing import Annotated

import typer

from sbx.cli.commands.options import AsJson


def decide(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Id of an entry in needs_review.")],
    adopt: Annotated[str | None, typer.Option(metavar="ID", help="It is this one in Xero.")] = None,
    send: Annotated[bool, typer.Option("--send", help="None of them is it: send it anew.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide what became of a call whose answer was lost.

    Shows what Xero has that it may be. With --adopt it is linked to one of them, with --send it is sent anew;
    --yes does it.
    """
    from sbx.cli import decide as work

    work.decide(entry=entry, adopt=adopt, send=send, yes=yes, as_json=as_json)
