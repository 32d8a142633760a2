"""``sbx source``: SalesBinder accounts whose changes are read through SalesBinder's API."""

import asyncio
import os
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from runtime.environment import Environment
from sbx.actions import source as actions
from sbx.actions.refused import ActionRefused
from sbx.actions.setup import setups
from sbx.actions.setup.checklist import in_words
from sbx.actions.source_report import UNMEASURED, as_object, evidence_of, why_of
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage
from sbx.cli.terminal import age, ask_secret, bar, plural, print_json, say
from sbx.cli.times import day
from sources.diff.look import Shrunk
from sources.schedule.trust import KINDS
from sources.store.hooks import Hook
from sources.store.overview import FeedStanding, Overview

_SHRUNK: Final[dict[Shrunk, str]] = {
    "correction": "a payment that becomes smaller is read as a correction",
    "refund": "a payment that becomes smaller is read as a refund of the difference",
}
_LAYERS = ("delta", "log", "newest", "open", "wide", "all")


def connect(account: str, key_file: Path | None, as_json: bool) -> None:
    """Run ``sbx source connect``."""
    used = environment.required(database=True)
    account = actions.account_name(account)
    found = asyncio.run(_connect(used, account, read_key(account, key_file)))
    if as_json:
        print_json(
            {
                "account": account,
                "rows": dict(found.rows),
                "refused": list(found.refused),
                "checked": found.unproven is None,
            }
        )
        return
    print(f"{account} is connected to SalesBinder")
    print(", ".join(f"{count:,} {listing}" for listing, count in found.rows.items()))
    for listing in found.refused:
        say(f"the key's user may not see {listing}: give them the permission in SalesBinder", "yellow")
    if found.unproven is not None:
        said = "nothing is read until a record that is known was shown to this key: 'sbx source status'"
        say(f"{found.unproven}; {said}", "yellow")


async def _connect(used: Environment, account: str, key: str) -> actions.Connected:
    async with connected("sbx source", used) as (database, _):
        return await actions.connect(database, used, actor(), account, key, say)


def read_key(account: str, key_file: Path | None) -> str:
    """Return an API key, read from a file, a prompt or stdin; never from arguments, which others can see."""
    if key_file is not None:
        try:
            return key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise BadUsage(
                f"--api-key-file {key_file}: {error}", "name a file with nothing but the key"
            ) from error
    return ask_secret(f"API key of {account}").strip()


def status(account: str | None, as_json: bool) -> None:
    """Run ``sbx source status``."""
    found, setting_up = asyncio.run(_status(account))
    for each in found:
        if as_json:
            print_json(as_object(each) | {"setup_steps_left": setting_up.get(each.account, 0)})
        else:
            _show(each, in_words(setting_up.get(each.account, 0)))
    if not found and not as_json:
        say("no account is connected to SalesBinder: sbx source connect ACCOUNT")


async def _status(account: str | None) -> tuple[list[Overview], dict[str, int]]:
    async with connected("sbx source") as (_, connection):
        found = await actions.standing(connection, actor(), account)
        return found, await setups.counted(connection, actor())


def _show(found: Overview, setting_up: str = "") -> None:
    print(f"{found.account}: {', '.join(filter(None, (setting_up, _state(found))))}")
    if found.trouble is not None:
        print(f"  {' '.join(why_of(found))}")
    if not found.stock_is_taken:
        _show_stock(found)
    ages = [(layer, found.age(layer)) for layer in _LAYERS]  # type: ignore[arg-type]
    read = [f"{layer} {age(each.total_seconds())} ago" for layer, each in ages if each is not None]
    print(f"  read: {', '.join(read) or 'nothing yet'}; {found.calls} calls in the last minute")
    due = f"{found.deep_due:,} due, the oldest for {age(found.deep_overdue.total_seconds())}"
    print(f"  deep: {due if found.deep_due else 'nothing is due'}")
    _show_lateness(found)
    waiting = [
        f"{plural(count, what)} to {verb}"
        for count, what, verb in (
            (found.wanted, "detail", "read"),
            (found.untold, "event", "publish"),
            (found.history, "old document", "publish"),
        )
        if count
    ]
    if waiting:
        print(f"  waiting: {', '.join(waiting)}")
    if found.feed is not None:
        print(f"  change feed: {_feed_state(found.feed, found.now)}")
    if found.comparison_error is not None:
        print(f"  the last comparison with Xero did not succeed: {found.comparison_error}")
    for each in found.problems:
        print(f"  {each.code} ({each.count:,}), such as {each.example}. {each.remedy}")


def _show_lateness(found: Overview) -> None:
    """Show how late changes can be seen, and what that rests on."""
    late = found.lateness
    listed = [
        f"{_name(change)} {age(each.listed.total_seconds())}"
        for change, each in late.items()
        if each.listed is not None
    ]
    print(f"  seen at the latest after: {', '.join(listed)}")
    unlisted = {change: each.live for change, each in late.items() if each.live is not None}
    live, most = (age(each.total_seconds()) for each in (unlisted["correction"], late["correction"].most))
    print(
        "  one that no list shows, such as a payment returned before anybody looked: "
        f"{live}, {most} if settled long ago: {', '.join(map(_name, unlisted))}"
    )
    print("  does it move the document's time of change?")
    for kind in KINDS:
        print(f"    {_name(kind)}: {evidence_of(found, kind)}")
    for change, why in UNMEASURED.items():
        print(f"    {_name(change)}: {why}")
    print(f"  {_SHRUNK[found.shrunk]}")


def _name(change: str) -> str:
    return "correction of day or reference" if change == "correction" else change.replace("_", " ")


