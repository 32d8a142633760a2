"""A lane: the only place from which an account's calls to Xero are made, in order and within its limits."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile

import structlog

from connections import store
from connections.addresses import Addresses
from connections.facts import OrganisationFacts
from contracts.newness import Stamp, stamp
from contracts.reasons import ReasonCode
from runtime.crash_points import around_commit, crash_point
from runtime.database import fetch_all, single_reads
from sinks.lanes.account_state import AccountState, Hold
from sinks.lanes.marking import Marking
from sinks.lanes.planning import PlanningPass, PlanResult, write_and_publish
from sinks.lanes.queue import LaneQueue
from sinks.lanes.session import Pool, Session
from sinks.lanes.shares import Shares
from sinks.lanes.stumbles import Stumbles
from sinks.ledger import store as ledger
from sinks.ledger.entries import Entry, now_utc
from sinks.ledger.jobs import Job
from sinks.ledger.namesakes import Namesakes
from sinks.ledger.store import Lease
from sinks.xero.call_guard import machine_seconds
from sinks.xero.calls import FULL_BATCH, Call, make_call

log = structlog.stdlib.get_logger(__name__)

ROOM = 600
"""Commands that a lane holds in its hands at once."""
_KEPT_FREE = 100
"""How many of them are kept for live work: retries and replays leave them free."""
_ROUNDS = 20
"""Times that a lane takes up work before it looks for calls to send."""
FACTS_GOOD_FOR = timedelta(hours=12)
FACTS_DOUBTED_AFTER = timedelta(minutes=10)
_LINGER_SECONDS = 5.0
_SNAPSHOT_ACTIONS = ("created", "edited")


class ConcurrentChange(Exception):
    """An operator skipped a command that was about to be sent, or connected the account to another
    organisation while the facts of the earlier one were read: nothing was sent, and the lane starts again.
    """


class Lane:
    """The per-account worker's state: the commands in its hands, and the elements to be sent for them."""

    def __init__(
        self,
        lease: Lease,
        pool: Pool,
        session: Session,
        rate: float,
        shares: Shares | None = None,
        marking: Marking | None = None,
    ) -> None:
        self.lease = lease
        self.marking = marking or Marking(None, lease)
        self.account = lease.account
        self.pool = pool
        self.session = session
        self.rate = rate
        self.state = AccountState(session, rate, shares)
        self.budget = self.state.budget
        self.queue = LaneQueue()
        self.names = Namesakes()
        self.state_lock = asyncio.Lock()
        self.ending = False
        """True once the lane is to end: nothing long is begun or waited for any more."""
        self.more = False
        self.more_turn = ledger.LIVE
        """The turn of the command taken up last: those left in the ledger have this turn or a later one."""
        self.facts_wanted = False
        self.books_wanted = False
        """True if current lock dates and accounts are wanted."""
        self.doubted: dict[str, datetime] = {}
        self._batch_limits: dict[str, int] = {}
        """The limits of commands that go out in smaller batches, kept while they are given back because Xero
        is away.
        """
        self.stumbles = Stumbles()

    # Planning

    def planning_pass(self) -> PlanningPass:
        """Return a planning pass with the current settings and facts."""
        connection = self.session.connection
        assert connection is not None and connection.facts is not None
        age = now_utc() - connection.facts.fetched_at
        stale = age > FACTS_DOUBTED_AFTER
        return PlanningPass(
            self.account,
            connection.settings,
            connection.facts,
            stale,
            self.doubted,
            self.state.breaker,
            self.stumbles,
            self.names,
        )

    @property
    def addresses(self) -> Addresses:
        """Where the account's records are shown."""
        connection = self.session.connection
        return Addresses() if connection is None else connection.addresses

    @asynccontextmanager
    async def transaction(self, name: str, *, locked: bool = True) -> AsyncIterator[ledger.Connection]:
        """Open a transaction of the ledger that is rolled back once another worker has the account.

        Args:
            name: of its crash points, ``{name}.before_commit`` and ``{name}.after_commit``.
            locked: True if the lane's jobs and its knowledge of the account must not change meanwhile.

        Raises:
            LeaseLost, LedgerHeld: the account is another worker's now, or nobody may go on.
        """
        before, after = around_commit(name)
        lock = self.state_lock if locked else nullcontext()
        async with lock, self.pool.connection() as connection, connection.transaction():
            await ledger.check_fence(connection, self.lease)
            yield connection
            crash_point(before)
        crash_point(after)

    async def load(self) -> None:
        """Take up the commands that are ready, plan them, and put their next steps into the queues.

        A command that ends without a call makes the next action of its record ready.
        """
        if not self.queue.jobs and not await self._anything_due():
            self.more, self.more_turn = False, ledger.LIVE
            return
        for _ in range(_ROUNDS):
            if not await self._load_once() or self.state.breaker.why:
                return
        self.more = True

    async def _anything_due(self) -> bool:
        """Return False if there is surely nothing to take up. Most turns of a lane that has nothing in hand
        end here: without a transaction, and without the lock on the lease, whose commit waits for the disk.
        """
        async with single_reads(self.pool.connection()) as connection:
            rows = await fetch_all(connection, ledger.SQL["anything_due"], {"account": self.account})
        return bool(rows[0]["due"])

    async def _load_once(self) -> bool:
        """Return True if something ended at once."""
        room, last_turn = self._room()
        if room <= 0:
            return False
        async with self.transaction("plan") as connection:
            heads = await ledger.ready(connection, self.account, self.queue.command_ids, room, last_turn)
            self._note_what_is_left(heads, room, last_turn)
            if not heads:
                return False
            followers = await ledger.followers(connection, self.account, _snapshots(heads))
            jobs = _merge(heads, followers, self._batch_limits)
            outcome = await self.planning_pass().advance(connection, jobs)
        self.take(jobs, outcome)
        return bool(outcome.ended)

    def _room(self) -> tuple[int, int]:
        """Return how many commands may be taken up, and of which turn at the latest."""
        room = ROOM - len(self.queue.jobs)
        if room > _KEPT_FREE:
            return room - _KEPT_FREE, ledger.LAST_TURN
        return room, ledger.LIVE

    def _note_what_is_left(self, heads: Sequence[Entry], room: int, last_turn: int) -> None:
        full = len(heads) == room
        if full or last_turn == ledger.LAST_TURN:
            self.more = full
            self.more_turn = ledger.turn(heads[-1]) if heads else ledger.LIVE

    async def fail_all(self, code: ReasonCode) -> None:
        """Fail all that is ready: the account has no connection."""
        async with self.transaction("not_connected", locked=False) as connection:
            entries = await ledger.ready(connection, self.account, [], ROOM, flagged_too=True)
            now = now_utc()
            failed = [entry.failed(now, code, {}) for entry in entries]
            await write_and_publish(connection, failed, self.addresses)
        self.more = bool(entries)

    def take(self, jobs: Sequence[Job], outcome: PlanResult) -> None:
        """Keep the jobs that have a next step; let go of those that ended. Nothing here may fail: it is
        committed.
        """
        for job in jobs:
            self.queue.jobs[job.entry.command_id] = job
            if job.batch_limit < FULL_BATCH:
                self._batch_limits[job.entry.command_id] = job.batch_limit
        for job in (*outcome.ended, *outcome.waiting):
            self.queue.jobs.pop(job.entry.command_id, None)
        for job in outcome.ended:
            self._batch_limits.pop(job.entry.command_id, None)
        self.stumbles.ended(job.entry.command_id for job in outcome.ended)
        for job in outcome.stale_facts:
            self.facts_wanted = True
            self.queue.wait_for_facts(job)
        for job in outcome.old_books:
            self.books_wanted = True
            self.queue.wait_for_facts(job)
        for job, element in outcome.sends:
            self.queue.offer(job, element)

    # Sending

    async def dispatch(self) -> list[Call]:
        """Put together, count and write down as many calls as the limits allow now; they may be sent then."""
        calls: list[Call] = []
        while self.queue.has_queued and self.budget.wait(machine_seconds()) == 0.0:
            parts = self.queue.choose(machine_seconds(), self.linger)
            if not parts:
                break
            call = make_call(parts)
            call.request = self.session.written(call.request)
            calls.append(call)
            self.budget.sent()
            self.queue.take_off(call)
        if calls:
            await self._write_down(calls)
        return calls

    async def _write_down(self, calls: Sequence[Call]) -> None:
        now = now_utc()
        async with self.transaction("intent") as connection:
            started = [entry for job in self.queue.served_by(calls) for entry in job.started(now)]
            await ledger.write_calls(connection, self.lease, calls, SEND_WITHIN)
            mark = await self.marking.raised(connection, calls)
            written = await write_and_publish(connection, started, self.addresses)
            if len(written) < len(started):
                raise ConcurrentChange(self.account)
        self.marking.committed(mark, calls)

    def linger(self, now: float) -> float:
        """Return the seconds for which a partial batch should still wait to fill up.

        In a backlog it waits for the calls in progress, after which there will be more to send. Otherwise it
        goes at once while calls are plenty, and waits longer as they become scarce. Live work does not wait
        for a backlog of retries or replays.
        """
        waited = self.queue.waited(now)
        if waited is None:
            return 0.0
        more = self.more and self.more_turn <= self.queue.partial_turn
        backlog = more and self.queue.has_calls
        most = max(self.budget.pace(now) if not more else 0.0, _LINGER_SECONDS if backlog else 0.0)
        return max(0.0, most - waited)

    async def announce(self) -> None:
        """Tell the log about the account's hold, if it has changed."""
        news = self.state.news()
        if news is not None:
            async with self.transaction("hold", locked=False) as connection:
                await self.state.save(connection)
                await ledger.publish_later(connection, [news], [self.account])

    async def save_facts(self, facts: OrganisationFacts) -> None:
        """Store Xero's facts about the organisation, and plan the waiting jobs again.

        Nothing else of the connection is read here. What an operator has changed while Xero was asked (a
        pause that is over, settings, the organisation) is acted on by the runner, which compares the
        connection with the one that the lane works by.

        Raises:
            ConcurrentChange: they are of an organisation that the account was connected to before.
        """
        current = self.session.connection
        assert current is not None
        async with self.transaction("facts") as connection:
            if not await store.save_facts(connection, self.account, facts, current.tenant_id):
                raise ConcurrentChange(self.account)
            # Before others of the lane go on: they plan with the lane's facts, not with those in the table.
            self.session.connection = replace(current, facts=facts)
        await self.facts_asked()

    async def facts_asked(self) -> None:
        """Plan the jobs that waited for fresh facts again, with the facts that there are."""
        self.facts_wanted = self.books_wanted = False
        await self.replan(self.queue.facts_came())

    async def replan(self, jobs: Sequence[Job]) -> None:
        """Plan jobs again that are in hand."""
        if jobs:
            async with self.transaction("replan") as connection:
                outcome = await self.planning_pass().advance(connection, jobs)
            self.take(jobs, outcome)

    async def release(self, hold: Hold | None) -> None:
        """Give back the jobs that are in hand but not in a call: nobody works on them while the account is
        held, or once the lane ends.
        """
        if not self.queue.jobs:
            return
        async with self.transaction("release") as connection:
            idle = self.queue.idle()
            running = [e for job in idle for e in (job.entry, *job.merged) if e.state == "running"]
            back = [_given_back(entry, hold) for entry in running]
            await write_and_publish(connection, back, self.addresses)
            self.queue.drop()


