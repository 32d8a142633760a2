"""``sbx preview``: what would be sent to Xero for a file of events; nothing is sent or stored."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson, check_account


def preview(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A file of JSON lines, one event per line; - is stdin.")
    ],
    account: Annotated[
        str | None, typer.Option(callback=check_account, help="Only events of this account.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what would be sent to Xero.

    Plans a file's events with today's settings, all at once, with the same code that sends; nothing
    is sent or stored. --account selects the events of one account. Exit code 1 if an action would fail.
    """
    from sbx.cli import preview as work

    work.preview(file, account, as_json)
