"""``sbx recover``: after a restore, what is missing or uncertain, and taking it up again."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from kafka import KafkaProducer

from connections import store
from log_projection.queries import Filters
from runtime.environment import Environment
from sbx.actions import audit
from sbx.cli import environment
from sbx.cli.acting import ADDRESS, actor
from sbx.cli.broker import Broker
from sbx.cli.recover_log import put_back
from sbx.cli.replay.run import alone, batches
from sbx.cli.replay.topics import Range, Reader
from sbx.cli.status import deliver_runs
from sbx.cli.terminal import bar, plural, print_json, say
from sinks.ledger import generation
from sinks.ledger.cost import CALLS_A_MINUTE
from sinks.ledger.generation import Mark, Standing, Told
from sinks.recover import taking_up
from sinks.recover.taking_up import Doubt
from sinks.replay import replay
from sinks.replay.replay import Read
from streams.ledger_topic import GENERATION, kept
from streams.ledger_topic import Reader as LedgerReader
from streams.topics import SOURCES

_LOOK_SECONDS = 0.5
Database = psycopg.AsyncConnection[Any]


@dataclass
class Account:
    """What is missing or uncertain of one account."""

    in_doubt: bool = False
    """Calls may have been made for it that the ledger does not know."""
    since: datetime | None = None
    missing: int = 0
    """Events of the topics that the ledger does not know."""
    uncertain: int = 0
    """Actions that it knows as not done, and that may have been done since."""


@dataclass
class Plan:
    """What a recovery would find and do."""

    ours: Standing
    told: Told
    why: str
    accounts: dict[str, Account]
    events: int = 0
    overtaken: int = 0
    unreadable: int = 0

    @property
    def missing(self) -> int:
        """Events that the ledger does not know."""
        return sum(one.missing for one in self.accounts.values())


def recover(yes: bool, everything: bool, as_json: bool) -> None:
    """Run ``sbx recover``."""
    used = environment.required(kafka=True, database=True)
    asyncio.run(_recover(used, yes, everything, as_json))


async def _recover(used: Environment, yes: bool, everything: bool, as_json: bool) -> None:
    async with await psycopg.AsyncConnection.connect(
        **used.psycopg("sbx recover"), autocommit=True
    ) as database:
        told = await asyncio.to_thread(_told, used)
        ours = await generation.standing(database)
        why = generation.why_behind(ours, told)
        if not (why or everything or ours.held_at):
            _report_nothing(as_json)
            return
        if not yes:
            plan = await _plan(used, database, ours, told, everything)
            print_json(_as_object(plan)) if as_json else _show(plan)
            return
        async with alone(database):
            await generation.hold(database, why or "somebody recovers it")
            ours, told = await generation.standing(database), await asyncio.to_thread(_told, used)
            target = {"everything": everything} if everything else {}
            async with audit.recorded(database, actor(), ADDRESS, "recover", target) as result:
                number, plan = await _mend(used, database, ours, told, everything)
                result |= {"taken_up": plan.missing, "generation": number}
    if as_json:
        print_json({**_as_object(plan), "applied": True, "generation": number})
    else:
        taken = plural(plan.missing, "event")
        print(f"{taken} taken up; this is ledger {number} now, and no account is held by it any more")
    await _wait_for_lanes(used)


def _report_nothing(as_json: bool) -> None:
    if as_json:
        print_json({"applied": False, "held": False, "accounts": [], "events": 0, "missing": 0, "calls": 0})
    else:
        print("nothing to recover: the database knows of all that was sent from it")


def _told(used: Environment) -> Told:
    reader = LedgerReader(environment.kafka_client(used))
    try:
        return reader.read()
    finally:
        reader.close()


# The plan


async def _plan(used: Environment, database: Database, ours: Standing, told: Told, everything: bool) -> Plan:
    plan = await _begin(database, ours, told, everything)

    async def count(reads: Sequence[Read]) -> None:
        _count(plan, reads)

    await _through_topics(used, database, plan, count)
    return plan


async def _begin(database: Database, ours: Standing, told: Told, everything: bool) -> Plan:
    known = await taking_up.known_accounts(database)
    in_doubt = taking_up.doubts(ours, told, known, everything=everything)
    rows = await taking_up.uncertain(database, [one.account for one in in_doubt])
    accounts = {}
    for one in in_doubt:
        row = rows.get(one.account, {})
        accounts[one.account] = Account(True, one.since, uncertain=row.get("commands", 0))
    return Plan(ours, told, generation.why_behind(ours, told), accounts)


async def _through_topics(
    used: Environment,
    database: Database,
    plan: Plan,
    act: "Callable[[Sequence[Read]], Any]",
) -> None:
    """Hand what the ledger does not know of the topics to ``act``, batch by batch, in order."""
    ranges = _whole(used, SOURCES)
    base, length = sum(r.first for r in ranges), sum(r.end - r.first for r in ranges)
    with Reader(environment.kafka_client(used), ranges) as reader, bar("reading events", length) as shown:
        async for batch in batches(database, reader, Filters()):
            standings = await replay.look_up(database, batch.reads)
            plan.events += len(batch.done) + len(batch.reads)
            plan.unreadable += len(batch.unreadable)
            plan.overtaken += standings.count("overtaken")
            missing = [r for r, s in zip(batch.reads, standings, strict=True) if s == "unknown"]
            if missing:
                await act(missing)
            shown.at(sum(batch.nexts) - base)


def _whole(used: Environment, topics: Iterable[str]) -> list[Range]:
    with Broker(environment.kafka_client(used)) as broker:
        starts, ends = broker.starts(list(topics)), broker.ends(list(topics))
    return [
        Range(tp.topic, tp.partition, starts[tp], end, starts[tp])
        for tp, end in sorted(ends.items())
        if starts[tp] < end
    ]


def _count(plan: Plan, reads: Sequence[Read]) -> None:
    for read in reads:
        plan.accounts.setdefault(read.event.account, Account()).missing += 1


# Doing it


async def _mend(
    used: Environment, database: Database, ours: Standing, told: Told, everything: bool
) -> tuple[int, Plan]:
    plan = await _begin(database, ours, told, everything)
    actor = environment.actor()
    in_doubt = [Doubt(name, one.since) for name, one in plan.accounts.items() if one.in_doubt]
    names = [one.account for one in in_doubt]

    async def take_up(reads: Sequence[Read]) -> None:
        await taking_up.take_up(database, [read.command for read in reads], actor, names)
        _count(plan, reads)

    await _through_topics(used, database, plan, take_up)
    await put_back(used, database)
    touched = [name for name, one in plan.accounts.items() if one.missing]
    number, made = await taking_up.let_go(database, in_doubt, touched, told, actor, used.clock_rate)
    await asyncio.to_thread(_publish, used, number, made)
    return number, plan


def _publish(used: Environment, number: int, made: str) -> None:
    """Tell Kafka at once which ledger is at work; the workers do it, too, when they begin."""
    message = kept(number, GENERATION, Mark(made, 0))
    with ExitStack() as opened:
        producer = KafkaProducer(**environment.kafka_client(used), acks="all")
        opened.callback(producer.close)
        producer.send(message.topic, key=message.key, value=message.value).get(timeout=20)


async def _wait_for_lanes(used: Environment) -> None:
    """Until it is found out what was perhaps sent. Ctrl-C leaves the lanes at it."""
    async with await psycopg.AsyncConnection.connect(
        **used.psycopg("sbx recover"), autocommit=True
    ) as database:
        left = await _left(database)
        if not left:
            return
        if not await asyncio.to_thread(deliver_runs, used):
            say(f"{plural(left, 'record')} to be looked up in Xero: start the workers", "yellow")
            return
        say("looking up in Xero what was perhaps sent; Ctrl-C leaves the workers at it")
        began = time.monotonic()
        with bar("records looked up", left) as shown:
            while now := await _left(database, quietly=True):
                shown.at(left - now)
                await asyncio.sleep(_LOOK_SECONDS)
    say(f"all of it is found out, after {time.monotonic() - began:.0f} s", "green")


async def _left(database: Database, *, quietly: bool = False) -> int:
    """Records that lanes have still to look up; what waits for a person is told, and not waited for."""
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


# Words


def _calls(account: Account) -> int:
    if not account.in_doubt:
        return 0
    return taking_up.calls_for(account.missing + account.uncertain)


def _as_object(plan: Plan) -> dict[str, Any]:
    accounts: list[dict[str, Any]] = [
        {
            "account": name,
            "in_doubt": one.in_doubt,
            "since": one.since,
            "missing": one.missing,
            "uncertain": one.uncertain,
            "calls": _calls(one),
            "minutes": -(-_calls(one) // CALLS_A_MINUTE),
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
    print(f"{plural(plan.events, 'event')} in the topics, {plan.missing:,} of them not in the database")
    for one in told["accounts"]:
        print(_account_text(one))
    if plan.overtaken:
        say(f"{plural(plan.overtaken, 'event')} stay out: see 'sbx replay' behind it", "yellow")
    print("add --yes to do it")


def _account_text(one: Mapping[str, Any]) -> str:
    missing = f"{plural(one['missing'], 'event')} missing"
    if not one["in_doubt"]:
        return f"{one['account']}: {missing}, none of them was sent"
    since = "from the beginning" if one["since"] is None else f"since {one['since']:%Y-%m-%d %H:%M} UTC"
    calls, minutes = plural(one["calls"], "call"), plural(one["minutes"], "minute")
    return (
        f"{one['account']}: behind {since}; {missing}, {plural(one['uncertain'], 'action')} uncertain; "
        f"about {calls} to look up what was perhaps sent, {minutes}"
    )