SEND_WITHIN = 10.0
"""Seconds after its commit within which a call's first byte must leave."""


def _given_back(entry: Entry, hold: Hold | None) -> Entry:
    return entry.waiting(hold.until, hold.code, hold.shown) if hold else entry.back_in_queue()


def _snapshots(heads: Sequence[Entry]) -> list[Entry]:
    return [h for h in heads if h.command.action in _SNAPSHOT_ACTIONS and h.attempts == 0]


def _merge(heads: Sequence[Entry], behind: Sequence[Entry], limits: Mapping[str, int]) -> list[Job]:
    """Return one job per record: neighbouring snapshots that were not sent yet become one, and the newest is
    sent for all.

    Args:
        limits: by command id, how many elements a call with it may carry, if they are few.
    """
    by_record: dict[tuple[str, str], list[Entry]] = {}
    for entry in behind:
        by_record.setdefault(entry.record, []).append(entry)
    jobs = []
    for head in heads:
        mergeable = takewhile(_may_merge, by_record.get(head.record, ())) if head.attempts == 0 else ()
        run = [head, *mergeable] if head.command.action in _SNAPSHOT_ACTIONS else [head]
        # One that was tried before those ahead of it ended was sent for all of them: the result of its call
        # is found by its own snapshot, which later ones must not replace.
        tried = next((place for place, entry in enumerate(run) if place and entry.attempts), None)
        if tried is not None:
            leader, run = run[tried], run[: tried + 1]
        else:
            leader = max(run, key=_stamp)
        limit = limits.get(leader.command_id, FULL_BATCH)
        jobs.append(Job(leader, [e for e in run if e is not leader], limit))
    return jobs


def _may_merge(entry: Entry) -> bool:
    return entry.command.action in _SNAPSHOT_ACTIONS and entry.state == "queued"


def _stamp(entry: Entry) -> Stamp:
    snapshot = entry.command.document or entry.command.contact
    time = entry.command.event.time
    return stamp(snapshot.version if snapshot else time, time, entry.seq)
