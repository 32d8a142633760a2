"""``sbx connect``: an account's connection to its Xero organisation."""

from typing import Annotated

import typer

from sbx.cli.client_secret import ClientSecret, ClientSecretFile, given_secret
from sbx.cli.options import Account, AsJson


def connect(
    context: typer.Context,
    account: Account,
    client_id: Annotated[
        str | None,
        typer.Option(
            help="Client id of the app, from Xero's developer portal; with --browser also from "
            "SBX_XERO_APP_CLIENT_ID."
        ),
    ] = None,
    client_secret: ClientSecret = None,
    client_secret_file: ClientSecretFile = None,
    in_browser: Annotated[
        bool,
        typer.Option("--browser", help="Allow access in the browser; the default without --client-id."),
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            min=1024,
            max=65535,
            help="With --browser: the port in the app's redirect URI, http://localhost:PORT/callback.",
        ),
    ] = 8765,
    timeout: Annotated[
        float,
        typer.Option(min=1, help="With --browser: how many seconds to wait for somebody to allow access."),
    ] = 300,
    tenant: Annotated[
        str | None, typer.Option(help="Id of the Xero organisation; not needed if there is only one.")
    ] = None,
    enabled_at: Annotated[
        str | None,
        typer.Option(
            help="Documents created before this time, or today, are not synced. "
            "[default: now; kept when reconnecting]"
        ),
    ] = None,
    new_organisation: Annotated[
        bool, typer.Option("--new-organisation", help="Connect to a different organisation than before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Connect an account to Xero, or reconnect it.

    With --client-id and a secret, the connection uses client credentials, which Xero calls a
    custom connection; without --client-secret-file, the secret is prompted for, or read from standard
    input. With --browser, or without --client-id, somebody allows access in the browser, once.

    Nothing is stored until Xero has issued a token. An account that was connected
    before keeps its settings and cut-off.
    """
    from sbx.cli import connect as work

    work.connect(
        account=account,
        client_id=client_id,
        client_secret=given_secret(context, client_secret, client_secret_file),
        in_browser=in_browser,
        port=port,
        timeout=timeout,
        tenant=tenant,
        enabled_at=enabled_at,
        new_organisation=new_organisation,
        as_json=as_json,
    )
