"""Run a replay: batch by batch through the ranges, looked up in bulk, one transaction per batch."""

import asyncio
import gc
import signal
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from contracts.commands import command_id
from contracts.events.header import EventHeader
from log_projection import queries
from log_projection.queries import Filters
from runtime.crash_points import crash_point
from sbx.actions.refused import ActionRefused, not_possible
from sbx.actions.replay.topics import Logged, Range, Reader, Unreadable, chosen, glanced
from sinks.ledger.cost import Work
from sinks.replay import replay
from sinks.replay.replay import Read, Standing

_PAUSE_SECONDS = 0.05
"""Pause after a batch that changed something, so that the intake of live events gets its turn."""

_LOCK_ATTEMPTS = 11
_LOCK_PAUSE_SECONDS = 0.2

Database = psycopg.AsyncConnection[Any]
Progress = Callable[[int], None]
"""Receives how many offsets have been read."""


@dataclass
class Totals:
    """Events by their state when they were read, and the results of the replay."""

    done: int = 0
    under_way: int = 0
    failed: int = 0
    unknown: int = 0
    event_id_reused: int = 0
    overtaken: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    """By reason code."""
    inserted: int = 0
    retried: int = 0
    compared: int = 0
    """Records compared with Xero."""
    differing: int = 0
    """Their differing fields that sending again can fix."""
    resent: int = 0
    """Actions queued for that."""
    not_compared: dict[str, str] = field(default_factory=dict)
    """Accounts that could not be read, and why."""

    @property
    def events(self) -> int:
        """All of the selection."""
        standings = (
            self.done,
            self.under_way,
            self.failed,
            self.unknown,
            self.event_id_reused,
            self.overtaken,
        )
        return sum(standings) + sum(self.unreadable.values())

    def count(self, standings: Sequence[Standing], unreadable: Sequence[Unreadable], done: int = 0) -> None:
        """Add a batch; ``done`` counts those known as done without being read."""
        self.done += done
        for standing, times in Counter(standings).items():
            setattr(self, standing, getattr(self, standing) + times)
        for one in unreadable:
            self.unreadable[one.reason_code] = self.unreadable.get(one.reason_code, 0) + 1

    def to_json(self) -> dict[str, Any]:
        """Return it in the form in which it is stored and printed."""
        return {"events": self.events, **asdict(self)}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Totals":
        """Return it from its stored form."""
        return cls(**{one.name: kept[one.name] for one in fields(cls) if one.name in kept})


@dataclass(frozen=True, slots=True)
class _Batch:
    done: list[EventHeader]
    """Events known as done without being read."""
    reads: list[Read]
    unreadable: list[Unreadable]
    nexts: list[int]


