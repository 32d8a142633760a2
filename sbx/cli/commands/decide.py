"""``sbx decide``: settle a call whose response was lost and that only a person can resolve. Plans first."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson


def decide(
    entry: Annotated[str, typer.Argument(metavar="ENTRY", help="Id of an entry in needs_review.")],
    adopt: Annotated[str | None, typer.Option(metavar="ID", help="The candidate in Xero that it is.")] = None,
    send: Annotated[bool, typer.Option("--send", help="It is none of them: send it again.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide what happened to a call whose response was lost.

    Shows the candidates in Xero. --adopt links the entry to one of them, --send sends it again; add --yes
    to do it.
    """
    from sbx.cli import decide as work

    work.decide(entry=entry, adopt=adopt, send=send, yes=yes, as_json=as_json)
