"""How far an account's set-up is, kept in the database, and its steps done one by one.

Until it is switched on, the account is paused: what changes in SalesBinder waits, and nothing reaches Xero.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from connections import store
from connections.check import number_clashes
from connections.settings import flat
from connections.store import Connection as Connected
from log_projection.queries import Filters
from runtime.database import fetch_all, fetch_one
from runtime.sql import load_queries
from sbx.actions import audit, retry, settings
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.refused import ActionRefused, bad_request, not_possible
from sbx.actions.scoped_log import VisibleLog
from sbx.actions.setup.checklist import Known, Step, checklist, left, open_settings
from sbx.actions.setup.holding import HELD
from sbx.actions.setup.suggest import Suggestion, suggestions
from sources.sample import Sample
from sources.store import store as source

_ALL: Final = 7
_RECENT: Final = 200
"""Entries that are looked at for the first that arrived."""
_SQL = load_queries(__file__)
_NOT_BEGUN: Final[Mapping[str, Any]] = {
    "sample": None,
    "left_out": (),
    "start_chosen": None,
    "previewed": "",
    "switched_on_at": None,
    "finished_at": None,
    "steps_left": _ALL,
    "look_problem": "",
    "is_looking": False,
}
"""A row of a set-up of which nothing is kept yet."""


@dataclass(frozen=True, slots=True)
class Setup:
    """An account's set-up."""

    account: str
    steps: Sequence[Step]
    connection: Connected | None
    sample: Sample | None
    """None before it was taken, and once the set-up is over."""
    left_out: Sequence[str]
    start: datetime | None
    """As it was chosen."""
    switched_on_at: datetime | None
    is_looking: bool
    """Whether the shop's documents are being looked at."""
    look_problem: str
    """Why the last look found nothing, and what to do; blank if it did not fail."""
    shared: str = ""
    """What it means that other accounts are connected to the same organisation; blank if none is."""

    @property
    def left(self) -> int:
        """Return how many steps are not done."""
        return left(self.steps)

    @property
    def next(self) -> Step | None:
        """Return the step that is next; None once all are done."""
        return next((step for step in self.steps if step.state == "next"), None)


async def is_known(connection: Connection, actor: Actor, account: str) -> bool:
    """Return True if it is connected on one side at least.

    Raises:
        ActionRefused: it is not theirs.
    """
    if not actor.sees(account):
        raise ActionRefused("not_found", f"'{account}' is not among the accounts that you can see.")
    if account in await source.accounts(connection):
        return True
    return await store.load_connection(connection, account) is not None


async def begin(connection: Connection, actor: Actor, account: str) -> Setup:
    """Begin to set the account up, or go on where it was stopped.

    Nothing is kept of an account before one side of it is connected: its name may be mistyped.

    Raises:
        ActionRefused: it is not an account's name, or not theirs.
    """
    try:
        store.check_account(account)
    except store.ConnectionRefused as refused:
        raise bad_request(str(refused)) from refused
    if await is_known(connection, actor, account):
        await connection.execute(_SQL["begin"], {"account": account, "steps_left": _ALL})
    row = await fetch_one(connection, _SQL["load"], {"account": account})
    return await _as_it_stands(connection, actor, account, _NOT_BEGUN if row is None else row)


async def load(connection: Connection, actor: Actor, account: str) -> Setup:
    """Return how far the set-up is, as everything stands now.

    Raises:
        ActionRefused: the account is not theirs, or was never begun to be set up so.
    """
    row = await fetch_one(connection, _SQL["load"], {"account": account}) if actor.sees(account) else None
    if row is None:
        raise ActionRefused(
            "not_found", f"'{account}' is not being set up", f"begin with 'sbx setup {account}'"
        )
    return await _as_it_stands(connection, actor, account, row)


