"""``sbx demo``: the whole pipeline with a sample shop's day and a fake Xero, and a look at both books."""

from typing import Annotated

import typer

from sbx.cli.commands.options import AsJson


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="End after the comparison; exit code 1 when the books do not agree."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the pipeline at work with a sample shop.

    A day of its events goes to a fake Xero; then the log and both books are shown side by side and compared.

    Everything runs in a temporary directory (inside of SBX_DATA_DIR where that is set) with Kafka and
    PostgreSQL of its own. Takes about a minute; without --once it then stays up until Ctrl-C.
    """
    from sbx.cli.demo import demo as work

    work.demo(once, as_json)
