"""``sbx notify``: tell people by webhook and e-mail."""

from typing import Annotated

import typer

from sbx.cli.commands.options import AsJson


def notify(
    test: Annotated[
        bool, typer.Option("--test", help="Send one test message to each channel, say what came of it, end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell people of new issues, held accounts and work that waits too long, until SIGTERM or Ctrl-C.

    Where to is set by SBX_NOTIFY_WEBHOOK_URL and SBX_NOTIFY_SMTP_URL. Any number of processes may run.
    """
    from sbx.notify import command as work

    work.notify(test, as_json)
