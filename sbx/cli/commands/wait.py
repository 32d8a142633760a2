"""``sbx wait --idle``: wait until every event published so far has ended."""

from typing import Annotated

import typer


def wait(
    idle: Annotated[bool, typer.Option("--idle", help="Wait until all published events have ended.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds.")] = 300.0,
) -> None:
    """Wait until all events published have ended.

    An event has ended when it completed or failed for good. Events waiting for another attempt,
    held by a paused account or in a publisher's open transaction have not. Exit code 1 on timeout; stderr
    then says what is open.
    """
    from sbx.cli import wait as work

    work.wait(idle, timeout)
