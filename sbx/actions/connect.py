"""Connect or reconnect an account to Xero: by client credentials, or by allowing access in the browser."""

import asyncio
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from connections import store
from runtime.database import fetch_one
from runtime.environment import Environment
from runtime.secrets import SecretBox, key_hash, mask
from runtime.sql import load_queries
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.refused import ActionRefused
from sbx.actions.setup import holding
from sinks.ledger import requests
from sinks.xero import oauth, tenants
from sinks.xero.oauth import Token, TokenRefused, TokenUnavailable
from sinks.xero.tenants import CredentialsUnusable, Tenant

PATIENCE_SECONDS = 15 * 60
"""How long somebody may take to allow access in Xero."""

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The account to connect, and its credentials. Blank: not given."""

    account: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    enabled_at: datetime | None = None
    """The cut-off of a first connect; none: now."""
    stays: bool = True
    """True if a connected account keeps its organisation, regardless of ``tenant_id``."""
    new_organisation: bool = False
    """True if it may be connected to another organisation than before."""


async def known(connection: Connection, actor: Actor, account: str) -> store.Connection | None:
    """Return the account's connection; None if it is to be connected for the first time.

    Raises:
        ActionRefused: the actor cannot see it; 400, it is not a valid account name.
    """
    if not actor.sees(account):
        raise ActionRefused("not_found", f"'{account}' is not among the accounts that you can see.")
    try:
        store.check_account(account)
    except store.ConnectionRefused as refused:
        raise ActionRefused("bad_request", f"{refused!s}.", field="account") from refused
    return await store.load_connection(connection, account)


async def by_secret(database: Database, environment: Environment, actor: Actor, wanted: Wanted) -> uuid.UUID:
    """Connect with client credentials, once Xero has taken them; the request for the organisation's facts.

    An account that is being set up is paused from its first connection on, until it is switched on.

    Raises:
        CredentialsUnusable: they do not work; nothing is changed.
        ConnectionRefused: the account is connected to another organisation, or has another cut-off.
        ActionRefused: as ``known``.
    """
    async with database.connection() as connection:
        tenant_id = await _tenant_id(connection, actor, wanted)
    # Without a connection in hand: Xero may take its time.
    tenant = await asyncio.to_thread(
        tenants.verify,
        environment.xero_token_url,
        environment.xero_connections_url,
        wanted.client_id,
        wanted.client_secret,
        tenant_id,
    )
    return await _save(database, environment, actor, wanted, tenant, None)


async def by_token(
    database: Database, environment: Environment, actor: Actor, wanted: Wanted, token: Token
) -> uuid.UUID:
    """Connect with the tokens of a browser sign-in, see ``token_of``; otherwise as ``by_secret``."""
    async with database.connection() as connection:
        tenant_id = await _tenant_id(connection, actor, wanted)
    tenant = await asyncio.to_thread(tenants.tenant_of, environment.xero_connections_url, token, tenant_id)
    return await _save(database, environment, actor, wanted, tenant, token.refresh_token)


async def _tenant_id(connection: Connection, actor: Actor, wanted: Wanted) -> str | None:
    found = await known(connection, actor, wanted.account)
    return found.tenant_id if found and wanted.stays else wanted.tenant_id or None


def token_of(exchange: Callable[[], Token], wanted: Wanted, code: str = "") -> Token:
    """Return the token that Xero gives for somebody's agreement, with which to ask for more later.

    Raises:
        CredentialsUnusable: it gives none.
    """
    try:
        token = exchange()
    except TokenRefused as error:
        problem = f"Xero refuses the app {wanted.client_id}: {mask(str(error), [wanted.client_secret, code])}"
        remedy = (
            "give the secret of an app that has one, and none for a PKCE app, then allow access again; an "
            "answer is good for five minutes, and once"
        )
        raise CredentialsUnusable(problem, remedy) from error
    except TokenUnavailable as error:
        raise CredentialsUnusable(
            str(error), "allow access again in a minute, or correct SBX_XERO_IDENTITY_URL"
        ) from error
    if token.refresh_token is None:
        problem = "Xero granted access for half an hour only: it sent no refresh token"
        raise CredentialsUnusable(problem, "the app must be allowed the scope offline_access")
    return token


async def ask(
    database: Database,
    environment: Environment,
    actor: Actor,
    session: str,
    wanted: Wanted,
    redirect_uri: str,
) -> str:
    """Return Xero's address for allowing access. The response is valid once, and in this session only.

    Raises:
        ActionRefused: as ``known``.
    """
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    box = SecretBox.of(environment)
    async with database.connection() as connection:
        found = await known(connection, actor, wanted.account)
        await connection.execute(_SQL["forget_old"])
        parameters = {
            "state_hash": key_hash(state),
            "session_hash": key_hash(session),
            "account": wanted.account,
            "tenant_id": found.tenant_id if found else wanted.tenant_id,
            "client_id": wanted.client_id,
            "client_secret_encrypted": box.encrypt(wanted.client_secret) if wanted.client_secret else None,
            "verifier_encrypted": box.encrypt(verifier),
            "redirect_uri": redirect_uri,
            "seconds": PATIENCE_SECONDS,
        }
        await connection.execute(_SQL["ask"], parameters)
    return oauth.question(environment.xero_authorize_url, wanted.client_id, redirect_uri, state, verifier)


async def taken_up(
    database: Database, environment: Environment, session: str, state: str
) -> tuple[Wanted, str, str] | None:
    """Return the request with this state, its verifier and redirect URI; None if this session made none."""
    async with database.connection() as connection:
        hashes = {"state_hash": key_hash(state), "session_hash": key_hash(session)}
        row = await fetch_one(connection, _SQL["take"], hashes)
    if row is None:
        return None
    box = SecretBox.of(environment)
    kept = row["client_secret_encrypted"]
    secret = "" if kept is None else box.decrypt(bytes(kept))
    wanted = Wanted(row["account"], row["tenant_id"], row["client_id"], secret)
    return wanted, box.decrypt(bytes(row["verifier_encrypted"])), row["redirect_uri"]


async def by_agreement(
    database: Database,
    environment: Environment,
    actor: Actor,
    asked: tuple[Wanted, str, str],
    code: str,
) -> uuid.UUID:
    """Connect with the tokens in Xero's response, as ``by_token``."""
    wanted, verifier, redirect_uri = asked
    async with database.connection() as connection:
        await known(connection, actor, wanted.account)

    def exchange() -> Token:
        secret = wanted.client_secret or None
        return oauth.exchange_code(
            environment.xero_token_url, wanted.client_id, secret, code, redirect_uri, verifier
        )

    token = await asyncio.to_thread(token_of, exchange, wanted, code)
    return await by_token(database, environment, actor, wanted, token)


async def _save(
    database: Database,
    environment: Environment,
    actor: Actor,
    wanted: Wanted,
    tenant: Tenant,
    refresh: str | None,
) -> uuid.UUID:
    box = SecretBox.of(environment)
    async with database.connection() as connection:
        found = await known(connection, actor, wanted.account)
        target = {"account": wanted.account, "client_id": wanted.client_id, "browser": refresh is not None}
        async with audit.recorded(connection, actor, "connect", target) as record:
            await store.save_connection(
                connection,
                account=wanted.account,
                tenant_id=tenant.tenant_id,
                tenant_name=tenant.name or (found.tenant_name if found else ""),
                client_id=wanted.client_id,
                client_secret_encrypted=box.encrypt(wanted.client_secret) if wanted.client_secret else None,
                refresh_token_encrypted=None if refresh is None else box.encrypt(refresh),
                actor=actor.name,
                enabled_at=wanted.enabled_at,
                new_organisation=wanted.new_organisation,
            )
            if found is None and await holding.is_to_be_held(connection, wanted.account):
                await store.pause(connection, wanted.account, actor=actor.name, reason=holding.HELD)
            record.result["tenant_id"] = tenant.tenant_id
            return await requests.ask_facts(connection, wanted.account)
