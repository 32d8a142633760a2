"""``sbx pause`` and ``sbx resume``: hold an account, let it go on."""

from typing import Annotated

import typer

from sbx.cli.commands.options import Account, AsJson


def pause(
    account: Account,
    reason: Annotated[str, typer.Option(help="Why; the log shows it.")] = "by an operator",
    as_json: AsJson = False,
) -> None:
    """Hold an account: nothing is sent to Xero.

    What comes in waits, in order, until it is resumed.
    """
    from sbx.cli import pause as work

    work.pause(account, reason, as_json)


def resume(account: Account, as_json: AsJson = False) -> None:
    """Let a paused account go on."""
    from sbx.cli import pause as work

    work.resume(account, as_json)
