"""``sbx acts``: who did what, when, from where, and what came of it."""

from typing import Annotated

import typer

from sbx.cli.commands.options import AsJson


def acts(
    by: Annotated[str | None, typer.Option("--actor", help="Who: a user of the page, or cli:NAME.")] = None,
    act: Annotated[str | None, typer.Option(help="What, such as retry, pause or settings.")] = None,
    account: Annotated[str | None, typer.Option(help="On this account.")] = None,
    since: Annotated[str | None, typer.Option(help="Since a time, or 30m, 2h, 1d ago.")] = None,
    until: Annotated[str | None, typer.Option(help="Until a time, or 30m, 2h, 1d ago.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many, the newest.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show who did what, on the page, through the API and on the command line.

    The newest first; with --json one act per line.
    """
    from sbx.cli import acts as work

    work.acts(by=by, act=act, account=account, since=since, until=until, limit=limit, as_json=as_json)
