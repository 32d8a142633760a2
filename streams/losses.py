"""Find losses on the way: a check every ten seconds, beside the intake of the deliver stage.

An entry that the log shows as queued and the ledger does not know is lost once the deliver stage has read
everything that was on its topic when the entry was already in the log: the transform stage sends a command
together with its entry. So the order is: the log's newest position, then the ends of the topic; when the
group has passed these, the ledger is asked about the entries up to that position. No clock is compared with
another one, and while the broker does not answer, nothing is found.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError

from log_projection import losses, queries
from log_projection.losses import Connection, Removed
from runtime import metrics
from runtime.crash_points import crash_point
from runtime.database import fetch_all
from runtime.trouble import about_the_database
from sinks.ledger import commands
from sinks.ledger import store as ledger
from sinks.ledger.entries import entry_of_row
from streams.batch_writer import Pool
from streams.standings import Standings, removed_unread, standings_of
from streams.topic_ids import admin_of
from streams.topics import TOPICS_OF, group_of

LOOK_SECONDS = 10.0
AGAIN_SECONDS = 600.0
"""Seconds after which everything that has not ended is checked again."""
STEPS_SECONDS = 6 * 3600.0
"""Seconds after which the log's steps are compared with the ledger's again; each worker begins with it."""
_FIRST = "00000000-0000-0000-0000-000000000000"
_CHUNK = 2000

log = structlog.stdlib.get_logger(__name__)


def standings(kafka: Mapping[str, Any]) -> dict[str, Standings]:
    """Return each stage's progress in each partition of its topics.

    Raises:
        kafka.errors.KafkaError, OSError: the broker does not answer.
    """
    with admin_of(kafka) as admin:
        return {stage: standings_of(admin, group_of(stage), topics) for stage, topics in TOPICS_OF.items()}


def passed(before: Standings, now: Standings) -> bool:
    """Return True if the group has read everything that was on its topics before. If a topic was created
    again, or was shortened, the missing part cannot be read either.
    """
    return all(now[tp].reached >= min(one.end, now[tp].end) for tp, one in before.items() if tp in now)


def still_to_be_read(topic: str, partition: int, offset: int, sources: Standings) -> bool:
    """Return True for an event that the transform stage reads again: its batch is not acknowledged, so its
    command may come yet.
    """
    one = sources.get(TopicPartition(topic, partition))
    return one is not None and one.reached <= offset < one.end


@dataclass(frozen=True, slots=True)
class _Asked:
    """The log's newest position, and how far the stages were after it was read."""

    position: int
    outbox_empty: bool
    stands: Mapping[str, Standings]


