"""Recover after a restore: find actions that are missing or uncertain, and take them up again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kafka import KafkaProducer

from log_projection.queries import Filters
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection
from sbx.actions.recover_log import put_back
from sbx.actions.replay.run import alone, batches
from sbx.actions.replay.screen import Bars
from sbx.actions.replay.topics import Reader, first_of, length_of, whole
from sinks.ledger import generation
from sinks.ledger.generation import Mark, Standing, Told
from sinks.recover import taking_up
from sinks.recover.taking_up import Doubt
from sinks.replay import replay
from sinks.replay.replay import Read
from streams.ledger_topic import GENERATION, kept
from streams.ledger_topic import Reader as LedgerReader
from streams.topics import SOURCES


@dataclass
class Account:
    """The missing and uncertain actions of one account."""

    in_doubt: bool = False
    """Since when calls may have been made for it that the ledger does not know."""
    since: datetime | None = None
    missing: int = 0
    """Events in the topics that the ledger does not know."""
    uncertain: int = 0
    """Actions that the ledger has as not done, but that may have been done since."""

    @property
    def calls(self) -> int:
        """About how many calls it takes to find out what was perhaps sent."""
        return taking_up.calls_for(self.missing + self.uncertain) if self.in_doubt else 0


@dataclass
class Plan:
    """The findings and effects of a recovery."""

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


async def plan(
    database: Connection, kafka: Mapping[str, Any], bars: Bars, *, everything: bool
) -> Plan | None:
    """Return the plan of a recovery; None if the database knows everything that was sent from it.

    Args:
        everything: doubt all accounts, for Kafka cannot tell what is missing.
    """
    told = await asyncio.to_thread(_told, kafka)
    ours = await generation.standing(database)
    if not (generation.why_behind(ours, told) or everything or ours.held_at):
        return None
    found = await _begin(database, ours, told, everything)

    async def count(reads: Sequence[Read]) -> None:
        _count(found, reads)

    await _through_topics(kafka, database, found, count, bars)
    return found


async def recover(
    database: Connection,
    kafka: Mapping[str, Any],
    actor: Actor,
    bars: Bars,
    *,
    everything: bool,
    clock_rate: float,
) -> tuple[int, Plan] | None:
    """Take up missing actions, have the lanes find out about uncertain ones, and let all accounts go on.

    Returns:
        the number of the ledger's new generation, and the findings; None as for ``plan``.

    Raises:
        ActionRefused: a replay is running.
    """
    told = await asyncio.to_thread(_told, kafka)
    why = generation.why_behind(ours := await generation.standing(database), told)
    if not (why or everything or ours.held_at):
        return None
    async with alone(database):
        present = await generation.standing(database)  # another recovery may have ended just before
        await generation.hold(database, why or "somebody recovers it", present.generation)
        ours, told = await generation.standing(database), await asyncio.to_thread(_told, kafka)
        target = {"everything": everything} if everything else {}
        async with audit.announced(database, actor, "recover", target) as record:
            number, found = await _mend(kafka, database, actor, ours, told, everything, clock_rate, bars)
            record.result |= {"taken_up": found.missing, "generation": number}
    return number, found


def _told(kafka: Mapping[str, Any]) -> Told:
    reader = LedgerReader(kafka)
    try:
        return reader.read()
    finally:
        reader.close()


async def _begin(database: Connection, ours: Standing, told: Told, everything: bool) -> Plan:
    known = await taking_up.known_accounts(database)
    in_doubt = taking_up.doubts(ours, told, known, everything=everything)
    rows = await taking_up.uncertain(database, [one.account for one in in_doubt])
    accounts = {}
    for one in in_doubt:
        row = rows.get(one.account, {})
        accounts[one.account] = Account(True, one.since, uncertain=row.get("commands", 0))
    return Plan(ours, told, generation.why_behind(ours, told), accounts)


async def _through_topics(
    kafka: Mapping[str, Any],
    database: Connection,
    plan: Plan,
    act: Callable[[Sequence[Read]], Awaitable[None]],
    bars: Bars,
) -> None:
    """Hand the events that the ledger does not know to ``act``, batch by batch, in order."""
    ranges = whole(kafka, SOURCES)
    base = first_of(ranges)
    with Reader(kafka, ranges) as reader, bars("reading events", length_of(ranges)) as shown:
        async with aclosing(batches(database, reader, Filters())) as found:
            async for batch in found:
                standings = await replay.look_up(database, batch.reads)
                plan.events += len(batch.done) + len(batch.reads)
                plan.unreadable += len(batch.unreadable)
                plan.overtaken += standings.count("overtaken")
                missing = [r for r, s in zip(batch.reads, standings, strict=True) if s == "unknown"]
                if missing:
                    await act(missing)
                shown.at(sum(batch.nexts) - base)


def _count(plan: Plan, reads: Sequence[Read]) -> None:
    for read in reads:
        plan.accounts.setdefault(read.event.account, Account()).missing += 1


async def _mend(
    kafka: Mapping[str, Any],
    database: Connection,
    actor: Actor,
    ours: Standing,
    told: Told,
    everything: bool,
    clock_rate: float,
    bars: Bars,
) -> tuple[int, Plan]:
    plan = await _begin(database, ours, told, everything)
    in_doubt = [Doubt(name, one.since) for name, one in plan.accounts.items() if one.in_doubt]
    names = [one.account for one in in_doubt]

    async def take_up(reads: Sequence[Read]) -> None:
        await taking_up.take_up(database, [read.command for read in reads], actor.name, names)
        _count(plan, reads)

    await _through_topics(kafka, database, plan, take_up, bars)
    await put_back(kafka, database, bars)
    touched = [name for name, one in plan.accounts.items() if one.missing]
    number, made = await taking_up.let_go(database, in_doubt, touched, told, actor.name, clock_rate)
    await asyncio.to_thread(_publish, kafka, number, made)
    return number, plan


def _publish(kafka: Mapping[str, Any], number: int, made: str) -> None:
    """Tell Kafka at once which ledger is in use; the workers also do so when they start."""
    message = kept(number, GENERATION, Mark(made, 0))
    with ExitStack() as opened:
        producer = KafkaProducer(**kafka, acks="all")
        opened.callback(producer.close)
        sent = producer.send(message.topic, key=message.key, value=message.value)
        sent.get(timeout=130)  # longer than the producer's own delivery timeout
