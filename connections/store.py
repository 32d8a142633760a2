"""Connections in PostgreSQL. Every function works in the caller's transaction, or in one of its own.

A change is announced on the channel ``sbx_connections`` with the account as payload, when it is committed.
Operators' changes (settings, pauses, the organisation) are written to the history with the name of the
operator.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from psycopg import AsyncConnection

from connections.addresses import Addresses
from connections.facts import OrganisationFacts
from connections.settings import InvalidSetting, Settings, normal_key, parse_setting
from runtime.database import fetch_all, fetch_one
from runtime.sql import load_queries

CHANNEL = "sbx_connections"
OTHER_KEYS = ("tenant_id", "paused")
"""The keys in the history that are not settings."""

_SQL = load_queries(__file__)
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}")

Db = AsyncConnection[Any]


class ConnectionRefused(Exception):
    """A refused change of a connection; the message says why and what to do."""


class NotConnected(ConnectionRefused):
    """The account has no connection."""

    def __init__(self, account: str) -> None:
        super().__init__(f"'{account}' is not connected to Xero; connect it first: sbx connect {account}")


class OtherOrganisation(ConnectionRefused):
    """The account is connected to another Xero organisation, to which its links belong."""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An account's connection as everybody may see it: no secrets."""

    account: str
    tenant_id: str
    tenant_name: str
    client_id: str
    enabled_at: datetime
    connected_at: datetime
    status: Literal["connected", "lost"]
    status_reason: str
    paused_at: datetime | None
    paused_by: str | None
    paused_reason: str | None
    written: Mapping[str, str]
    """The settings that were set, in their normal form; all others have their defaults."""
    settings: Settings
    facts: OrganisationFacts | None
    """None until Xero was asked."""

    @property
    def addresses(self) -> Addresses:
        """Where its records are shown, in SalesBinder and in Xero."""
        return Addresses.of(self.settings, self.facts.short_code if self.facts else "")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """The credentials for fetching a token, and the last token; secrets are encrypted."""

    tenant_id: str
    client_id: str
    client_secret_encrypted: bytes | None = field(repr=False)
    """None for an app without a secret, connected in the browser."""
    refresh_token_encrypted: bytes | None = field(repr=False)
    """None if connected with client credentials."""
    token_encrypted: bytes | None = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SettingChange:
    """One change of a setting, where None is the default; also of ``tenant_id`` and of ``paused``."""

    key: str
    old: str | None
    new: str | None
    actor: str
    at: datetime | None = None
    """None in the result of the change itself."""


async def load_connection(conn: Db, account: str) -> Connection | None:
    """Return the account's connection with settings and facts; None if there is none."""
    return (await load_many(conn, [account])).get(account)


async def load_many(conn: Db, accounts: Iterable[str] | None = None) -> dict[str, Connection]:
    """Return connections by account; of all accounts if none are named."""
    names = None if accounts is None else list(accounts)
    rows = await fetch_all(conn, _SQL["load"], {"accounts": names})
    return {row["account"]: _connection(row) for row in rows}


async def record_addresses(conn: Db, accounts: Iterable[str]) -> dict[str, Addresses]:
    """Return where SalesBinder shows the records of each of these accounts; the defaults without a
    connection.
    """
    names = sorted(set(accounts))
    written: dict[str, dict[str, str]] = {name: {} for name in names}
    for row in await fetch_all(conn, _SQL["addresses"], {"accounts": names}):
        written[row["account"]][row["key"]] = row["value"]
    return {name: Addresses(**keys) for name, keys in written.items()}


async def settings_of_others(conn: Db, account: str) -> dict[str, Settings]:
    """Return the settings of the other accounts that are connected to the account's Xero organisation."""
    async with conn.cursor() as cursor:
        await cursor.execute(_SQL["others"], {"account": account})
        names = [row[0] for row in await cursor.fetchall()]
    found = await load_many(conn, names) if names else {}
    return {name: connection.settings for name, connection in found.items()}


def check_account(account: str) -> None:
    """Refuse a text that cannot be an account's name.

    Raises:
        ConnectionRefused: it cannot.
    """
    if not _ACCOUNT.fullmatch(account):
        raise ConnectionRefused(
            f"'{account}' is not a SalesBinder account: give the sub-domain, such as acme for "
            f"acme.salesbinder.com"
        )