def _feed_state(feed: FeedStanding, now: datetime) -> str:
    if feed.trouble:
        return feed.trouble
    return "not read yet" if feed.last_at is None else f"read {age((now - feed.last_at).total_seconds())} ago"


def _state(found: Overview) -> str:
    if found.trouble is not None:
        return f"no answers since {found.trouble_since:%F %T} UTC"
    if not found.is_read:
        return "not read: no worker runs; start one with sbx up or sbx worker source"
    return "read" if found.stock_is_taken else "all rows are read once, silently"


def _show_stock(found: Overview) -> None:
    rows = sum(each.rows for each in found.stock.values())
    counts = [each.count for each in found.stock.values()]
    total = None if None in counts else sum(count or 0 for count in counts)
    left = "" if found.stock_left is None else f", {age(found.stock_left.total_seconds())} left"
    of = "" if total is None else f" of {total:,}"
    print(f"  {rows:,}{of} rows{left}")
    with bar(found.account, total) as shown:
        shown.at(rows)


def hook(account: str, renew: bool, as_json: bool) -> None:
    """Run ``sbx source hook``."""
    used = environment.required(database=True)
    found = asyncio.run(_hook(used, account, renew))
    if found is None:
        raise ActionRefused("not_found", f"'{account}' has no address for webhooks", "make one: add --renew")
    page = os.environ.get("SBX_NOTIFY_PAGE_URL", "").strip().rstrip("/")
    address = f"{page}/hooks/{found.token}"
    if as_json:
        print_json(
            {"account": account, "address": address, "made_at": found.made_at, "last_at": found.last_at}
        )
        return
    print(address)
    if not page:
        say("below the page's address as SalesBinder reaches it, such as https://log.example.com")
    said = "none has come yet" if found.last_at is None else f"the last one came at {found.last_at:%F %T} UTC"
    say(f"webhooks: {said}")


async def _hook(used: Environment, account: str, renew: bool) -> Hook | None:
    async with connected("sbx source", used) as (database, connection):
        if renew:
            return await actions.renew_hook(database, used, actor(), account)
        return await actions.hook(connection, used, actor(), account)


def set_(account: str, shrunk: Shrunk, as_json: bool) -> None:
    """Run ``sbx source set``."""
    before = asyncio.run(_set(account, shrunk))
    if as_json:
        print_json({"account": account, "shrunk": shrunk, "before": before})
    else:
        print(f"{account}: {_SHRUNK[shrunk]}")


async def _set(account: str, shrunk: Shrunk) -> Shrunk:
    async with connected("sbx source") as (database, _):
        return await actions.read_shrunk_as(database, actor(), account, shrunk)


def feed(account: str, key_file: Path | None, off: bool, as_json: bool) -> None:
    """Run ``sbx source feed``."""
    used = environment.required(database=True)
    if off and key_file is not None:
        raise BadUsage("give either --api-key-file or --off", "see sbx source feed --help")
    key = None if off else read_key(account, key_file)
    asyncio.run(_feed(used, account, key))
    if as_json:
        print_json({"account": account, "feed": "off" if off else "on"})
    else:
        print(f"the change feed of {account} is {'not followed any more' if off else 'followed'}")


async def _feed(used: Environment, account: str, key: str | None) -> None:
    async with connected("sbx source", used) as (database, _):
        if key is None:
            await actions.leave_feed(database, actor(), account)
        else:
            await actions.follow_feed(database, used, actor(), account, key)


def backfill(account: str, since: str | None, cancel: bool, yes: bool, as_json: bool) -> None:
    """Run ``sbx source backfill``."""
    if cancel == (since is not None) or (cancel and yes):
        raise BadUsage("give either --since DATE or --cancel", "see sbx source backfill --help")
    if cancel:
        left = asyncio.run(_cancel(account))
        if as_json:
            print_json({"account": account, "cancelled": left})
        else:
            print(f"{plural(left, 'document')} of before will not be published")
        return
    planned, started = asyncio.run(_backfill(account, _day(since or ""), yes))
    _report(account, planned, started, as_json)


async def _cancel(account: str) -> int:
    async with connected("sbx source") as (database, _):
        return await actions.cancel_backfill(database, actor(), account)


async def _backfill(account: str, since: datetime, yes: bool) -> tuple[actions.Backfill, int | None]:
    async with connected("sbx source") as (database, connection):
        planned = await actions.plan_backfill(connection, actor(), account, since)
        started = await actions.backfill(database, actor(), account, since) if yes else None
        return planned, started


def _report(account: str, planned: actions.Backfill, started: int | None, as_json: bool) -> None:
    plan = planned.plan
    if as_json:
        print_json(
            {
                "account": account,
                "since": planned.since,
                "documents": plan.documents,
                "salesbinder_calls": plan.salesbinder_calls,
                "xero_calls": plan.xero_calls,
                "minutes": round(plan.time / timedelta(minutes=1)),
                "started": started,
            }
        )
        return
    if planned.cut_off is not None:
        say(
            f"documents made before the cut-off of {account}, {planned.cut_off:%F %T} UTC, are not synced",
            "yellow",
        )
    if started is not None:
        print(
            f"{plural(started, 'document')} will be published; how many are left: sbx source status {account}"
        )
        return
    print(
        f"{plural(plan.documents, 'document')}: {plural(plan.salesbinder_calls, 'call')} of SalesBinder, "
        f"about {plan.xero_calls:,} of Xero, {age(plan.time.total_seconds())} behind live work"
    )
    say("Nothing is published yet: add --yes.")


def _day(text: str) -> datetime:
    first = day("--since", text)
    assert first is not None
    return datetime.combine(first, time(), UTC)
