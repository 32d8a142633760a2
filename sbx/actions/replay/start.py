"""Replays as an operator starts, resumes and cancels them."""

import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from connections import store
from log_projection.queries import Filters
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection, Database
from sbx.actions.lag import lag
from sbx.actions.refused import ActionRefused, not_possible
from sbx.actions.replay import force, run
from sbx.actions.replay.run import Replay, Stop, alone
from sbx.actions.replay.screen import Screen
from sbx.actions.replay.topics import Range, Reader, first_of, length_of
from sbx.actions.scoped_log import VisibleLog
from sinks.replay import replay
from streams.broker import Broker

_ON_ITS_WAY_SECONDS = 60.0
"""How long a replay waits, before it starts, for messages between the workers."""


async def plan(
    database: Connection, kafka: Mapping[str, Any], ranges: Sequence[Range], wanted: Filters, screen: Screen
) -> run.Plan:
    """Return what a replay of these ranges would find, and do; changes nothing."""
    ranges = deepcopy(ranges)
    base = first_of(ranges)
    with Reader(kafka, ranges) as reader, screen.bar("reading", length_of(ranges)) as shown:
        return await run.plan(database, reader, wanted, lambda position: shown.at(position - base))


async def start(
    database: Connection,
    kafka: Mapping[str, Any],
    actor: Actor,
    topics: Sequence[str],
    wanted: Filters,
    ranges: Sequence[Range],
    screen: Screen,
    *,
    compares: bool,
) -> tuple[Replay, str]:
    """Replay these ranges; return the replay, and the state in which it has ended.

    Args:
        compares: completed actions are compared with Xero, too, and those that differ are sent again.

    Raises:
        ActionRefused: another replay is running, the account is not connected, or the workers do not take in
            the messages before them, which would look lost and come out of order.
    """
    _wait_for_what_is_on_its_way(kafka)
    given = {name: value for name, value in msgspec.to_builtins(wanted).items() if value is not None}
    selection = {"topics": list(topics), **given} | ({"force": True} if compares else {})
    target = ({"account": wanted.account} if wanted.account else {}) | {"selection": selection}
    async with alone(database):
        await _check_connected(database, wanted.account)
        async with audit.recorded(database, actor, "replay", target) as record:
            made = await run.begin(database, selection, wanted, ranges, actor.name)
            record.result["replay"] = made.replay_id
        return await _work(database, kafka, actor, made, screen)


async def resume(
    database: Connection, kafka: Mapping[str, Any], actor: Actor, replay_id: int, screen: Screen
) -> tuple[Replay, str]:
    """Continue a replay that was stopped, as ``start``.

    Raises:
        ActionRefused: as ``start``; there is no such replay, it has ended, or retention has taken some of it.
    """
    async with alone(database):
        target = _target(await visible(VisibleLog(database, actor), replay_id))
        async with audit.recorded(database, actor, "resume replay", target):
            made = await run.resume(database, replay_id, actor.name)
            _refuse_removed(kafka, made.ranges)
        return await _work(database, kafka, actor, made, screen)


async def cancel(database: Database, actor: Actor, replay_id: int) -> str:
    """Ask a replay to end behind its batch, or note that it is not to go on. Returns its state now.

    Raises:
        ActionRefused: there is no such replay for this actor, or it has ended.
    """
    async with database.connection() as connection:
        target = _target(await visible(VisibleLog(connection, actor), replay_id))
        async with audit.recorded(connection, actor, "cancel replay", target) as record:
            state = await replay.cancel(connection, replay_id)
            if state is None:
                raise await run.ended(connection, replay_id)
            record.result["state"] = state
    return state


async def visible(log: VisibleLog, replay_id: int) -> dict[str, Any]:
    """Return the replay with this number.

    Raises:
        ActionRefused: there is none, or the actor does not see it.
    """
    found = await log.replays(replay_id)
    if not found:
        problem = f"there is no replay {replay_id}, or it is not of an account that you see"
        raise ActionRefused("not_found", problem, "see 'sbx replay --list'")
    return found[0]


def _target(found: Mapping[str, Any]) -> dict[str, Any]:
    account = found["selection"].get("account")
    return ({"account": account} if account else {}) | {"replay": found["replay_id"]}


async def _work(
    database: Connection, kafka: Mapping[str, Any], actor: Actor, made: Replay, screen: Screen
) -> tuple[Replay, str]:
    screen.began(made.replay_id)
    stop = Stop()
    base = first_of(made.ranges)
    # The reader runs ahead of the batches that are done: it keeps its own count.
    with (
        Reader(kafka, deepcopy(made.ranges)) as reader,
        screen.bar(f"replay {made.replay_id}", length_of(made.ranges)) as shown,
        stop.on_signals(),
    ):
        state = await made.run(database, reader, stop, lambda position: shown.at(position - base))
    if made.force and state == "completed":
        with stop.on_signals():
            state = await _compare(database, kafka, actor, made, stop, screen)
    await made.finish(database, state)
    return made, state


async def _compare(
    database: Connection, kafka: Mapping[str, Any], actor: Actor, made: Replay, stop: Stop, screen: Screen
) -> str:
    """Compare the selection's completed records. They are found by reading the ranges again from the start: a
    resumed replay does not know what it has read before.
    """

    async def stopped() -> bool:
        return stop.asked or await made.cancelling(database)

    again = [Range(one.topic, one.partition, one.first, one.end, one.first) for one in made.ranges]
    done = (await plan(database, kafka, again, made.wanted, screen)).done
    if await stopped():
        return "cancelled"
    came = await force.compare(database, actor, done, screen.following, stopped)
    if came is None:
        return "cancelled"
    made.totals.compared = came.records
    made.totals.differing = came.differing
    made.totals.resent += len(came.resent)
    made.totals.not_compared = came.left
    return "completed"


async def _check_connected(database: Connection, account: str | None) -> None:
    if account is None:
        return
    found = await store.load_connection(database, account)
    if found is None or found.status != "connected":
        raise not_possible(
            f"{account} is not connected: replayed actions would fail",
            f"run 'sbx connect {account}' first",
        )


def _refuse_removed(kafka: Mapping[str, Any], ranges: Sequence[Range]) -> None:
    """Raise ActionRefused if retention has removed something that is still to be read."""
    with Broker(kafka) as broker:
        starts = broker.starts(sorted({one.topic for one in ranges}))
    for one in ranges:
        start = next(
            (o for tp, o in starts.items() if (tp.topic, tp.partition) == (one.topic, one.partition)), 0
        )
        if one.left and one.next < start:
            raise not_possible(
                f"{one.topic}, partition {one.partition}, holds offsets from {start} on: "
                f"{one.next} to {min(start, one.end) - 1} were removed by retention",
                "start a new replay",
            )


def _wait_for_what_is_on_its_way(kafka: Mapping[str, Any]) -> None:
    """Wait for the deliver stage: messages that it has not taken in yet would look lost, and come out of
    order.

    Raises:
        ActionRefused: it did not take them in.
    """
    with Broker(kafka) as broker:
        look = lag(broker, "deliver")
        until = time.monotonic() + _ON_ITS_WAY_SECONDS
        while still_open := look():
            if time.monotonic() > until:
                raise not_possible(
                    f"{still_open}: they must be taken in first",
                    "start the workers ('sbx up'), then run it again",
                )
            time.sleep(0.2)
