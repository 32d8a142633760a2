"""SalesBinder accounts as sources: connect one, see how it stands, tell its history."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connections import store as connections
from runtime.environment import Environment
from runtime.secrets import SecretBox
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.asking import PATIENCE, Beside, Tell
from sbx.actions.refused import ActionRefused, bad_request, not_possible
from sbx.actions.source_key import Connected as Connected
from sbx.actions.source_key import look, new_client
from sources import company
from sources.client import Client
from sources.diff.look import Shrunk
from sources.feed import FeedTrouble, SyncFeed, feed_address
from sources.store import feeds, history, hooks, keeping, store
from sources.store.history import Plan
from sources.store.hooks import Hook
from sources.store.overview import Overview, overviews

_ACCOUNT: Final = re.compile(r"[a-z0-9-]{1,63}")
_ADDRESS: Final = re.compile(r"(?:https?://)?([a-z0-9-]+)\.salesbinder\.com(?:[/?#].*)?", re.IGNORECASE)
_PATIENCE: Final = timedelta(seconds=45)
"""So long at most somebody waits before whom nothing can be said meanwhile: a browser."""


def account_name(given: str) -> str:
    """Return the account's name, its sub-domain, from what people paste: its address, or capitals. What is
    neither stays as it is, to be refused: no part of it is taken for a name that nobody gave.
    """
    written = given.strip()
    address = _ADDRESS.fullmatch(written)
    name = (address[1] if address else written).lower()
    return name if _ACCOUNT.fullmatch(name) else written


async def connect(
    database: Database,
    environment: Environment,
    actor: Actor,
    account: str,
    key: str,
    tell: Tell | None = None,
) -> Connected:
    """Connect an account, or give it another key, once SalesBinder has taken the key.

    The calls are within the account's limits, also of one that is not connected yet, and wait until a block
    of a connected one is over; ``tell`` is told of it.

    Raises:
        ActionRefused: it is not an account's name, or not theirs; SalesBinder refuses the key, does not
            answer, or shows another company with it. Nothing is changed.
    """
    _check_sees(actor, account)
    if not _ACCOUNT.fullmatch(account):
        raise bad_request(
            f"'{account}' is not a SalesBinder account",
            "give the sub-domain, such as acme for acme.salesbinder.com",
            field="account",
        )
    async with database.connection() as connection:
        lately = await keeping.lately_kept(connection, account, company.LATELY)
        is_known = account in await store.accounts(connection)
    client = new_client(environment, account, key)
    patience = _PATIENCE if tell is None else PATIENCE
    beside = Beside(
        database,
        account,
        client,
        tell=tell,
        patience=patience,
        with_another_key=True,
        is_connected=is_known,
    )
    async with client:
        found = await look(beside.ask, account, lately)
    box = _box(environment)
    encrypted = box.encrypt(key)
    async with (
        database.connection() as connection,
        audit.recorded(connection, actor, "source_connect", {"account": account}) as record,
    ):
        await store.connect(connection, account, encrypted, unproven=found.unproven)
        await hooks.make(connection, account, box)
        record.result |= {"refused": list(found.refused), "checked": found.unproven is None}
    return found


def _check_sees(actor: Actor, account: str) -> None:
    if not actor.sees(account):
        raise ActionRefused("not_found", f"'{account}' is not among the accounts that you can see.")


def _box(environment: Environment) -> SecretBox:
    return SecretBox.of(environment)


async def known(connection: Connection, actor: Actor, account: str) -> Overview | None:
    """Return how the account stands; none if it is not connected to SalesBinder.

    Raises:
        ActionRefused: it is not theirs.
    """
    _check_sees(actor, account)
    return next(iter(await overviews(connection, [account])), None)


async def standing(connection: Connection, actor: Actor, account: str | None = None) -> list[Overview]:
    """Return how the accounts stand that they can see, or one of them.

    Raises:
        ActionRefused: that one is not connected, or not theirs.
    """
    if account is None:
        return await overviews(connection, actor.accounts)
    found = await overviews(connection, [account]) if actor.sees(account) else []
    if not found:
        raise _unknown(account)
    return found


def _unknown(account: str) -> ActionRefused:
    return ActionRefused(
        "not_found",
        f"'{account}' is not connected to SalesBinder",
        f"connect it: sbx source connect {account}",
    )


async def hook(connection: Connection, environment: Environment, actor: Actor, account: str) -> Hook | None:
    """Return the account's address for webhooks; none if it has none yet.

    Raises:
        ActionRefused: the account is not connected, or not theirs.
    """
    await standing(connection, actor, account)
    return await hooks.of(connection, account, _box(environment))


async def renew_hook(database: Database, environment: Environment, actor: Actor, account: str) -> Hook:
    """Give the account another address for webhooks; the one it had is unknown within seconds.

    Raises:
        ActionRefused: the account is not connected, or not theirs.
    """
    box = _box(environment)
    async with database.connection() as connection:
        await standing(connection, actor, account)
        async with audit.recorded(connection, actor, "source_hook", {"account": account}):
            await hooks.renew(connection, account, box)
        found = await hooks.of(connection, account, box)
    assert found is not None
    return found


async def follow_feed(
    database: Database, environment: Environment, actor: Actor, account: str, key: str
) -> None:
    """Follow version 3's change feed, too, once SalesBinder has taken its key.

    Raises:
        ActionRefused: the account is not connected, or not theirs; the key is refused. Nothing is changed.
    """
    async with database.connection() as connection:
        await standing(connection, actor, account)
    try:
        client = Client(feed_address(account, environment.salesbinder_api_url), key, is_bearer=True)
    except ValueError as error:
        raise bad_request(str(error), field="key") from error
    try:
        async with client:
            await SyncFeed(client).changes(None)
    except FeedTrouble as trouble:
        raise not_possible(
            f"the change feed of '{account}' cannot be read: {trouble}", field="key"
        ) from trouble
    encrypted = _box(environment).encrypt(key)
    target = {"account": account, "feed": "on"}
    async with database.connection() as connection, audit.recorded(connection, actor, "source_feed", target):
        await feeds.connect(connection, account, encrypted)


async def leave_feed(database: Database, actor: Actor, account: str) -> bool:
    """Follow the change feed no more; False if it was not followed.

    Raises:
        ActionRefused: the account is not connected, or not theirs.
    """
    target = {"account": account, "feed": "off"}
    async with database.connection() as connection:
        await standing(connection, actor, account)
        async with audit.recorded(connection, actor, "source_feed", target) as record:
            record.result["changed"] = await feeds.disconnect(connection, account)
    return bool(record.result["changed"])


async def read_shrunk_as(database: Database, actor: Actor, account: str, shrunk: Shrunk) -> Shrunk:
    """Read a payment that becomes smaller so from now on; return how it was read.

    Raises:
        ActionRefused: the account is not connected, or not theirs.
    """
    target = {"account": account, "shrunk": shrunk}
    async with database.connection() as connection:
        await standing(connection, actor, account)
        async with audit.recorded(connection, actor, "source_set", target) as record:
            before = await store.set_shrunk(connection, account, shrunk)
            record.result["before"] = before
    return before


@dataclass(frozen=True, slots=True)
class Backfill:
    """A plan for telling history, from when on."""

    since: datetime
    plan: Plan
    cut_off: datetime | None
    """Of the connection to Xero, if that is later than what was asked for: older documents are not synced."""


async def plan_backfill(connection: Connection, actor: Actor, account: str, since: datetime) -> Backfill:
    """Return what telling documents made since then would take.

    Raises:
        ActionRefused: the account is not connected or not theirs, or its stock is still being taken.
    """
    (found,) = await standing(connection, actor, account)
    if not found.stock_is_taken:
        raise not_possible(
            f"the lists of '{account}' have not been read whole yet",
            f"wait until they are: sbx source status {account}",
        )
    known = await connections.load_connection(connection, account)
    cut_off = known.enabled_at if known is not None and known.enabled_at > since else None
    return Backfill(cut_off or since, await history.plan(connection, account, cut_off or since), cut_off)


async def backfill(database: Database, actor: Actor, account: str, since: datetime) -> int:
    """Tell documents made since then, behind live work; return how many.

    Raises:
        ActionRefused: as ``plan_backfill``.
    """
    async with database.connection() as connection:
        planned = await plan_backfill(connection, actor, account, since)
        target = {"account": account, "since": planned.since.isoformat()}
        async with audit.recorded(connection, actor, "source_backfill", target) as record:
            record.result["documents"] = await history.start(connection, account, planned.since)
    return int(record.result["documents"])


async def cancel_backfill(database: Database, actor: Actor, account: str) -> int:
    """Tell no more history; return how many documents were left.

    Raises:
        ActionRefused: the account is not connected, or not theirs.
    """
    async with database.connection() as connection:
        await standing(connection, actor, account)
        async with audit.recorded(
            connection, actor, "source_backfill_cancel", {"account": account}
        ) as record:
            record.result["documents"] = await history.cancel(connection, account)
    return int(record.result["documents"])
