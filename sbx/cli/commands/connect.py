"""``sbx connect``: an account's connection to its Xero organisation."""

from typing import Annotated

import typer

from sbx.cli.commands.options import Account, AsJson


def connect(
    account: Account,
    client_id: Annotated[
        str | None,
        typer.Option(
            help="Of the app, from Xero's developer portal; with --browser also SBX_XERO_APP_CLIENT_ID."
        ),
    ] = None,
    client_secret: Annotated[
        str | None,
        typer.Option(
            envvar="SBX_XERO_CLIENT_SECRET",
            help="Of the app. Asked for where it is left out, but with --browser: PKCE apps have none.",
            show_envvar=True,
        ),
    ] = None,
    in_browser: Annotated[
        bool,
        typer.Option("--browser", help="Agree in the browser; meant as well where no --client-id is given."),
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            min=1024,
            max=65535,
            help="With --browser: register http://localhost:PORT/callback as redirect URI of the app.",
        ),
    ] = 8765,
    timeout: Annotated[
        float, typer.Option(min=1, help="With --browser: seconds to wait for somebody to agree.")
    ] = 300,
    tenant: Annotated[
        str | None, typer.Option(help="Id of the Xero organisation; not needed where there is only one.")
    ] = None,
    enabled_at: Annotated[
        str | None,
        typer.Option(
            help="Documents created before are not synced. [default: now; kept when connecting again]"
        ),
    ] = None,
    new_organisation: Annotated[
        bool, typer.Option("--new-organisation", help="Connect to another organisation than before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Connect an account to Xero, or reconnect it.

    With --client-id and a secret: from machine to machine, by the client credentials of what Xero calls a
    custom connection. With --browser, or without --client-id: somebody agrees in the browser, once.

    Nothing is stored before Xero has given a token. Settings and cut-off of an account that was
    connected before stay as they are.
    """
    from sbx.cli import connect as work

    work.connect(
        account=account,
        client_id=client_id,
        client_secret=client_secret,
        in_browser=in_browser,
        port=port,
        timeout=timeout,
        tenant=tenant,
        enabled_at=enabled_at,
        new_organisation=new_organisation,
        as_json=as_json,
    )
