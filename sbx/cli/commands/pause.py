"""``sbx pause`` and ``sbx resume``: stop sending for an account, and continue."""

from typing import Annotated

import typer

from sbx.cli.options import Account, AsJson


def pause(
    account: Account,
    reason: Annotated[str, typer.Option(help="The reason; the log shows it.")] = "by an operator",
    as_json: AsJson = False,
) -> None:
    """Pause an account: nothing is sent to Xero.

    Incoming events wait, in order, until it is resumed.
    """
    from sbx.cli import pause as work

    work.pause(account, reason, as_json)


def resume(account: Account, as_json: AsJson = False) -> None:
    """Resume a paused account."""
    from sbx.cli import pause as work

    work.resume(account, as_json)
