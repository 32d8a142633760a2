"""``sbx demo``: the whole pipeline with a sample shop's day and a fake Xero, and both sets of books."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="Exit after the comparison, with exit code 1 if the books do not agree."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the pipeline at work with a sample shop.

    A day of its events goes to a fake Xero; then the log is shown and both sets of books are compared.

    Everything runs in a temporary directory (inside SBX_DATA_DIR if that is set) with its own
    Kafka and PostgreSQL. Takes about a minute; without --once it then keeps running until Ctrl-C.
    """
    from sbx.cli.demo import demo as work

    work.demo(once, as_json)
