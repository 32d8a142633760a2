"""A lane at work: take up, plan, send, wait; until the worker stops or the lease is lost."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from connections import store
from runtime.crash_points import crash_point
from runtime.database import fetch_all, single_reads
from runtime.trouble import about_the_database
from sinks.lanes.beside import WorkBeside
from sinks.lanes.bursts import BurstGate
from sinks.lanes.lane import FACTS_GOOD_FOR, ConcurrentChange, Lane
from sinks.lanes.organisation import ask, ask_books
from sinks.lanes.recovery import recover
from sinks.lanes.sending import CallSender
from sinks.lanes.side_jobs import SideJob, SideJobState
from sinks.lanes.single_get import NotNow, NoUsableAnswer
from sinks.ledger import leases
from sinks.ledger import store as ledger
from sinks.ledger.entries import now_utc
from sinks.xero.call_guard import machine_seconds

log = structlog.stdlib.get_logger(__name__)

LEASE_SECONDS = 70.0
"""Longer than the deadline of a call, so that a call never outlives the right to make it unnoticed."""
_RENEW_EVERY = 10.0
_IDLE_POLL = 5.0
_ASKED_POLL = 0.5
_IDLE_LONGEST = 120.0
_ENDING = 20.0
_LEAVING = 5.0
"""Seconds that calls under way may take when the account is to be given back between two of them."""


class LaneRunner:
    """Runs one lane from its lease to its end."""

    def __init__(self, lane: Lane, bursts: BurstGate, side_jobs: Sequence[SideJob] = ()) -> None:
        self.lane = lane
        self._bursts = bursts
        self.wake = asyncio.Event()
        self.connection_changed = True
        self._side_jobs = [SideJobState(job) for job in side_jobs]
        self._stop = asyncio.Event()
        self._read_again_at = machine_seconds() + _IDLE_POLL
        self._started = self._idle_since = machine_seconds()
        self._leave_until: float | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._beside = WorkBeside(self.wake)

    def stop(self) -> None:
        """Finish the calls in progress and end."""
        self.lane.ending = True
        self._stop.set()
        self.wake.set()

    def give_back(self) -> None:
        """End between two calls, for another worker; go on where those under way do not end soon."""
        self._leave_until = machine_seconds() + _LEAVING
        self.lane.ending = True
        self.wake.set()

    @property
    def leaving(self) -> bool:
        """True until it is decided whether the lane ends: nothing new is sent meanwhile."""
        return self._leave_until is not None

    @property
    def age(self) -> float:
        """Seconds for which the lane has had the account."""
        return machine_seconds() - self._started

    async def run(self) -> None:
        """Work until stopped.

        Raises:
            LeaseLost: another worker has the account.
            psycopg.Error: the database is away; the jobs in hand are taken up again from the ledger.
        """
        self._renewing = asyncio.create_task(self._beside.guarded(self._renew()))
        try:
            await self._take_over()
            while not self._stop.is_set():
                self.wake.clear()
                if self._may_leave():
                    break
                delay = await self._turn() if self._leave_until is None else self._patience()
                await self._beside.rest(delay)
            await self._finish()
        finally:
            self._renewing.cancel()
            self._beside.cancel()
            self.lane.state.budget.leave()
            self.lane.session.close()

    def _may_leave(self) -> bool:
        """Return True if the account is to be given back and no call is under way."""
        if self._leave_until is None:
            return False
        if self._beside.tasks and self._patience() <= 0.0:
            self._leave_until = None  # not now: the account would rest for as long as the call takes
            self.lane.ending = self._stop.is_set()
        return not self._beside.tasks

    def _patience(self) -> float:
        """Seconds for which calls under way are waited for before the account is given back."""
        return max(0.0, (self._leave_until or 0.0) - machine_seconds())

    async def _take_over(self) -> None:
        self.connection_changed = False  # before it is read: a change meanwhile must be noticed
        await self.lane.session.reload()
        self.lane.state.budget.wake = self.wake.set
        async with single_reads(self.lane.pool.connection()) as connection:
            await self.lane.state.restore(connection)
        try:
            senders = await recover(self.lane)
        except ledger.LeaseLost:
            raise
        except Exception as error:
            if not about_the_database(error):
                await self._while_paused()
            raise
        if senders:  # the worker that wrote them down may have died before their mark was in Kafka
            await self.lane.marking.publish()
        for sender in senders:
            self._beside.start(sender.run())

    async def _while_paused(self) -> None:
        """Announce a pause by the breaker. If recovery keeps failing, the account pauses itself: then
        the log says so, and the lane rests until somebody resumes it.
        """
        session = self.lane.session
        while session.connection is not None and session.connection.paused_reason and not self._stop.is_set():
            self.wake.clear()
            await self.lane.announce()
            await self._beside.rest(_IDLE_POLL)
            await session.reload()

    async def _turn(self) -> float:
        """Run one round. Return the seconds until the next is due without anything happening."""
        lane = self.lane
        if self.connection_changed or self._waits_for_people():
            await self._reload()
        if self._stop.is_set():
            return 0.0
        if lane.session.connection is None:
            await lane.fail_all("not_connected")
            return 0.0 if lane.more else self._idle_delay()
        if lane.state.lost and lane.session.connection.status != "lost":
            await self._mark_lost(lane.state.lost)
        if lane.state.breaker.why and lane.session.connection.paused_reason is None:
            await self._pause(lane.state.breaker.why)
        await lane.announce()
        hold = lane.state.obstacle()
        if hold is not None:
            await lane.release(hold)
            if hold.code == "account_paused" and (await self._requests())["facts"]:
                await self._facts_ready()  # operators' requests are answered nevertheless
            left = lane.budget.closed_until - machine_seconds()
            return min(left, _IDLE_POLL) if hold.until and left > 0 else _IDLE_POLL
        if not await self._facts_ready():
            return 0.1
        if self.leaving:
            return 0.0
        self._go_on_beside(when_idle=False)
        burst_wait = self._burst_wait()
        if burst_wait == 0.0:
            self._bursts.taken_up(lane.account, machine_seconds())
            await lane.load()
        if lane.state.breaker.why or self.leaving:
            return 0.0
        for call in await lane.dispatch():
            self._beside.start(CallSender(lane, call).run())
        self._go_on_beside(when_idle=True)
        delay = await self._delay()
        return min(delay, burst_wait) if burst_wait else delay

    def _waits_for_people(self) -> bool:
        """Return True if only an operator ends what holds the account, and it is time to see whether one has.
        A notification alone is not relied on: nothing else would ever come.
        """
        connection = self.lane.session.connection
        held = connection is None or connection.status == "lost" or connection.paused_reason is not None
        return held and machine_seconds() >= self._read_again_at

    def _burst_wait(self) -> float:
        """Return the seconds for which new commands may gather; None while there are more than were taken
        up.
        """
        return 0.0 if self.lane.more else self._bursts.wait(self.lane.account, machine_seconds())

    def _go_on_beside(self, *, when_idle: bool) -> None:
        """Continue the side jobs that others have asked for: those that wait for an idle lane, or those that
        do not.
        """
        now = machine_seconds()
        for state in self._side_jobs:
            if state.job.when_idle != when_idle or state.request is None or state.at_work:
                continue
            if now < state.due_after:
                continue
            self._idle_since = now
            if not when_idle or self._is_idle(now):
                state.at_work = True
                self._beside.start(self._side_step(state, state.request))

    def _is_idle(self, now: float) -> bool:
        """Return True if nothing else is to be sent and calls are plenty."""
        return not self.lane.more and not self.lane.queue.jobs and self.lane.budget.spare(now)

    async def _side_step(self, state: SideJobState, request: str) -> None:
        try:
            wait = await state.job.step(self.lane, request)
            state.due_after = machine_seconds() + wait / self.lane.rate
        except NoUsableAnswer as trouble:
            account, kind = self.lane.account, state.job.kind
            log.warning("a request rests", account=account, kind=kind, error=str(trouble))
            state.due_after = machine_seconds() + _ASKED_POLL
        finally:
            state.at_work = False

    async def _delay(self) -> float:
        lane = self.lane
        if lane.facts_wanted or lane.books_wanted:
            return 0.0
        asked = any(state.request is not None for state in self._side_jobs)
        delays = [_ASKED_POLL if asked else _IDLE_POLL]
        now = machine_seconds()
        if lane.queue.has_queued:
            wait = lane.budget.wait(now)
            if wait is not None:
                delays.append(max(wait, lane.linger(now), 0.005))
        elif lane.more and not lane.queue.has_calls:
            delays.append(0.0)
        if not lane.queue.jobs:
            delays.append(await self._next_due())
            delays.append(self._idle_delay())
        else:
            self._idle_since = now
        return min(delays)

    def _idle_delay(self) -> float:
        """Give the account back after a while without work; new work starts the lane again."""
        if machine_seconds() - self._idle_since > _IDLE_LONGEST:
            self.stop()
        return _IDLE_POLL

    async def _next_due(self) -> float:
        async with single_reads(self.lane.pool.connection()) as connection:
            rows = await fetch_all(connection, ledger.SQL["next_due"], [self.lane.account])
        due_in = rows[0]["due_in"]
        return _IDLE_POLL if due_in is None else max(0.01, due_in)

    async def _facts_ready(self) -> bool:
        """Return whether the known facts are good enough to plan with, and who asked about them has an
        answer.
        """
        lane = self.lane
        connection = lane.session.connection
        assert connection is not None
        open_requests = await self._requests()
        requests = open_requests["facts"]
        for state in self._side_jobs:
            state.request = next(iter(open_requests[state.job.kind]), None)
        facts = connection.facts
        fresh = facts is not None and now_utc() - facts.fetched_at < FACTS_GOOD_FOR
        whole = not fresh or requests or lane.facts_wanted
        if not whole and not lane.books_wanted:
            return True
        error: str | None = None
        try:
            if whole or facts is None:
                await lane.save_facts(await ask(lane))
            else:
                await lane.save_facts(await ask_books(lane, facts))
        except NotNow:
            return False  # requests stay open until it can be asked
        except ConcurrentChange:
            # The next turn reads it again and stops the lane, which lets calls under way end.
            self.connection_changed = True
            return False
        except NoUsableAnswer as trouble:
            log.warning("the organisation was not told", account=lane.account, error=str(trouble))
            error = str(trouble)
        if requests:
            async with lane.pool.connection() as db, db.transaction():
                await db.execute(ledger.SQL["answer_requests"], {"request_ids": requests, "error": error})
                await db.execute("SELECT pg_notify('sbx_requests', %s)", [lane.account])
                crash_point("answer.before_commit")
            crash_point("answer.after_commit")
        return error is None

    async def _requests(self) -> Mapping[str, list[str]]:
        """Return, by kind, the ids of open requests that others have made of this lane."""
        async with single_reads(self.lane.pool.connection()) as connection:
            rows = await fetch_all(connection, ledger.SQL["open_requests"], {"account": self.lane.account})
        found: defaultdict[str, list[str]] = defaultdict(list)
        for row in rows:
            found[row["kind"]].append(str(row["request_id"]))
        return found

    async def _reload(self) -> None:
        self.connection_changed = False
        self._read_again_at = machine_seconds() + _IDLE_POLL
        before = self.lane.session.connection
        async with (
            self.lane.state_lock
        ):  # older facts must not overwrite those that a settled call has just learnt
            await self.lane.session.reload()
        after = self.lane.session.connection
        if after is not None and (before is None or _app(before) != _app(after)):
            self.stop()  # the organisation decides which worker may have the account
        if after is not None and before is not None and after.connected_at != before.connected_at:
            self.lane.state.reconnected()
        if before is not None and before.paused_reason and after is not None and not after.paused_reason:
            self.lane.state.resumed()
        if before is None or after is None or before.written != after.written:
            async with self.lane.state_lock:
                self.lane.queue.drop()

    async def _mark_lost(self, reason: str) -> None:
        refused = self.lane.session.connection
        assert refused is not None
        async with self.lane.pool.connection() as connection, connection.transaction():
            await store.mark_lost(connection, self.lane.account, reason, connected_at=refused.connected_at)
            crash_point("lost.before_commit")
        crash_point("lost.after_commit")
        await self._reload()

    async def _pause(self, why: str) -> None:
        """Pause the account; an operator resumes it."""
        account = self.lane.account
        log.error("account pauses itself", account=account, why=why, remedy=f"sbx resume {account}")
        async with self.lane.pool.connection() as connection, connection.transaction():
            await store.pause(connection, account, actor="sbx", reason=why)
            crash_point("pause.before_commit")
        crash_point("pause.after_commit")
        known = self.lane.session.connection
        if known is not None:  # somebody may have resumed it before it is read: that is seen as a resume then
            self.lane.session.connection = replace(known, paused_reason=why)
        await self._reload()

    async def _finish(self) -> None:
        """Let calls under way end, then give the account back."""
        await self._beside.end(_ENDING)
        lane = self.lane
        await lane.release(None)
        if self._renewing is not None:  # what is given back must not be renewed behind it
            self._renewing.cancel()
            await asyncio.wait({self._renewing})
        async with lane.pool.connection() as connection, connection.transaction():
            await leases.give_back(connection, lane.lease)
            crash_point("return.before_commit")
        crash_point("return.after_commit")

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_EVERY)
            async with self.lane.pool.connection() as connection, connection.transaction():
                ours = await leases.renew(connection, self.lane.lease, LEASE_SECONDS)
                crash_point("renew.before_commit")
            crash_point("renew.after_commit")
            if not ours:
                raise ledger.LeaseLost(self.lane.account)


def _app(connection: store.Connection) -> tuple[str, str]:
    """Return the app by which Xero counts calls."""
    return connection.tenant_id, connection.client_id
