"""SalesBinder accounts as sources: connect one, see how it stands, tell its history, probe its API."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connections import store as connections
from runtime.environment import Environment
from runtime.secrets import SecretBox
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.asking import asking
from sbx.actions.refused import ActionRefused, bad_request, not_possible
from sources.batch import ACCOUNTS, Kept, Key
from sources.client import Client, NoAnswer, api_address
from sources.diff.look import Shrunk
from sources.feed import FeedTrouble, SyncFeed, feed_address
from sources.probe import Finding, probe
from sources.problems import Unreadable
from sources.salesbinder.answers import read_list
from sources.salesbinder.verdicts import Answer
from sources.schedule.choice import DetailRequest
from sources.schedule.layers import LISTINGS, Listing
from sources.schedule.questions import RESOURCES, Question, question
from sources.store import feeds, history, hooks, keeping, store
from sources.store.history import Plan
from sources.store.hooks import Hook
from sources.store.overview import Overview, overviews

_ACCOUNT: Final = re.compile(r"[a-z0-9-]{1,63}")
_ADDRESS: Final = re.compile(r"(?:https?://)?([a-z0-9-]+)\.salesbinder\.com(?:[/?#].*)?", re.IGNORECASE)
_LATELY: Final = 50
_WITNESSES: Final = 5
"""Known records that are asked for until one of them is shown."""
_PERMISSIONS: Final = "accounts, Billing Management, and View Invoices / Estimates"


@dataclass(frozen=True, slots=True)
class Connected:
    """What SalesBinder showed when an account was connected."""

    rows: Mapping[Listing, int]
    """Of each list that the key may read."""
    refused: tuple[Listing, ...]


def account_name(given: str) -> str:
    """Return the account's name, its sub-domain, from what people paste: its address, or capitals. What is
    neither stays as it is, to be refused: no part of it is taken for a name that nobody gave.
    """
    written = given.strip()
    address = _ADDRESS.fullmatch(written)
    name = (address[1] if address else written).lower()
    return name if _ACCOUNT.fullmatch(name) else written


async def connect(
    database: Database, environment: Environment, actor: Actor, account: str, key: str
) -> Connected:
    """Connect an account, or give it another key, once SalesBinder has taken the key.

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
        lately = await keeping.lately_kept(connection, account, _LATELY)
    found = await _look(environment, account, key, lately)
    box = _box(environment)
    encrypted = box.encrypt(key)
    async with (
        database.connection() as connection,
        audit.recorded(connection, actor, "source_connect", {"account": account}) as record,
    ):
        await store.connect(connection, account, encrypted)
        await hooks.make(connection, account, box)
        record.result["refused"] = list(found.refused)
    return found


def _check_sees(actor: Actor, account: str) -> None:
    if not actor.sees(account):
        raise ActionRefused("not_found", f"'{account}' is not among the accounts that you can see.")


def _box(environment: Environment) -> SecretBox:
    return SecretBox.open(environment.data_dir, environment.secret_key)


async def _look(environment: Environment, account: str, key: str, lately: Mapping[Key, Kept]) -> Connected:
    """Ask for the first row of each list; and for records that are known of the account, if there are any."""
    rows: dict[Listing, int] = {}
    refused: list[Listing] = []
    try:
        address = api_address(account, environment.salesbinder_api_url)
    except ValueError as error:
        raise bad_request(str(error)) from error
    try:
        async with Client(address, key) as client:
            for listing in LISTINGS["all"]:
                count = _count(await client.ask(_first_row(listing)), listing, account)
                if count is None:
                    refused.append(listing)
                else:
                    rows[listing] = count
            if rows:
                await _check_company(client, account, lately)
    except ValueError as error:
        raise bad_request(str(error), field="key") from error
    except NoAnswer as error:
        raise not_possible(
            f"SalesBinder does not answer for '{account}': {error}",
            f"check the name, which is the one in https://{account}.salesbinder.com, and the network",
            field="account",
        ) from error
    if not rows:
        raise not_possible(
            f"SalesBinder refuses this key for '{account}'",
            "copy it again from the Profile page of its user in SalesBinder, where a new key replaces the "
            f"old one; and see that this user has the permissions {_PERMISSIONS}",
            field="key",
        )
    return Connected(rows, tuple(refused))


async def _check_company(client: Client, account: str, lately: Mapping[Key, Kept]) -> None:
    """Refuse a key that shows none of the records that are known of the account: with the key of another
    company, all of that company's customers and documents would be told as new ones of this one.
    """
    standing = [key for key, kept in lately.items() if not kept.known.deleted][:_WITNESSES]
    for entity, record_id in standing:
        request = DetailRequest(record_id, "again", of_account=entity in ACCOUNTS.values())
        answer = await client.ask(question(request))
        if answer.verdict != "not_there":
            return
    if standing:
        raise not_possible(
            f"SalesBinder shows this key none of the records that are known of '{account}', such as "
            f"{standing[0][0]} {standing[0][1]}: it may be the key of another company",
            "give the key of a user of this company who sees its customers and documents; if all of these "
            "were archived, bring one back in SalesBinder first",
            field="key",
        )


def _first_row(listing: Listing) -> Question:
    resource = RESOURCES[listing]
    return Question(resource.path, {"contextId": str(resource.context), "page": "1", "pageLimit": "1"})


def _count(answer: Answer, listing: Listing, account: str) -> int | None:
    """Return how many rows the list has; none if the key may not read it.

    Raises:
        ActionRefused: the answer is of no use.
    """
    if answer.verdict in ("key_refused", "not_permitted"):
        # A missing permission may look like a wrong key, and the other way round.
        return None
    if answer.verdict == "blocked":
        raise not_possible(
            f"SalesBinder has blocked '{account}' for too many calls", "try again in a few minutes"
        )
    try:
        if answer.verdict != "answered":
            raise Unreadable("answer", answer.status, "it is of no use", "", "answer_unreadable")
        page = read_list(answer.body, RESOURCES[listing].names)
    except Unreadable as wrong:
        raise not_possible(
            f"SalesBinder's answer for '{account}' is of no use ({answer.status})",
            f"check the name and the key: open https://{account}.salesbinder.com in a browser",
            field="account",
        ) from wrong
    return page.count if page.count is not None else len(page.rows)


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


async def probed(
    connection: Connection, environment: Environment, actor: Actor, account: str
) -> list[Finding]:
    """Return what the account's own answers tell of SalesBinder's API, within its limits.

    Raises:
        ActionRefused: the account is not connected or not theirs, or SalesBinder does not answer.
    """
    await standing(connection, actor, account)
    encrypted = (await store.accounts(connection))[account]
    try:
        async with asking(connection, environment, account, encrypted) as ask:
            return await probe(ask)
    except NoAnswer as error:
        raise not_possible(f"SalesBinder does not answer: {error}", "try again later") from error
