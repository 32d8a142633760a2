"""``sbx recover``: after a restore, what is missing or uncertain, and taking it up again."""

from typing import Annotated

import typer

from sbx.cli.commands.options import AsJson


def recover(
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--everything",
            help="Doubt all accounts: Kafka cannot tell what is missing, since it was lost or restored, too.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """After a restore: find out what is missing or uncertain, and mend it.

    A database that is older than what was sent from it is held: nothing is taken in or sent. This says since
    when it is behind, how many events it lacks, what may stand in Xero already, and how many calls it takes
    to find out. --yes takes the events up again, in order, has each account's lane look up in Xero what was
    perhaps sent, and lets all accounts go on. It may be stopped and run again.
    """
    from sbx.cli import recover as work

    work.recover(yes, everything, as_json)
