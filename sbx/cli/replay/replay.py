"""``sbx replay``: read events again from their topics, and do what is not done."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import closing
from copy import deepcopy
from typing import Any

import msgspec
import psycopg

from connections import store
from log_projection import queries
from log_projection.queries import Filters
from runtime.environment import Environment
from sbx.actions import audit
from sbx.cli import environment
from sbx.cli.acting import ADDRESS, actor
from sbx.cli.broker import Broker
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.replay import force as replay_force
from sbx.cli.replay import run
from sbx.cli.replay.report import as_object, list_table, result_text, show_plan
from sbx.cli.replay.run import Replay, Stop, alone
from sbx.cli.replay.topics import Range, Ranges, Reader, find_ranges, topics_of
from sbx.cli.terminal import bar, plural, print_json, say, stdout_console
from sbx.cli.wait import lag
from sinks.ledger import cost

_ON_ITS_WAY_SECONDS = 60.0
"""How long a replay waits for what is between the workers before it begins."""


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
            "--resume, --cancel and --list stand alone",
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
    used = environment.required(kafka=True, database=True)
    kafka = environment.kafka_client(used)
    ranges = find_ranges(kafka, topics, wanted)
    _remark(ranges)
    if yes:
        _wait_for_what_is_on_its_way(used)
        _report(*asyncio.run(_start(used, topics, wanted, ranges.found, force)), as_json)
        return
    with Broker(kafka) as broker:
        if still_open := lag(broker, "deliver")():
            say(f"{still_open}: what is on its way is counted as not in the ledger", "yellow")
    asyncio.run(_show_plan(used, ranges, wanted, force, as_json))


async def _show_plan(used: Environment, ranges: Ranges, wanted: Filters, force: bool, as_json: bool) -> None:
    async with await _database(used) as database:
        plan = await _plan(used, database, ranges.found, wanted)
        accounts = await cost.by_account(database, plan.work)
        compared = await replay_force.forecast(database, plan.done) if force else None
    if as_json:
        print_json(as_object(plan.totals, ranges, accounts, compared))
    else:
        show_plan(stdout_console(), plan.totals, accounts, compared)


async def _plan(
    used: Environment, database: psycopg.AsyncConnection[Any], ranges: Sequence[Range], wanted: Filters
) -> run.Plan:
    ranges = deepcopy(ranges)
    base = _beginning(ranges)
    with Reader(environment.kafka_client(used), ranges) as reader, bar("reading", _length(ranges)) as shown:
        return await run.plan(database, reader, wanted, lambda position: shown.at(position - base))


async def _start(
    used: Environment, topics: Sequence[str], wanted: Filters, ranges: Sequence[Range], force: bool
) -> tuple[Replay, str]:
    given = {name: value for name, value in msgspec.to_builtins(wanted).items() if value is not None}
    selection = {"topics": list(topics), **given} | ({"force": True} if force else {})
    async with await _database(used) as database, alone(database):
        await _check_connected(database, wanted.account)
        async with audit.recorded(database, actor(), ADDRESS, "replay", {"selection": selection}) as result:
            made = await run.begin(database, selection, wanted, ranges, environment.actor())
            result["replay"] = made.replay_id
        return await _work(used, database, made)


async def _resume(replay_id: int) -> tuple[Replay, str]:
    used = environment.required(kafka=True, database=True)
    async with await _database(used) as database, alone(database):
        async with audit.recorded(database, actor(), ADDRESS, "resume replay", {"replay": replay_id}):
            made = await run.resume(database, replay_id, environment.actor())
        _refuse_removed(used, made.ranges)
        return await _work(used, database, made)


async def _work(
    used: Environment, database: psycopg.AsyncConnection[Any], made: Replay
) -> tuple[Replay, str]:
    say(f"replay {made.replay_id}: Ctrl-C stops it, 'sbx replay --resume {made.replay_id}' goes on")
    stop = Stop()
    base = _beginning(made.ranges)
    # The reader runs ahead of what is done: it keeps its own count.
    with (
        Reader(environment.kafka_client(used), deepcopy(made.ranges)) as reader,
        bar(f"replay {made.replay_id}", _length(made.ranges)) as shown,
        stop.on_signals(),
    ):
        state = await made.run(database, reader, stop, lambda position: shown.at(position - base))
    if made.force and state == "completed":
        with stop.on_signals():
            state = await _compare(used, database, made, stop)
    await made.finish(database, state)
    return made, state


async def _compare(
    used: Environment, database: psycopg.AsyncConnection[Any], made: Replay, stop: Stop
) -> str:
    """Compare what the selection has done. It is found anew, by reading the ranges from their beginning: a
    replay that goes on does not know what it has read before.
    """

    async def stopped() -> bool:
        return stop.asked or await made.cancelling(database)

    again = [Range(one.topic, one.partition, one.first, one.end, one.first) for one in made.ranges]
    done = (await _plan(used, database, again, made.wanted)).done
    came = None if await stopped() else await replay_force.compare(used, database, done, made.actor, stopped)
    if came is None:
        return "cancelled"
    made.totals.compared = came.records
    made.totals.differing = came.differing
    made.totals.resent += len(came.resent)
    made.totals.not_compared = came.left
    return "completed"


def _report(made: Replay, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"applied": True, "replay_id": made.replay_id, "state": state, **made.totals.to_json()})
    else:
        print(result_text(made.replay_id, state, made.totals))
    if state == "cancelled":
        raise OperationFailed(
            f"replay {made.replay_id} was stopped", f"'sbx replay --resume {made.replay_id}' goes on"
        )


async def _list(as_json: bool) -> None:
    async with await _database(environment.required(database=True)) as database:
        rows = list(reversed(await queries.replays(database)))
    if as_json:
        for row in rows:
            print_json(row)
    elif rows:
        stdout_console().print(list_table(rows))
    else:
        say("no replays")


async def _cancel(replay_id: int, as_json: bool) -> None:
    async with (
        await _database(environment.required(database=True)) as database,
        audit.recorded(database, actor(), ADDRESS, "cancel replay", {"replay": replay_id}) as result,
    ):
        state = result["state"] = await run.cancel(database, replay_id)
    if as_json:
        print_json({"replay_id": replay_id, "state": state})
    else:
        print(f"replay {replay_id}: {state}")


async def _database(used: Environment) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(**used.psycopg("sbx replay"), autocommit=True)


async def _check_connected(database: psycopg.AsyncConnection[Any], account: str | None) -> None:
    if account is None:
        return
    found = await store.load_connection(database, account)
    if found is None or found.status != "connected":
        raise OperationFailed(
            f"{account} is not connected: whatever is replayed would fail",
            f"run 'sbx connect {account}' first",
        )


def _refuse_removed(used: Environment, ranges: Sequence[Range]) -> None:
    """Raises OperationFailed when retention has taken something that is still to be read."""
    with Broker(environment.kafka_client(used)) as broker:
        starts = broker.starts(sorted({one.topic for one in ranges}))
    for one in ranges:
        start = next(
            (o for tp, o in starts.items() if (tp.topic, tp.partition) == (one.topic, one.partition)), 0
        )
        if one.left and one.next < start:
            raise OperationFailed(
                f"{one.topic}, partition {one.partition}, holds offsets from {start} on: "
                f"{one.next} to {min(start, one.end) - 1} were removed by retention",
                "start a new replay",
            )


def _wait_for_what_is_on_its_way(used: Environment) -> None:
    """What the deliver stage has not taken in yet would look as if it were lost, and come out of order.

    Raises:
        OperationFailed: it is not taken in.
    """
    with closing(Broker(environment.kafka_client(used))) as broker:
        look = lag(broker, "deliver")
        until = time.monotonic() + _ON_ITS_WAY_SECONDS
        while still_open := look():
            if time.monotonic() > until:
                raise OperationFailed(
                    f"{still_open}: they are taken in first",
                    "start the workers ('sbx up'), then run it again",
                )
            time.sleep(0.2)


def _remark(ranges: Ranges) -> None:
    for remark in ranges.remarks:
        say(remark, "yellow")
    if ranges.to_come:
        say(f"{plural(ranges.to_come, 'event')} not read by the workers yet: left to them", "yellow")
    if ranges.removed:
        say(f"{plural(ranges.removed, 'event')} before the range were removed by retention", "yellow")


def _length(ranges: Sequence[Range]) -> int:
    return sum(one.end - one.first for one in ranges)


def _beginning(ranges: Sequence[Range]) -> int:
    return sum(one.first for one in ranges)
