"""``sbx setup``: set an account up, step by step."""

from pathlib import Path
from typing import Annotated

import typer

from sbx.cli.client_secret import ClientSecret, ClientSecretFile, given_secret
from sbx.cli.options import Account, AsJson


def setup(
    context: typer.Context,
    account: Account,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            "--key-file",
            help="File with SalesBinder's API key. [default: prompted for]",
            dir_okay=False,
        ),
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option(
            envvar="SBX_XERO_CLIENT_ID",
            help="Client id of a custom connection in Xero. [default: prompted for]",
        ),
    ] = None,
    client_secret: ClientSecret = None,
    client_secret_file: ClientSecretFile = None,
    show: Annotated[bool, typer.Option("--show", help="Only show the steps.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Take every suggestion; ask nothing, and stop where there is none.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set an account up, step by step.

    From SalesBinder's API key to the first documents in Xero; each step says what it is for. It can be
    stopped at any of them, and goes on there. Until it is switched on, nothing is sent to Xero.
    """
    from sbx.cli import setup as work

    work.setup(
        account,
        key_file=key_file,
        client_id=client_id,
        client_secret=given_secret(context, client_secret, client_secret_file),
        show=show,
        yes=yes,
        as_json=as_json,
    )
