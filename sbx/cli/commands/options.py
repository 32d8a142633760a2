"""Arguments and options that several commands share."""

import re
from typing import Annotated

import typer

_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}")


def check_account(value: str | None) -> str | None:
    """The account, or a usage error: ``acme`` of ``acme.salesbinder.com``."""
    if value is not None and not _ACCOUNT.fullmatch(value):
        raise typer.BadParameter(
            f"'{value}' is not a SalesBinder account: give the sub-domain, as acme of acme.salesbinder.com"
        )
    return value


Account = Annotated[
    str,
    typer.Argument(metavar="ACCOUNT", callback=check_account, help="SalesBinder sub-domain, such as acme."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")]
PORT = 8321
"""On which the page is served, if no other is given."""
