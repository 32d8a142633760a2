"""``sbx explain``: a document's current state, its history, what is wrong and what to do."""

from typing import Annotated

import typer

from contracts.commands import Entity
from sbx.cli.options import AsJson, check_account


def explain(
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="A document's number, a customer's or supplier's name, or an id: in SalesBinder or Xero, "
            "or of a transaction, an event or an entry.",
        ),
    ],
    account: Annotated[
        str | None, typer.Option(callback=check_account, help="SalesBinder sub-domain.")
    ] = None,
    entity: Annotated[Entity | None, typer.Option(help="Kind of record, if several have the number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell the full story of one document.

    Its current state, what is wrong and what to do, and everything that happened to it.
    """
    from sbx.cli import explain as work

    work.explain(record, account, entity, as_json)
