"""``sbx connect``: an account's connection to its Xero organisation."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from connections import store
from connections.check import Finding
from runtime.environment import Environment
from sbx.actions.connect import Wanted, by_secret, by_token, token_of
from sbx.actions.facts import answered
from sbx.actions.settings import State, load
from sbx.actions.setup.holding import HELD
from sbx.cli import browser, environment
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage
from sbx.cli.settings import say_findings
from sbx.cli.terminal import ask_secret, print_json, say
from sbx.cli.times import spoken
from sinks.xero.oauth import Token


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
    if not by_browser:
        client_secret = client_secret or ask_secret("Client secret").strip() or _no_secret()
    wanted = Wanted(account, tenant or "", client_id, client_secret or "", cut_off, False, new_organisation)
    token = None
    if by_browser:
        token = token_of(lambda: browser.authorise(used, client_id, client_secret, port, timeout), wanted)
    state, trouble = asyncio.run(_connect(used, wanted, token))
    _report(state.connection, trouble, state.findings, as_json)


async def _connect(used: Environment, wanted: Wanted, token: Token | None) -> tuple[State, str | None]:
    async with connected("sbx connect", used) as (database, connection):
        if token is None:
            request = await by_secret(database, used, actor(), wanted)
        else:
            request = await by_token(database, used, actor(), wanted, token)
        trouble = await answered(connection, request)
        return await load(connection, actor(), wanted.account), trouble


def _no_app(port: int) -> str:
    raise BadUsage(
        "--client-id is missing, and SBX_XERO_APP_CLIENT_ID is not set",
        f"create an app in Xero's developer portal: for the browser, an 'Auth Code with PKCE' app with the "
        f"redirect URI http://localhost:{port}/callback; for machine-to-machine access, a custom connection",
    )


def _no_secret() -> str:
    raise BadUsage("no client secret was given", "type it, or name its file with --client-secret-file")


def _report(
    connection: store.Connection, trouble: str | None, findings: Sequence[Finding], as_json: bool
) -> None:
    facts = connection.facts if trouble is None else None
    if as_json:
        answer: dict[str, Any] = {
            "account": connection.account,
            "tenant_id": connection.tenant_id,
            "tenant_name": facts.name if facts else connection.tenant_name,
            "base_currency": facts.base_currency if facts else None,
            "enabled_at": connection.enabled_at,
            "findings": [asdict(finding) for finding in findings],
        }
        print_json(answer)
    else:
        name = facts.name if facts else connection.tenant_name
        currency = f", {facts.base_currency}" if facts else ""
        print(f"{connection.account} is connected to {name or connection.tenant_id}{currency}")
        since = connection.enabled_at.astimezone(UTC)
        print(f"cut-off: documents created before {since:%F %T} UTC are not synced")
        if connection.paused_reason == HELD:
            say(f"paused, because {HELD}: 'sbx setup {connection.account}' goes on", "yellow")
    if trouble is not None:
        say(f"the organisation's accounts and tax rates are not known yet: {trouble}", "yellow")
    say_findings(connection.account, findings)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = spoken(text, UTC) or datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BadUsage(
            f"--enabled-at {text}: not a time", "write one such as 2026-01-31T00:00:00Z, or today (in UTC)"
        ) from error
    if moment.tzinfo is None:
        raise BadUsage(
            f"--enabled-at {text}: no UTC offset", f"write it as {moment.isoformat()}Z or with +13:00"
        )
    return moment.astimezone(UTC)