async def _as_it_stands(
    connection: Connection, actor: Actor, account: str, row: Mapping[str, Any]
) -> Setup:  # fmt: skip
    found = await store.load_connection(connection, account)
    taken = None if row["sample"] is None else msgspec.convert(row["sample"], Sample)
    works = found is not None and found.status != "lost"
    is_over = row["finished_at"] is not None
    known = Known(
        account=account,
        has_key=account in await source.accounts(connection),
        organisation=(found.tenant_name or found.tenant_id) if found is not None and works else "",
        facts_known=found is not None and found.facts is not None,
        open_settings=(
            open_settings(taken, found.settings, row["left_out"])
            if taken is not None and found is not None
            else ()
        ),
        has_sample=taken is not None or is_over,
        start_chosen=row["start_chosen"] is not None,
        previewed=is_over or (found is not None and row["previewed"] == digest(found)),
        switched_on=row["switched_on_at"] is not None,
        seen_at_work=is_over or await _has_arrived(connection, actor, account, row["switched_on_at"]),
    )
    steps = checklist(known)
    if left(steps) != row["steps_left"]:
        await connection.execute(_SQL["count"], {"account": account, "steps_left": left(steps)})
    return Setup(
        account,
        steps,
        found,
        taken,
        row["left_out"],
        row["start_chosen"],
        row["switched_on_at"],
        row["is_looking"],
        row["look_problem"],
        "" if found is None or is_over else await _shared(connection, actor, found),
    )


async def _shared(connection: Connection, actor: Actor, found: Connected) -> str:
    """Return what it means that other accounts are connected to the same organisation; blank if none is."""
    others = await store.settings_of_others(connection, found.account)
    if not others:
        return ""
    numbers = "their numbers in Xero have forms of their own"
    if clashes := number_clashes(found.settings, others):
        numbers = (
            "a number that two of them give out is in Xero once, and fails as number_taken for the other: "
            f"{clashes[0].remedy}"
        )
    names = sorted({name if actor.sees(name) else "another account" for name in others})
    return (
        f"{found.tenant_name or found.tenant_id} is also the organisation of {', '.join(names)}. They keep "
        f"the same books: customers and suppliers of one name are one contact there, and {numbers}. Connect "
        "another organisation if that is not meant."
    )


def digest(connection: Connected) -> str:
    """Return what a preview depends on: another setting asks for another look. Pure."""
    written = {**flat(connection.settings), "tenant_id": connection.tenant_id}
    shown = msgspec.json.encode(sorted((key, value or "") for key, value in written.items()))
    return hashlib.sha256(shown).hexdigest()


async def counted(
    connection: Connection, actor: Actor, accounts: Sequence[str] | None = None
) -> dict[str, int]:
    """Return, by account, how many steps are left as everything stands now, of those that are being set up.

    Args:
        accounts: only these; None for all that the actor sees.
    """
    wanted = actor.accounts if accounts is None else [one for one in accounts if actor.sees(one)]
    names = None if wanted is None else list(wanted)
    rows = await fetch_all(connection, _SQL["unfinished"], {"accounts": names})
    found = {row["account"]: (await load(connection, actor, row["account"])).left for row in rows}
    return {account: count for account, count in found.items() if count}


async def _has_arrived(connection: Connection, actor: Actor, account: str, since: datetime | None) -> bool:
    """Return True once an action that Xero has taken ended after it was switched on."""
    if since is None:
        return False
    log = VisibleLog(connection, actor)
    async for row in log.entries(Filters(account=account, state="completed"), limit=_RECENT):
        if row["outcome"] in ("posted", "already_there") and row["finished_at"] >= since:
            return True
    return False


def suggested(setup: Setup) -> list[Suggestion]:
    """Return the settings that the shop's documents ask for, with suggestions. Pure.

    Raises:
        ActionRefused: the shop or the organisation is not known yet.
    """
    if setup.sample is None or setup.connection is None or setup.connection.facts is None:
        raise not_possible("the shop's documents or Xero's accounts were not read yet", "do the steps before")
    return suggestions(setup.sample, setup.connection.settings, setup.connection.facts)