@dataclass
class Losses:
    """Looks for losses. Several workers may do so: they find the same."""

    pool: Pool
    kafka: Mapping[str, Any]
    """kafka-python's client arguments."""
    _asked: _Asked | None = None
    _seen: int = 0
    """Entries up to this position have been looked through."""
    _again_at: float = 0.0
    _steps_at: float = 0.0
    _doubtful: set[str] = field(default_factory=set)
    """Unknown to the ledger, while the transform stage may yet send their commands."""

    async def run(self, stop: asyncio.Event) -> None:
        """Look until ``stop`` is set, through any trouble of broker and database."""
        while not stop.is_set():
            try:
                await self.look()
            except Exception as error:
                metrics.LOST_COMMANDS.clear()  # no number is better than an old one
                if not isinstance(error, KafkaError | OSError) and not about_the_database(error):
                    log.exception("looking for what was lost fails")
                else:
                    log.warning("what was lost cannot be looked for now", error=" ".join(str(error).split()))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Check once: look up the entries of the last check, if the stages have read that far by now."""
        if self._asked is None:
            self._asked = await self._ask()
        now = await asyncio.to_thread(standings, self.kafka)
        await self._note([], [], removed_unread(now))
        if passed(self._asked.stands["deliver"], now["deliver"]):
            asked, self._asked = self._asked, None
            told = asked.outbox_empty and passed(asked.stands["project"], now["project"])
            await self._look_through(asked.position, told, now["transform"])
            if told:
                await self._tell_what_was_removed()
                await self._tell_steps()
        async with self.pool.connection() as connection:
            await _measure(connection)

    async def _ask(self) -> _Asked:
        async with self.pool.connection() as connection:
            position = await queries.position(connection)
        [outbox] = await self._read("outbox_empty")
        return _Asked(position, outbox["empty"], await asyncio.to_thread(standings, self.kafka))

    async def _look_through(self, upto: int, told: bool, sources: Standings) -> None:
        """Store the position before the first open entry. ``told``: the log has received all results that the
        ledger sent minutes ago.
        """
        if time.monotonic() >= self._again_at:
            self._seen, self._again_at = 0, time.monotonic() + AGAIN_SECONDS
        doubtful = await self._read("still_unknown", ids=list(self._doubtful))
        self._doubtful.clear()
        await self._note(self._without_doubtful(doubtful, sources), [], [])
        rows = await self._read("not_ended", after=self._seen, upto=upto, limit=_CHUNK)
        while rows:
            lost = self._without_doubtful([row for row in rows if row["unknown"]], sources)
            await self._note(lost, [row["entry_id"] for row in rows if row["ended"]] if told else [], [])
            self._seen = rows[-1]["position"]
            rows = await self._read("not_ended", after=self._seen, upto=upto, limit=_CHUNK)
        self._seen = max(self._seen, upto)

    async def _tell_what_was_removed(self) -> None:
        """Send the log from the ledger everything that it lacks, if results were removed unread."""
        if not await self._read("results_removed"):
            return
        after = 0
        while rows := await self._read("log_lacks", after=after, limit=_CHUNK):
            after = rows[-1]["seq"]
            await self._note([], [str(row["command_id"]) for row in rows if row["lacks"]], [])
        async with self.pool.connection() as connection:
            await losses.run(connection, "results_told", {})

    async def _tell_steps(self) -> None:
        """Send the log from the ledger the steps that it lacks: one that was filled again from its topic has
        only those of the last weeks.
        """
        if time.monotonic() < self._steps_at:
            return
        after = _FIRST
        while rows := await self._read("steps_lacked", after=after, limit=_CHUNK):
            after = str(rows[-1]["command_id"])
            await self._note([], [str(row["command_id"]) for row in rows], [])
        self._steps_at = time.monotonic() + STEPS_SECONDS

    def _without_doubtful(self, rows: Sequence[Mapping[str, Any]], sources: Standings) -> list[str]:
        lost = []
        for row in rows:
            if still_to_be_read(row["topic"], row["partition"], row["offset"], sources):
                self._doubtful.add(row["entry_id"])
            else:
                lost.append(row["entry_id"])
        return lost

    async def _note(self, lost: Sequence[str], untold: Sequence[str], removed: Sequence[Removed]) -> None:
        """Store the findings; results that the log has not received are sent again."""
        if not lost and not untold and not removed:
            return
        async with self.pool.connection() as connection, connection.transaction():
            if lost:
                await losses.run(connection, "note_lost", {"ids": lost})
            if removed:
                await losses.run(connection, "note_removed", _columns(removed))
            if untold:
                rows = await fetch_all(connection, ledger.SQL["commands_by_id"], [untold])
                entries = [entry_of_row(row) for row in rows]
                await commands.publish(connection, entries, whole_history=True)
                log.warning("the log has not heard of these; they are told again", entries=len(untold))
            crash_point("losses.before_commit")
        crash_point("losses.after_commit")

    async def _read(self, name: str, **parameters: Any) -> list[losses.Row]:
        async with self.pool.connection() as connection:
            return await losses.fetch(connection, name, parameters)


def _columns(removed: Sequence[Removed]) -> dict[str, list[Any]]:
    return {
        "stage": [one.stage for one in removed],
        "topic": [one.topic for one in removed],
        "partition": [one.partition for one in removed],
        "first": [one.first for one in removed],
        "last": [one.last for one in removed],
    }


async def _measure(connection: Connection) -> None:
    """Set the metrics of losses, with nothing awaited in between: a scrape finds them whole."""
    await losses.run(connection, "forget_found", {})
    lost, removed = await losses.lost_by_account(connection), await losses.removed_unread(connection)
    metrics.LOST_COMMANDS.clear()
    for account, entries in lost.items():
        metrics.LOST_COMMANDS.labels(account).set(entries)
    metrics.REMOVED_UNREAD.clear()
    for one in removed:
        metrics.REMOVED_UNREAD.labels(one.stage, one.topic).inc(one.count)
