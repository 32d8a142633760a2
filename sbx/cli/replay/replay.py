"""``sbx replay``: read events again from their topics, and do what is not yet done."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from connections import store
from log_projection import queries
from log_projection.queries import Filters
from sbx.actions.actors import Connection
from sbx.actions.lag import lag
from sbx.actions.replay import start as actions
from sbx.actions.replay.force import forecast
from sbx.actions.replay.run import Replay
from sbx.actions.replay.screen import Screen
from sbx.actions.replay.topics import Ranges, find_ranges, topics_of
from sbx.actions.replay.waiting import with_waiting
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.drift import following
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.replay.report import as_object, list_table, result_text, show_plan
from sbx.cli.terminal import bar, plural, print_json, say, stdout_console
from sinks.ledger import cost
from streams.broker import Broker


def replay(
    *,
    wanted: Filters,
    topic: list[str] | None,
    yes: bool,
    resume: int | None,
    force: bool,
    cancel: int | None,
    list_all: bool,
    as_json: bool,
) -> None:
    """Run ``sbx replay``."""
    chosen = topic or []
    given = bool(chosen) or force or wanted != Filters()
    if [given or yes, resume is not None, cancel is not None, list_all].count(True) > 1:
        raise BadUsage(
            "--resume, --cancel and --list must be used alone",
            "leave the filters and --yes out, or start a new replay",
        )
    if list_all:
        asyncio.run(_list(as_json))
    elif cancel is not None:
        asyncio.run(_cancel(cancel, as_json))
    elif resume is not None:
        _report(*asyncio.run(_resume(resume)), as_json)
    else:
        _new(topics_of(chosen, wanted.entity), wanted, force, yes, as_json)


def _new(topics: Sequence[str], wanted: Filters, force: bool, yes: bool, as_json: bool) -> None:
    kafka = _kafka()
    ranges = find_ranges(kafka, topics, wanted)
    _remark(ranges)
    if yes:
        _report(*asyncio.run(_start(kafka, topics, wanted, ranges, force)), as_json)
        return
    with Broker(kafka) as broker:
        if still_open := lag(broker, "deliver")():
            say(f"{still_open}: messages still on their way count as not in the ledger", "yellow")
    asyncio.run(_show_plan(kafka, ranges, wanted, force, as_json))


def _kafka() -> dict[str, Any]:
    return environment.kafka_client(environment.required(kafka=True, database=True))


async def _show_plan(
    kafka: Mapping[str, Any], ranges: Ranges, wanted: Filters, force: bool, as_json: bool
) -> None:
    async with connected("sbx replay") as (_, database):
        plan = await actions.plan(database, kafka, ranges.found, wanted, _SCREEN)
        if wanted.account is not None and not plan.totals.events:
            await _refuse_unknown(database, wanted.account)
        accounts = await cost.by_account(database, plan.work)
        compared = await forecast(database, actor(), plan.done) if force else None
    if as_json:
        print_json(as_object(plan.totals, ranges, accounts, compared))
    else:
        show_plan(stdout_console(), plan.totals, accounts, compared)


async def _refuse_unknown(database: Connection, account: str) -> None:
    known = {row["account"] for row in await queries.summary(database)} - {""}
    known |= (await store.load_many(database)).keys()
    if account not in known:
        there = f"there are: {', '.join(sorted(known))}" if known else "there is none yet"
        raise OperationFailed(f"nothing is known of the account {account}", f"correct --account; {there}")


async def _start(
    kafka: Mapping[str, Any], topics: Sequence[str], wanted: Filters, ranges: Ranges, force: bool
) -> tuple[Replay, str]:
    async with connected("sbx replay") as (_, database):
        return await actions.start(
            database, kafka, actor(), topics, wanted, ranges.found, _SCREEN, compares=force
        )


async def _resume(replay_id: int) -> tuple[Replay, str]:
    kafka = _kafka()
    async with connected("sbx replay") as (_, database):
        return await actions.resume(database, kafka, actor(), replay_id, _SCREEN)


def _began(replay_id: int) -> None:
    say(f"replay {replay_id}: Ctrl-C stops it, 'sbx replay --resume {replay_id}' goes on")


_SCREEN = Screen(bar, following, _began)


def _report(made: Replay, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"applied": True, "replay_id": made.replay_id, "state": state, **made.totals.to_json()})
    else:
        print(result_text(made.replay_id, state, made.totals))
    if state == "cancelled":
        raise OperationFailed(
            f"replay {made.replay_id} was stopped", f"'sbx replay --resume {made.replay_id}' continues it"
        )


async def _list(as_json: bool) -> None:
    async with connected("sbx replay") as (_, database):
        rows = list(reversed(await with_waiting(database, await queries.replays(database))))
    if as_json:
        for row in rows:
            print_json(row)
    elif rows:
        stdout_console().print(list_table(rows))
    else:
        say("no replays")


async def _cancel(replay_id: int, as_json: bool) -> None:
    async with connected("sbx replay") as (database, _):
        state = await actions.cancel(database, actor(), replay_id)
    if as_json:
        print_json({"replay_id": replay_id, "state": state})
    else:
        print(f"replay {replay_id}: {state}")


def _remark(ranges: Ranges) -> None:
    for remark in ranges.remarks:
        say(remark, "yellow")
    if ranges.to_come:
        say(f"{plural(ranges.to_come, 'event')} not yet read by the workers: left to them", "yellow")
    if ranges.removed:
        say(f"{plural(ranges.removed, 'event')} before the range were removed by retention", "yellow")