async def choose_settings(
    database: Database, actor: Actor, account: str, chosen: Mapping[str, str | None]
) -> list[str]:
    """Set these settings; return those that are left out on purpose, because they have no value.

    Without a value, a setting that documents need is left out, and any other goes back to its default.

    Args:
        chosen: by key; settings that are not named stay as they are.

    Raises:
        ActionRefused: there is no such set-up, or the shop's documents do not ask for one of these settings.
        SettingsRefused: a value is invalid, or the organisation has no such account or tax rate.
    """
    async with database.connection() as connection:
        setup = await load(connection, actor, account)
    needed = {each.key: each.is_needed for each in suggested(setup)}
    if strange := sorted(chosen.keys() - needed.keys()):
        raise bad_request(
            f"the shop's documents do not ask for the setting '{strange[0]}'",
            "reload the page: other documents may have been looked at since",
            field=strange[0],
        )
    given = {key: value or None for key, value in chosen.items()}
    written = setup.connection.written if setup.connection is not None else {}
    changes = {key: value for key, value in given.items() if value or key in written}
    if changes:
        await settings.change(database, actor, account, changes)
    blank = {key for key, value in given.items() if value is None and needed[key]}
    keys = sorted({*setup.left_out, *blank} - {key for key, value in given.items() if value})
    if keys != sorted(setup.left_out):
        target = {"account": account, "left_out": keys}
        async with database.connection() as connection, audit.recorded(connection, actor, "setup", target):
            await connection.execute(_SQL["leave_out"], {"account": account, "keys": keys})
    return sorted(blank)


async def choose_start(database: Database, actor: Actor, account: str, start: datetime) -> None:
    """Sync documents made from then on.

    Raises:
        ActionRefused: there is no such set-up, or no connection.
    """
    async with database.connection() as connection:
        await load(connection, actor, account)
    await settings.change(database, actor, account, {"enabled_at": start.isoformat()})
    async with database.connection() as connection:
        await connection.execute(_SQL["choose_start"], {"account": account, "start": start})


async def accept_preview(connection: Connection, actor: Actor, account: str, seen: str) -> None:
    """Note that the preview was found right.

    Args:
        seen: the ``digest`` of the connection with which it was shown.

    Raises:
        ActionRefused: there is no such set-up, no connection, or a setting was changed since.
    """
    setup = await load(connection, actor, account)
    if setup.connection is None:
        raise not_possible(f"'{account}' is not connected to Xero", f"connect it: sbx connect {account}")
    if seen != digest(setup.connection):
        raise not_possible("a setting was changed since the preview was shown", "look at it again")
    async with audit.recorded(connection, actor, "setup", {"account": account, "accepted": "preview"}):
        await connection.execute(_SQL["accept_preview"], {"account": account, "digest": seen})


async def switch_on(database: Database, actor: Actor, account: str) -> int:
    """Let the account's documents go to Xero; return how many actions are tried again that came before it was
    connected.

    Raises:
        ActionRefused: there is no such set-up, or a step before is not done.
    """
    async with database.connection() as connection:
        setup = await load(connection, actor, account)
        if setup.next is not None and setup.next.name not in ("switch_on", "watch"):
            raise not_possible(f"'{setup.next.title}' is not done yet", f"go on with 'sbx setup {account}'")
        async with audit.recorded(connection, actor, "setup", {"account": account}):
            await connection.execute(_SQL["switch_on"], {"account": account})
            if setup.connection is not None and setup.connection.paused_reason == HELD:
                await store.resume(connection, account, actor=actor.name)
    return await _retry_early(database, actor, account)


async def _retry_early(database: Database, actor: Actor, account: str) -> int:
    """Retry what came while there was no connection to Xero."""
    filters = retry.wanted(Filters(account=account, reason="not_connected"))
    async with database.connection() as connection:
        if not [row async for row in VisibleLog(connection, actor).entries(filters, limit=1)]:
            return 0
    words = {"account": account, "reason": "not_connected"}
    _, result = await retry.perform(database, actor, "retry", retry.Selection(filters, words), "")
    return len(result.done)