async def save_connection(
    conn: Db,
    *,
    account: str,
    tenant_id: str,
    tenant_name: str,
    client_id: str,
    client_secret_encrypted: bytes | None,
    actor: str,
    enabled_at: datetime | None = None,
    new_organisation: bool = False,
    refresh_token_encrypted: bytes | None = None,
) -> None:
    """Connect an account, or connect it again: credentials are replaced, settings and cut-off stay.

    With a refresh token the connection is one that somebody agreed to in the browser, else it is one of
    client credentials, which need a secret.

    ``enabled_at`` is the cut-off of a first connect or a new organisation, else the present moment. A new
    organisation drops the facts of the old one; anyone who keeps links to its records must drop those too.

    Raises:
        OtherOrganisation: it is connected to another one, and ``new_organisation`` was not given.
        ConnectionRefused: the account's name is none, or a reconnect names another cut-off.
    """
    check_account(account)
    values = {
        "account": account,
        "tenant_id": tenant_id,
        "tenant_name": tenant_name,
        "client_id": client_id,
        "client_secret_encrypted": client_secret_encrypted,
        "auth_kind": "authorization_code" if refresh_token_encrypted else "client_credentials",
        "refresh_token_encrypted": refresh_token_encrypted,
        "enabled_at": enabled_at,
    }
    async with conn.transaction():
        first = await fetch_one(conn, _SQL["insert_account"], values)
        if first is None:
            before = await _locked(conn, account)
            moved = before["tenant_id"] != tenant_id
            _check_reconnect(account, before, tenant_id, enabled_at, new_organisation)
            await conn.execute(_SQL["update_account"], values)
            if moved:
                await conn.execute(_SQL["forget_facts"], values)
                await _record(conn, account, actor, "tenant_id", before["tenant_id"], tenant_id)
            if enabled_at is not None and enabled_at != before["enabled_at"]:
                await _record(
                    conn, account, actor, "enabled_at", _moment(before["enabled_at"]), _moment(enabled_at)
                )
        else:
            await _record(conn, account, actor, "tenant_id", None, tenant_id)
            await _record(conn, account, actor, "enabled_at", None, _moment(first["enabled_at"]))
        await conn.execute(_SQL["begin_tokens"], values)
        await _notify(conn, account)


async def set_settings(
    conn: Db, account: str, changes: Mapping[str, str | None], actor: str
) -> list[SettingChange]:
    """Change settings, all of them or none; a value of None or ``""`` sets the setting back to its default.

    Returns the settings that really changed.

    Raises:
        InvalidSetting: a key does not exist or does not take its value.
        NotConnected: the account has no connection.
    """
    wanted = dict(_parsed(key, value) for key, value in changes.items())
    made: list[SettingChange] = []
    async with conn.transaction():
        before = await _locked(conn, account)
        for key, new in wanted.items():
            if key == "enabled_at":
                old: str | None = _moment(before["enabled_at"])
            else:
                row = await fetch_one(conn, _SQL["read_setting"], {"account": account, "key": key})
                old = None if row is None else row["value"]
            if old == new:
                continue
            statement = "write_setting" if new is not None else "remove_setting"
            await conn.execute(
                _SQL["set_enabled_at" if key == "enabled_at" else statement],
                {"account": account, "key": key, "value": new},
            )
            await _record(conn, account, actor, key, old, new)
            made.append(SettingChange(key=key, old=old, new=new, actor=actor))
        if made:
            await _notify(conn, account)
    return made


async def settings_history(conn: Db, account: str, key: str | None = None) -> list[SettingChange]:
    """Return every change of the account's connection, or of one key, oldest first. ``key`` in its normal
    form.
    """
    rows = await fetch_all(conn, _SQL["history"], {"account": account, "key": key})
    return [SettingChange(**row) for row in rows]


async def pause(conn: Db, account: str, *, actor: str, reason: str) -> bool:
    """Hold the account: nothing is sent until it is resumed. False when it was paused already.

    Raises:
        NotConnected: the account has no connection.
    """
    async with conn.transaction():
        if (await _locked(conn, account))["paused_reason"] is not None:
            return False
        await conn.execute(_SQL["pause"], {"account": account, "actor": actor, "reason": reason})
        await _record(conn, account, actor, "paused", None, reason)
        await _notify(conn, account)
    return True


async def resume(conn: Db, account: str, *, actor: str) -> bool:
    """Resume a paused account. False when it was not paused.

    Raises:
        NotConnected: the account has no connection.
    """
    async with conn.transaction():
        reason = (await _locked(conn, account))["paused_reason"]
        if reason is None:
            return False
        await conn.execute(_SQL["resume"], {"account": account})
        await _record(conn, account, actor, "paused", reason, None)
        await _notify(conn, account)
    return True


