"""``sbx recover``: after a restore, find what is missing or uncertain, and recover it."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson


def recover(
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="Treat all accounts as uncertain: Kafka was lost or restored too, so it cannot tell what "
            "is missing.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """After a restore, find what is missing or uncertain, and recover it.

    A database that is older than what was sent from it is held: nothing is taken in or sent. This
    shows since when it is behind, how many events it lacks, what may be in Xero already, and how many calls
    it takes to find out. --yes reads the events again, in order, has each account's lane look up in Xero what
    may have been sent, and lets all accounts continue. It can be stopped and run again.
    """
    from sbx.cli import recover as work

    work.recover(yes, everything, as_json)
