"""``sbx recover``: after a restore, find what is missing or uncertain, and recover it."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from connections import store
from sbx.actions import recover as actions
from sbx.actions.accounts import delivering
from sbx.actions.actors import Connection
from sbx.actions.recover import Plan
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.terminal import bar, plural, print_json, say
from sinks.ledger.cost import CALLS_A_MINUTE
from sinks.recover import taking_up

_LOOK_SECONDS = 0.5


def recover(yes: bool, everything: bool, as_json: bool) -> None:
    """Run ``sbx recover``."""
    asyncio.run(_recover(yes, everything, as_json))


async def _recover(yes: bool, everything: bool, as_json: bool) -> None:
    used = environment.required(kafka=True, database=True)
    kafka = environment.kafka_client(used)
    async with connected("sbx recover", used) as (_, database):
        if not yes:
            plan = await actions.plan(database, kafka, bar, everything=everything)
            if plan is None:
                _report_nothing(as_json)
            else:
                print_json(_as_object(plan)) if as_json else _show(plan)
            return
        done = await actions.recover(
            database, kafka, actor(), bar, everything=everything, clock_rate=used.clock_rate
        )
        if done is None:
            _report_nothing(as_json)
            return
        number, plan = done
        if as_json:
            print_json({**_as_object(plan), "applied": True, "generation": number})
        else:
            taken = plural(plan.missing, "event")
            print(f"{taken} recovered; this is now ledger {number}, and it no longer holds any account")
        await _wait_for_lanes(database)


def _report_nothing(as_json: bool) -> None:
    if as_json:
        print_json({"applied": False, "held": False, "accounts": [], "events": 0, "missing": 0, "calls": 0})
    else:
        print("nothing to recover: the database knows everything that was sent from it")


async def _wait_for_lanes(database: Connection) -> None:
    """Wait until everything that may have been sent is looked up. Ctrl-C leaves the lanes working on it."""
    left = await _left(database)
    if not left:
        return
    if not await delivering(database):
        say(f"{plural(left, 'record')} to be looked up in Xero: start the workers", "yellow")
        return
    say("looking up in Xero what may have been sent; after Ctrl-C the workers continue")
    began = time.monotonic()
    with bar("records looked up", left) as shown:
        while now := await _left(database, quietly=True):
            shown.at(left - now)
            await asyncio.sleep(_LOOK_SECONDS)
    say(f"everything is looked up, after {time.monotonic() - began:.0f} s", "green")


async def _left(database: Connection, *, quietly: bool = False) -> int:
    """Return how many records lanes still have to look up; those that wait for a person are only reported."""
    flagged = await taking_up.still_flagged(database)
    connections = await store.load_many(database, flagged)
    left = 0
    for account, records in flagged.items():
        found = connections.get(account)
        if found is None or found.status != "connected":
            waits = f"connect it ('sbx connect {account}')"
        elif found.paused_reason is not None:
            waits = f"resume it ('sbx resume {account}')"
        else:
            left += records
            continue
        if not quietly:
            say(f"{account}: {plural(records, 'record')} to be looked up in Xero: {waits}", "yellow")
    return left


def _as_object(plan: Plan) -> dict[str, Any]:
    accounts: list[dict[str, Any]] = [
        {
            "account": name,
            "in_doubt": one.in_doubt,
            "since": one.since,
            "missing": one.missing,
            "uncertain": one.uncertain,
            "calls": one.calls,
            "minutes": -(-one.calls // CALLS_A_MINUTE),
        }
        for name, one in sorted(plan.accounts.items())
    ]
    return {
        "applied": False,
        "held": plan.ours.held_at is not None,
        "why": plan.why or plan.ours.held_args.get("message", ""),
        "ledger": {"number": plan.ours.number, "id": plan.ours.generation},
        "kafka": {"number": plan.told.number, "id": plan.told.generation},
        "accounts": accounts,
        "events": plan.events,
        "missing": plan.missing,
        "overtaken": plan.overtaken,
        "unreadable": plan.unreadable,
        "calls": sum(one["calls"] for one in accounts),
        "minutes": max((one["minutes"] for one in accounts), default=0),
    }


def _show(plan: Plan) -> None:
    told: Mapping[str, Any] = _as_object(plan)
    print(f"the database is older than what was sent from it: {told['why']}")
    print(f"{plural(plan.events, 'event')} in the topics, {plan.missing:,} of them missing from the database")
    for one in told["accounts"]:
        print(_account_text(one))
    if plan.overtaken:
        say(f"{plural(plan.overtaken, 'event')} are left out: see 'sbx replay' afterwards", "yellow")
    print("add --yes to do it")


def _account_text(one: Mapping[str, Any]) -> str:
    missing = f"{plural(one['missing'], 'event')} missing"
    if not one["in_doubt"]:
        return f"{one['account']}: {missing}, none of them was sent"
    since = "from the start" if one["since"] is None else f"since {one['since']:%Y-%m-%d %H:%M} UTC"
    calls, minutes = plural(one["calls"], "call"), plural(one["minutes"], "minute")
    return (
        f"{one['account']}: behind {since}; {missing}, {plural(one['uncertain'], 'action')} uncertain; about "
        f"{calls} to look up what may have been sent, {minutes}"
    )