async def mark_lost(conn: Db, account: str, reason: str, *, connected_at: datetime) -> bool:
    """Note that Xero no longer accepts the credentials; connecting again ends this.

    Args:
        connected_at: when the refused credentials were given. False if others have been given since: these
            were not refused.

    Raises:
        NotConnected: the account has no connection.
    """
    async with conn.transaction():
        if (await _locked(conn, account))["connected_at"] != connected_at:
            return False
        await conn.execute(_SQL["mark_lost"], {"account": account, "reason": reason})
        await _notify(conn, account)
    return True


async def load_credentials(conn: Db, account: str, *, lock: bool = False) -> Credentials:
    """Return the credentials and the last token. ``lock`` holds others that want to renew it until the
    transaction ends.

    Raises:
        NotConnected: the account has no connection.
    """
    if lock:
        await conn.execute(_SQL["lock_tokens"], {"account": account})
    row = await fetch_one(conn, _SQL["credentials"], {"account": account})
    if row is None:
        raise NotConnected(account)
    return Credentials(**row)


async def save_token(
    conn: Db,
    account: str,
    token_encrypted: bytes,
    expires_at: datetime,
    refresh_token_encrypted: bytes | None = None,
) -> None:
    """Keep a new token, with its refresh token; in the transaction that locked the credentials.

    Raises:
        NotConnected: the account has no connection.
    """
    values = {
        "account": account,
        "token_encrypted": token_encrypted,
        "expires_at": expires_at,
        "refresh_token_encrypted": refresh_token_encrypted,
    }
    cursor = await conn.execute(_SQL["save_token"], values)
    if cursor.rowcount == 0:
        raise NotConnected(account)


async def save_facts(conn: Db, account: str, facts: OrganisationFacts, tenant_id: str | None = None) -> bool:
    """Store the facts that Xero gave about the organisation. False when the account was connected to another
    one meanwhile, whose facts they are not.

    Args:
        tenant_id: the organisation that was asked; None: the present one.

    Raises:
        NotConnected: the account has no connection.
    """
    values = {"account": account, "body": facts.to_json().decode(), "fetched_at": facts.fetched_at}
    async with conn.transaction():
        # Locked: a connect that is not committed yet has dropped the facts already.
        present = (await _locked(conn, account))["tenant_id"]
        if tenant_id is not None and tenant_id != present:
            return False
        await conn.execute(_SQL["save_facts"], values)
        await _notify(conn, account)
    return True


def _connection(row: dict[str, Any]) -> Connection:
    cached = row.pop("facts")
    return Connection(
        **row,
        settings=Settings.from_rows(row["written"], row["enabled_at"]),
        facts=None if cached is None else _facts(cached),
    )


def _facts(cached: str) -> OrganisationFacts | None:
    """Return the cached facts. Those that an older version wrote in another shape count as not fetched
    yet.
    """
    try:
        return OrganisationFacts.from_json(cached)
    except msgspec.ValidationError:
        return None


def _parsed(key: str, value: str | None) -> tuple[str, str | None]:
    if value is not None and value.strip():
        return parse_setting(key, value)
    key = normal_key(key)
    if key == "enabled_at":
        raise InvalidSetting(
            key, "", "has no default to go back to", "give a time such as 2026-01-31T00:00:00Z"
        )
    return key, None


def _check_reconnect(
    account: str,
    before: Mapping[str, Any],
    tenant_id: str,
    enabled_at: datetime | None,
    new_organisation: bool,
) -> None:
    moved = before["tenant_id"] != tenant_id
    if moved and not new_organisation:
        raise OtherOrganisation(
            f"'{account}' is connected to the organisation {before['tenant_id']} of Xero, and what was sent "
            f"there is linked to it; to start over in {tenant_id}, add --new-organisation"
        )
    if not moved and enabled_at is not None and enabled_at != before["enabled_at"]:
        raise ConnectionRefused(
            f"'{account}' keeps its cut-off {_moment(before['enabled_at'])} when it is connected again; "
            f"to change it: sbx settings set {account} enabled_at={_moment(enabled_at)}"
        )


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def _locked(conn: Db, account: str) -> dict[str, Any]:
    row = await fetch_one(conn, _SQL["lock_account"], {"account": account})
    if row is None:
        raise NotConnected(account)
    return row


async def _record(conn: Db, account: str, actor: str, key: str, old: str | None, new: str | None) -> None:
    values = {"account": account, "actor": actor, "key": key, "old": old, "new": new}
    await conn.execute(_SQL["record_change"], values)


async def _notify(conn: Db, account: str) -> None:
    await conn.execute(_SQL["notify"], {"channel": CHANNEL, "account": account})
