"""``sbx notify``: notify people by webhook and e-mail."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson


def notify(
    test: Annotated[
        bool,
        typer.Option("--test", help="Send one test message to each channel, report the result, and exit."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Notify people about new issues, held accounts and work that waits too long, until SIGTERM or Ctrl-C.

    SBX_NOTIFY_WEBHOOK_URL and SBX_NOTIFY_SMTP_URL set the receivers. Any number of processes may run.
    """
    from sbx.cli import notify as work

    work.notify(test, as_json)
