"""``sbx acts``: who did what, when, from where, and with what result."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson


def acts(
    by: Annotated[
        str | None, typer.Option("--actor", help="Who did it: a user of the page, or cli:NAME.")
    ] = None,
    act: Annotated[
        str | None, typer.Option(help="The kind of act, such as retry, pause or settings.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only acts on this account.")] = None,
    since: Annotated[
        str | None, typer.Option(help="At or after: a time, today, yesterday, or 30m, 2h, 1d ago.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Before: a time, today, yesterday, or 30m, 2h, 1d ago.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what, on the page, through the API and on the command line.

    Newest first; with --json, one act per line.
    """
    from sbx.cli import acts as work

    work.acts(by=by, act=act, account=account, since=since, until=until, limit=limit, as_json=as_json)
