"""``sbx wait --idle``: until every event that was published so far has ended."""

from typing import Annotated

import typer


def wait(
    idle: Annotated[bool, typer.Option("--idle", help="Wait until all published events have ended.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds.")] = 300.0,
) -> None:
    """Wait until all events published have ended.

    Ended is what completed or failed for good. What waits to be tried again has not ended, nor has
    what a paused account holds, nor what a publisher's open transaction holds. Exit code 1 when not in
    time; stderr then says what is open.
    """
    from sbx.cli import wait as work

    work.wait(idle, timeout)