class Stop:
    """Tells whether the work should end: Ctrl-C, or a request from another process."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM only set the flag while the block runs: the current batch is finished."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self._ask)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _ask(self) -> None:
        self.asked = True


@dataclass(frozen=True)
class Plan:
    """The findings and effects of a replay."""

    totals: Totals
    work: Counter[Work]
    done: dict[str, list[str]]
    """By account: the records of which all that was selected is done, as ``invoice/ID``."""


async def plan(database: Database, reader: Reader, wanted: Filters, progress: Progress) -> Plan:
    """Count what a replay would find and do; change nothing."""
    totals, work = Totals(), Counter[Work]()
    done, pending = set[tuple[str, str]](), set[tuple[str, str]]()
    logged = await _logged(database, wanted, reader.topic_ids)
    async with aclosing(_batches(database, reader, wanted, logged)) as found:
        async for batch in found:
            standings = await replay.look_up(database, batch.reads)
            totals.count(standings, batch.unreadable, len(batch.done))
            work.update(
                (read.event.account, read.event.entity, read.event.action)
                for read, standing in zip(batch.reads, standings, strict=True)
                if standing in ("unknown", "failed")
            )
            done.update((one.account, f"{one.entity}/{one.subject}") for one in batch.done)
            for read, standing in zip(batch.reads, standings, strict=True):
                record = (read.event.account, f"{read.event.entity}/{read.event.subject}")
                (done if standing == "done" else pending).add(record)
            progress(sum(batch.nexts))
    by_account: dict[str, list[str]] = {}
    for account, name in sorted(done - pending):
        by_account.setdefault(account, []).append(name)
    return Plan(totals, work, by_account)


@dataclass
class Replay:
    """A replay in progress, as the table ``ledger.replays`` keeps it."""

    replay_id: int
    wanted: Filters
    ranges: list[Range]
    totals: Totals
    actor: str
    force: bool = False
    """Also compares completed actions with Xero."""

    async def run(self, database: Database, reader: Reader, stop: Stop, progress: Progress) -> str:
        """Run it from where it stands. Return the state in which it ends: completed or cancelled.

        Each batch is one transaction that also stores the progress, so a replay that dies
        can continue.
        """
        state = "completed"
        logged = await _logged(database, self.wanted, reader.topic_ids)
        async with aclosing(_batches(database, reader, self.wanted, logged)) as found:
            async for batch in found:
                changed, cancelling = await self._apply(database, batch)
                progress(sum(batch.nexts))
                if cancelling or stop.asked:
                    state = "cancelled" if any(one.left for one in self.ranges) else state
                    break
                if changed:
                    await asyncio.sleep(_PAUSE_SECONDS)
        return state

    async def finish(self, database: Database, state: str) -> None:
        """Note its end."""
        totals = Jsonb(self.totals.to_json())
        parameters = {"replay_id": self.replay_id, "state": state, "totals": totals}
        async with database.transaction():
            await database.execute(replay.SQL["finish"], parameters)
            crash_point("replay_end.before_commit")
        crash_point("replay_end.after_commit")

    async def cancelling(self, database: Database) -> bool:
        """Return whether it was asked to end."""
        row = await (await database.execute(replay.SQL["cancelling"], [self.replay_id])).fetchone()
        return bool(row and row[0])

    async def _apply(self, database: Database, batch: _Batch) -> tuple[int, bool]:
        async with database.transaction():
            standings = await replay.look_up(database, batch.reads)
            applied = await replay.apply(database, batch.reads, standings, self.actor)
            self.totals.count(standings, batch.unreadable, len(batch.done))
            self.totals.inserted += applied.inserted
            self.totals.retried += applied.retried
            for one, position in zip(self.ranges, batch.nexts, strict=True):
                one.next = position
            kept = {"ranges": _json(self.ranges), "totals": Jsonb(self.totals.to_json())}
            cursor = await database.execute(replay.SQL["advance"], {"replay_id": self.replay_id, **kept})
            row = await cursor.fetchone()
            crash_point("replay.before_commit")
        crash_point("replay.after_commit")
        return applied.inserted + applied.retried, bool(row and row[0])


async def begin(
    database: Database, selection: Mapping[str, Any], wanted: Filters, ranges: Sequence[Range], actor: str
) -> Replay:
    """Note a new replay; the lock must be held."""
    totals = Totals()
    values = {
        "actor": actor,
        "selection": Jsonb(dict(selection)),
        "ranges": _json(ranges),
        "totals": Jsonb(totals.to_json()),
    }
    async with database.transaction():
        cursor = await database.execute(replay.SQL["start"], values)
        row = await cursor.fetchone()
        crash_point("replay_start.before_commit")
    crash_point("replay_start.after_commit")
    assert row is not None
    return Replay(row[0], wanted, list(ranges), totals, actor, bool(selection.get("force")))


async def resume(database: Database, replay_id: int, actor: str) -> Replay:
    """Return a replay that was cancelled or died, to be continued; the lock must be held.

    Raises:
        ActionRefused: there is no such replay, or it has completed.
    """
    row = await (await database.execute(replay.SQL["resume"], [replay_id])).fetchone()
    if row is None:
        raise await ended(database, replay_id, "start a new one")
    selection, ranges, totals = row
    named = {name: selection[name] for name in _MATCHED if name in selection}
    return Replay(
        replay_id,
        Filters(**named),
        [Range(**one) for one in ranges],
        Totals.of_json(totals),
        actor,
        bool(selection.get("force")),
    )


_OF_THE_LOG = ("entry_id", "state", "reason", "issue", "text")
_MATCHED = ("account", "entity", "action", "record", "number", *_OF_THE_LOG)
"""The filters on events; the others have become ranges."""


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[None]:
    """Hold the lock of replays; mark those recorded as running that are not as interrupted.

    Raises:
        ActionRefused: another replay is at work.
    """
    if not await _locked(database):
        running = await queries.replays(database, running=True)
        name = f"replay {running[0]['replay_id']}" if running else "another replay"
        raise not_possible(
            f"{name} is running", "wait for it to end, or stop it with 'sbx replay --cancel ID'"
        )
    await database.execute(replay.SQL["mark_interrupted"])
    yield


async def _locked(database: Database) -> bool:
    """Try for a moment: the server frees the lock of a process that has just ended a little later."""
    for attempt in range(_LOCK_ATTEMPTS):
        if attempt:
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
        row = await (await database.execute(replay.SQL["lock"], [replay.LOCK])).fetchone()
        if row is not None and row[0]:
            return True
    return False


async def ended(database: Database, replay_id: int, remedy: str = "") -> ActionRefused:
    """Return the refusal of an action that needs a replay that has not ended."""
    known = await queries.replays(database, replay_id)
    if not known:
        return ActionRefused("not_found", f"there is no replay {replay_id}", "see 'sbx replay --list'")
    return ActionRefused("ended", f"replay {replay_id} is {known[0]['state']} already", remedy)


async def _logged(database: Database, wanted: Filters, topic_ids: Mapping[str, str]) -> Logged:
    """Look up in the log the filters' values that events do not carry themselves."""
    records: set[tuple[str, str, str]] = set()
    if wanted.number is not None:
        known = queries.entries(database, Filters(number=wanted.number))
        records = {(row["account"], row["entity"], row["record_id"]) async for row in known}
    asked = {name: getattr(wanted, name) for name in _OF_THE_LOG}
    if not any(asked.values()):
        return Logged(records, topic_ids=topic_ids)
    found = queries.entries(database, Filters(account=wanted.account, **asked))
    return Logged(records, frozenset([row["entry_id"] async for row in found]), topic_ids)


