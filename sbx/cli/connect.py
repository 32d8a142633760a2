"""``sbx connect``: an account's connection to its Xero organisation."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import typer

from connections import store
from connections.check import Finding, check_settings
from runtime.environment import Environment
from runtime.secrets import SecretBox
from sbx.actions import audit
from sbx.cli import browser, environment
from sbx.cli.acting import ADDRESS, actor, connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.facts import ask_lane
from sbx.cli.settings import clashes, finding_json, say_findings
from sbx.cli.terminal import print_json, say
from sinks.xero import tenants
from sinks.xero.oauth import Token, TokenRefused, TokenUnavailable
from sinks.xero.tenants import Tenant


def connect(
    *,
    account: str,
    client_id: str | None,
    client_secret: str | None,
    in_browser: bool,
    port: int,
    timeout: float,
    tenant: str | None,
    enabled_at: str | None,
    new_organisation: bool,
    as_json: bool,
) -> None:
    """Run ``sbx connect``."""
    cut_off = _moment(enabled_at)
    by_browser = in_browser or client_id is None
    if client_id is None:
        client_id = environment.read().xero_app_client_id or _no_app(port)
    used = environment.required(database=True)
    refresh: str | None = None
    if by_browser:
        found, refresh = agree(used, client_id, client_secret, tenant, port, timeout)
    else:
        client_secret = client_secret or typer.prompt("Client secret", hide_input=True, err=True)
        found = verify(used, client_id, client_secret, tenant)
    asyncio.run(save(used, account, found, client_id, client_secret, cut_off, new_organisation, refresh))
    trouble = asyncio.run(ask_lane(used, account))
    connection = asyncio.run(_load(used, account))
    _report(connection, trouble, asyncio.run(clashes(used, connection)), as_json)


def verify(used: Environment, client_id: str, client_secret: str, tenant_id: str | None) -> Tenant:
    """The organisation that these credentials are for.

    Raises:
        OperationFailed: Xero refuses them, cannot be asked, or they are for other organisations.
        BadUsage: they are for several, and none was named.
    """
    try:
        token = tenants.token_for(used.xero_token_url, client_id, client_secret)
    except tenants.CredentialsUnusable as error:
        raise OperationFailed(error.problem, error.remedy) from error
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
    try:
        return tenants.tenant_of(used.xero_connections_url, token, tenant_id)
    except tenants.TenantUnclear as error:
        raise BadUsage(error.problem, "name the organisation with --tenant ID") from error
    except tenants.CredentialsUnusable as error:
        raise OperationFailed(error.problem, error.remedy) from error


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
    target = {"account": account, "client_id": client_id, "browser": refresh is not None}
    async with (
        connected("sbx connect") as (_, connection),
        audit.recorded(connection, actor(), ADDRESS, "connect", target) as result,
    ):
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
        result["tenant_id"] = found.tenant_id


async def _load(used: Environment, account: str) -> store.Connection:
    async with await psycopg.AsyncConnection.connect(**used.psycopg("sbx connect")) as connection:
        loaded = await store.load_connection(connection, account)
    if loaded is None:
        raise store.NotConnected(account)
    return loaded


def _report(
    connection: store.Connection, trouble: str | None, shared: Sequence[Finding], as_json: bool
) -> None:
    facts = connection.facts if trouble is None else None
    findings = [] if facts is None else check_settings(connection.settings, facts)
    findings = [*findings, *shared]
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
        raise BadUsage(
            f"--enabled-at {text}: has no offset", f"write it as {moment.isoformat()}Z or with +13:00"
        )
    return moment.astimezone(UTC)
