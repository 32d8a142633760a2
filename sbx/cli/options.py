"""Arguments and options that several commands share."""

import re
from typing import Annotated, Literal

import typer

WorkerName = Literal["transform", "deliver", "project", "source"]
"""The stages, and the reader of SalesBinder accounts."""

_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}")


def check_account(value: str | None) -> str | None:
    """Return the account (``acme`` of ``acme.salesbinder.com``), or raise a usage error."""
    if value is not None and not _ACCOUNT.fullmatch(value):
        raise typer.BadParameter(
            f"'{value}' is not a SalesBinder account: give the sub-domain, such as acme for "
            f"acme.salesbinder.com"
        )
    return value


Account = Annotated[
    str,
    typer.Argument(metavar="ACCOUNT", callback=check_account, help="SalesBinder sub-domain, such as acme."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")]
PORT = 8321
"""The page's default port."""