_COLLECT_EVERY = 200_000
"""Objects; a batch holds about this many, all alive until it is done."""


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Collect garbage rarely while the block runs: events hold no reference cycles, and looking for them
    takes half the time of a replay.
    """
    usual = gc.get_threshold()
    gc.set_threshold(_COLLECT_EVERY, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def batches(database: Database, reader: Reader, wanted: Filters) -> AsyncGenerator[_Batch]:
    """Yield all batches of the reader's ranges, separating events known as done from the rest.

    To be closed before the reader is: see ``contextlib.aclosing``.
    """
    return _batches(database, reader, wanted, Logged(set()))


async def _batches(
    database: Database, reader: Reader, wanted: Filters, logged: Logged
) -> AsyncGenerator[_Batch]:
    """Yield batch after batch; the next one is read while one is being processed."""

    def read() -> tuple[list[tuple[Any, EventHeader | None]], list[int]] | None:
        messages, nexts = reader.read()
        if not messages and nexts == before[0]:
            return None
        before[0] = nexts
        return glanced(messages, wanted), nexts

    before: list[list[int] | None] = [None]
    reading = asyncio.create_task(asyncio.to_thread(read))
    try:
        with _rarely_collected():
            while (found := await reading) is not None:
                reading = asyncio.create_task(asyncio.to_thread(read))
                yield await _batch(database, *found, wanted, logged)
    finally:
        # The consumer must not be closed under the thread's hands.
        reader.stop()
        await asyncio.wait([reading])


async def _batch(
    database: Database,
    found: Sequence[tuple[Any, EventHeader | None]],
    nexts: list[int],
    wanted: Filters,
    logged: Logged,
) -> _Batch:
    """Separate events known as done by their position from the rest, which is read."""
    done: list[EventHeader] = []
    left = [message for message, _ in found]
    if wanted.number is None and logged.entries is None:  # these filters need the whole event
        said = [(message, one) for message, one in found if one is not None]
        not_done = await replay.not_done(
            database,
            [command_id(one.source, one.id) for _, one in said],
            [f"{message.topic}/{message.partition}/{message.offset}" for message, _ in said],
        )
        done = [one for number, (_, one) in enumerate(said) if number not in not_done]
        settled = {id(message) for number, (message, _) in enumerate(said) if number not in not_done}
        left = [message for message in left if id(message) not in settled]
    events = list(chosen(left, wanted, logged))
    reads = [one for one in events if isinstance(one, Read)]
    return _Batch(done, reads, [one for one in events if isinstance(one, Unreadable)], nexts)


def _json(ranges: Sequence[Range]) -> Jsonb:
    return Jsonb([asdict(one) for one in ranges])
