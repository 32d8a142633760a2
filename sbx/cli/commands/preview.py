"""``sbx preview``: what Xero would be sent for a file of events, with nothing sent and nothing kept."""

from typing import Annotated

import typer

from sbx.cli.commands.options import AsJson, check_account


def preview(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A file of JSON lines, one event a line; - is stdin.")
    ],
    account: Annotated[
        str | None, typer.Option(callback=check_account, help="Only the events of this account.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what Xero would be sent.

    Plans a file's events with today's settings, all at once, by the code that really sends; nothing is sent,
    and nothing is stored. --account takes only the events of one account. Exit code 1 when an action would
    fail.
    """
    from sbx.cli import preview as work

    work.preview(file, account, as_json)
