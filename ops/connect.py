"""``sbx connect``: an account's connection to its Xero organisation."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import psycopg
import typer
import urllib3

from connections import store
from connections.check import check_settings
from connections.environment import Environment
from connections.secrets import SecretBox
from ops import browser, environment
from ops.errors import BadUsage, OperationFailed
from ops.facts import ask_lane
from ops.options import Account, AsJson
from ops.settings import finding_json, say_findings
from ops.terminal import print_json, say
from sinks.xero.oauth import Token, TokenRefused, TokenUnavailable, mint_token

_TIMEOUT = urllib3.Timeout(total=20.0)
_NO_SUCH_PAGE = (404, 405)


@dataclass(frozen=True)
class Tenant:
    """One organisation that the credentials may work in."""

    tenant_id: str
    name: str


class _Listed(msgspec.Struct, rename="camel"):
    tenant_id: str
    tenant_name: str | None = None
    tenant_type: str = "ORGANISATION"


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
    cut_off = _moment(enabled_at)
    used = environment.required(database=True)
    refresh: str | None = None
    if in_browser or client_id is None:
        client_id = client_id or used.xero_app_client_id or _no_app(port)
        found, refresh = agree(used, client_id, client_secret, tenant, port, timeout)
    else:
        client_secret = client_secret or typer.prompt("Client secret", hide_input=True, err=True)
        found = verify(used, client_id, client_secret, tenant)
    asyncio.run(save(used, account, found, client_id, client_secret, cut_off, new_organisation, refresh))
    trouble = asyncio.run(ask_lane(used, account))
    _report(asyncio.run(_load(used, account)), trouble, as_json)


def verify(used: Environment, client_id: str, client_secret: str, tenant_id: str | None) -> Tenant:
    """The organisation that these credentials are for.

    Raises:
        OperationFailed: Xero refuses them, cannot be asked, or they are for other organisations.
        BadUsage: they are for several, and none was named.
    """
    try:
        token = mint_token(used.xero_token_url, client_id, client_secret)
    except TokenRefused as error:
        raise OperationFailed(
            f"Xero refuses the credentials of client {client_id}: {error}",
            "copy them anew from Xero's developer portal; the app must be a custom connection",
        ) from error
    except TokenUnavailable as error:
        raise OperationFailed(str(error), "try again, or correct SBX_XERO_IDENTITY_URL") from error
    return _tenant_of(used, token, tenant_id)


def agree(
    used: Environment,
    client_id: str,
    client_secret: str | None,
    tenant_id: str | None,
    port: int,
    seconds: float,
) -> tuple[Tenant, str]:
    """The organisation that somebody lets us into in the browser, and the refresh token for it.

    Raises:
        OperationFailed: nobody agreed, Xero refuses the app, or it is for other organisations.
        BadUsage: it is for several, and none was named.
    """
    try:
        token = browser.authorise(used, client_id, client_secret, port, seconds)
    except TokenRefused as error:
        raise OperationFailed(
            f"Xero refuses the app {client_id}: {error}",
            "give --client-secret for an app that has one, and none for a PKCE app; the answer of the "
            "browser is good for five minutes, and once",
        ) from error
    except TokenUnavailable as error:
        raise OperationFailed(str(error), "run it again, or correct SBX_XERO_IDENTITY_URL") from error
    if token.refresh_token is None:
        raise OperationFailed(
            "Xero gives access for half an hour only: no refresh token came",
            "the app must be allowed the scope offline_access",
        )
    return _tenant_of(used, token, tenant_id), token.refresh_token


def _no_app(port: int) -> str:
    raise BadUsage(
        "--client-id is missing, and SBX_XERO_APP_CLIENT_ID is not set",
        f"create an app in Xero's developer portal: for the browser one of 'Auth Code with PKCE' with the "
        f"redirect URI http://localhost:{port}/callback, from machine to machine a custom connection",
    )


def _tenant_of(used: Environment, token: Token, tenant_id: str | None) -> Tenant:
    listed = _connections(used.xero_connections_url, token.access_token)
    if listed is None and tenant_id is None:
        raise BadUsage("Xero lists no organisations here", "name the organisation with --tenant ID")
    if listed is None:
        return Tenant(str(tenant_id), "")
    return _chosen(listed, tenant_id)


def _chosen(listed: list[Tenant], tenant_id: str | None) -> Tenant:
    shown = ", ".join(f"{one.tenant_id} ({one.name})" for one in listed)
    if not listed:
        raise OperationFailed(
            "the credentials are right, but no organisation is connected to the app",
            "choose the organisation in Xero, for a custom connection in the developer portal; connect again",
        )
    if tenant_id is None:
        if len(listed) > 1:
            raise BadUsage(
                f"the app is connected to several organisations: {shown}", "name one with --tenant"
            )
        return listed[0]
    for one in listed:
        if one.tenant_id.lower() == tenant_id.strip().lower():
            return one
    raise OperationFailed(f"the app is not connected to {tenant_id}", f"it is connected to: {shown}")


def _connections(url: str, token: str) -> list[Tenant] | None:
    """Organisations of the token (``GET /connections``); none where there is no such page."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        with urllib3.PoolManager(retries=False, timeout=_TIMEOUT) as http:
            answer = http.request("GET", url, headers=headers)
            if answer.status in _NO_SUCH_PAGE:
                # Xero's guide and its SDK spell the path differently; a stand-in may know only one of them.
                answer = http.request("GET", url.replace("/connections", "/Connections"), headers=headers)
            if answer.status in _NO_SUCH_PAGE:
                return None
            if answer.status != 200:
                raise OperationFailed(f"Xero answered {answer.status} to GET {url}", "try again in a minute")
            listed = msgspec.json.decode(answer.data, type=list[_Listed])
    except urllib3.exceptions.HTTPError as error:
        raise OperationFailed(f"Xero at {url} cannot be reached: {error}", "try again in a minute") from error
    except msgspec.DecodeError as error:
        raise OperationFailed(
            f"the answer of {url} is no list of organisations: {error}", "check SBX_XERO_API_URL"
        ) from error
    return [Tenant(one.tenant_id, one.tenant_name or "") for one in listed if one.tenant_type != "PRACTICE"]


