"""``sbx reconcile``: SalesBinder, the settings and Xero side by side."""

from pathlib import Path
from typing import Annotated

import typer

from sbx.cli.options import Account, AsJson


def reconcile(
    account: Account,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="DATE",
            help="Documents issued from this day on: 2026-01-31, today, yesterday, or 2w ago.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="Documents issued up to this day."),
    ] = None,
    last: Annotated[
        bool, typer.Option("--last", help="Compare nothing now; show what was found last.")
    ] = False,
    csv: Annotated[
        Path | None,
        typer.Option(help="Write every document with all three sides to this file.", dir_okay=False),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 if a difference has no known reason.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare SalesBinder with Xero, document by document and month by month.

    Reads SalesBinder's lists again, and what was changed in Xero, works out from the settings what should be
    in Xero, and says of each difference why it is there and what to do. A month that agrees is one line.
    """
    from sbx.cli import reconcile as work

    work.reconcile(account, since, until, last=last, csv=csv, check=check, as_json=as_json)
