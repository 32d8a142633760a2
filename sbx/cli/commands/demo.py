"""``sbx demo``: the whole pipeline between a fake SalesBinder and a fake Xero, compared at the end."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="Exit after the comparison, with exit code 1 if the sides do not agree."),
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish a shop's day as change events instead; without SalesBinder."),
    ] = False,
    by_hand: Annotated[
        bool,
        typer.Option(
            "--by-hand", help="Connect nothing: say what to give the page, where you set the account up."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the pipeline at work with a sample shop.

    A shop changes on a fake SalesBinder, whose API is read; what changed goes through Kafka to a fake Xero.
    At the end the shop, what 'sbx reconcile' says, and the books in Xero are compared.

    Everything runs in a temporary directory (inside SBX_DATA_DIR if that is set) with its own
    Kafka and PostgreSQL. Takes about four minutes, with --publish one; without --once it then keeps running
    until Ctrl-C. With --by-hand nothing is compared: you set the account up in the browser, and watch.
    """
    from sbx.cli.demo import demo as work

    work.demo(once, publish, by_hand, as_json)