async def save(
    used: Environment,
    account: str,
    found: Tenant,
    client_id: str,
    secret: str | None,
    enabled_at: datetime | None,
    new_organisation: bool,
    refresh: str | None = None,
) -> None:
    """Store the connection, secret and refresh token encrypted.

    Raises:
        ConnectionRefused: the account is connected to another organisation, or keeps another cut-off.
    """
    box = SecretBox.open(used.data_dir, used.secret_key)
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx connect")) as connection:
        await store.save_connection(
            connection,
            account=account,
            tenant_id=found.tenant_id,
            tenant_name=found.name,
            client_id=client_id,
            client_secret_encrypted=None if secret is None else box.encrypt(secret),
            refresh_token_encrypted=None if refresh is None else box.encrypt(refresh),
            actor=environment.actor(),
            enabled_at=enabled_at,
            new_organisation=new_organisation,
        )


async def _load(used: Environment, account: str) -> store.Connection:
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx connect")) as connection:
        loaded = await store.load_connection(connection, account)
    if loaded is None:
        raise store.NotConnected(account)
    return loaded


def _report(connection: store.Connection, trouble: str | None, as_json: bool) -> None:
    facts = connection.facts if trouble is None else None
    findings = [] if facts is None else check_settings(connection.settings, facts)
    if as_json:
        answer: dict[str, Any] = {
            "account": connection.account,
            "tenant_id": connection.tenant_id,
            "tenant_name": facts.name if facts else connection.tenant_name,
            "base_currency": facts.base_currency if facts else None,
            "enabled_at": connection.enabled_at,
            "findings": [finding_json(finding) for finding in findings],
        }
        print_json(answer)
    else:
        name = facts.name if facts else connection.tenant_name
        currency = f", {facts.base_currency}" if facts else ""
        print(f"{connection.account} is connected to {name or connection.tenant_id}{currency}")
        since = connection.enabled_at.astimezone(UTC)
        print(f"cut-off: documents created before {since:%F %T} UTC are not synced")
    if trouble is not None:
        say(f"the organisation's accounts and tax rates are not known yet: {trouble}", "yellow")
    say_findings(connection.account, findings)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadUsage(
            f"--enabled-at {text}: is not a time", "write one such as 2026-01-31T00:00:00Z"
        ) from error
    if moment.tzinfo is None:
        raise BadUsage(f"--enabled-at {text}: has no offset", f"write it as {text}Z or with +13:00")
    return moment.astimezone(UTC)
