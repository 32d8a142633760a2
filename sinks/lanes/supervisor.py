"""The sink's own work beside the intake: lanes for accounts with work, and the outbox."""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg
import structlog

from connections import store
from contracts.commands import Command
from runtime import metrics, pooling, schema
from runtime.crash_points import crash_point
from runtime.environment import Environment
from runtime.secrets import SecretBox
from runtime.spells import Spell
from runtime.trouble import about_the_database
from sinks.lanes.breaker import BREAKS_BOUND, BREAKS_SECONDS
from sinks.lanes.bursts import BurstGate
from sinks.lanes.gauges import measure_lanes, measure_ledger
from sinks.lanes.guard import Guard
from sinks.lanes.lane import ConcurrentChange, Lane
from sinks.lanes.leasing import Lanes, Leasing
from sinks.lanes.outbox import CHANNEL as OUTBOX_CHANNEL
from sinks.lanes.outbox import Outbox, Publish
from sinks.lanes.runner import LEASE_SECONDS, LaneRunner
from sinks.lanes.session import Pool, Session
from sinks.lanes.shares import Shares
from sinks.lanes.side_jobs import SideJob
from sinks.ledger import leases
from sinks.ledger import store as ledger
from sinks.ledger.generation import MarkNotStored, Marks
from sinks.ledger.intake import LANE_CHANNEL
from sinks.ledger.store import Lease, LeaseLost
from sinks.xero.call_guard import machine_seconds

log = structlog.stdlib.get_logger(__name__)

_LOOK_EVERY = 1.0
_LOOK_EVERY_AMONG_OTHERS = 0.4
"""Seconds: one that is killed tells nobody, and its accounts wait for the next look."""
_LOOK_AFTER_MISSING = 0.2
"""Seconds: the database ends a killed worker's transactions one after the other, with its locks."""
_BEAT_EVERY = 5.0
_DUE_EVERY = 30.0
_AFTER_TROUBLE = 1.0
_TOKENS_AT_ONCE = 4
"""Each has a connection of its own meanwhile; an account needs a token every half hour."""


AskDue = Callable[[ledger.Connection], Awaitable[None]]


class LaneSupervisor:
    """Delivers the ledger's commands to Xero and publishes their results."""

    def __init__(
        self,
        *,
        pool: Pool,
        publish: Publish,
        environment: Environment,
        marks: Marks | None,
        side_jobs: Sequence[SideJob],
        ask_due: AskDue,
    ) -> None:
        """Take the parts that ``sinks.delivery`` puts together.

        Args:
            marks: None if the ledger's marks are kept nowhere else, so that nothing can notice that it is
                old.
            side_jobs: the requests that others may make of a lane.
            ask_due: requests the work that is due at intervals.
        """
        self._pool = pool
        self._guard = Guard(pool, marks)
        self._environment = environment
        self._box = SecretBox.of(environment)
        self._spell = Spell()
        self._outbox = Outbox(pool, publish, self._spell)
        self._runners: dict[str, LaneRunner] = {}
        self._ended: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._leasing = Leasing(0)
        self._passed_over: set[str] = set()
        """Accounts whose new work was left to the workers that they were with at the look before."""
        self._beat_after = 0.0
        self._bursts = BurstGate()
        self._shares = Shares()
        self._fetching = asyncio.Semaphore(_TOKENS_AT_ONCE)
        self._breaks: dict[str, list[float]] = {}
        self._side_jobs = side_jobs
        self._ask_for_due = ask_due
        self._due_after = 0.0

    def taken_in(self, commands: Sequence[Command]) -> None:
        """Take in commands: the intake of this worker puts them into the ledger."""
        self._bursts.came((command.account for command in commands), machine_seconds())

    def suspect(self) -> None:
        """Note that this worker's intake suspects the database to be older than what was sent from it."""
        self._guard.suspects()
        self._wanted.set()

    def measure(self) -> None:
        """Update the gauges of lanes and ledger. Called from another thread.

        Raises:
            psycopg.Error: the database is away; the gauges of the ledger stay as they are.
        """
        measure_lanes({account: runner.lane.budget for account, runner in self._runners.copy().items()})
        with psycopg.connect(**self._environment.psycopg("sbx-metrics")) as connection:
            measure_ledger(connection)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, through any trouble of the database."""
        publishing = asyncio.create_task(self._outbox.run())
        try:
            while not stop.is_set():
                try:
                    await self._while_connected(stop)
                except MarkNotStored as error:
                    log.warning("lanes rest until Kafka tells what it knows of the ledger", error=str(error))
                    await self._stop_lanes()
                    await _sleep(_AFTER_TROUBLE, stop)
                except Exception as error:
                    if not about_the_database(error):
                        raise
                    self._spell.trouble(error)
                    await self._stop_lanes()
                    await _sleep(_AFTER_TROUBLE, stop)
            await self._stop_lanes()
            await self._drain()
        finally:
            publishing.cancel()

    async def _drain(self) -> None:
        """Publish the remaining results; those not published before the end are left to the next worker."""
        try:
            await self._outbox.drain()
        except Exception as error:
            if not about_the_database(error):
                raise
            self._spell.trouble(error)

    async def _while_connected(self, stop: asyncio.Event) -> None:
        """Hold one session whose advisory lock says to all workers: this holder is alive."""
        holder = secrets.randbits(62)
        connection = await psycopg.AsyncConnection.connect(
            **self._environment.psycopg("sbx-deliver-holder"), autocommit=True
        )
        async with connection:
            await pooling.refuse(connection, self._environment.psycopg("sbx-deliver-holder"))
            await schema.check(connection)
            await connection.execute("SELECT pg_advisory_lock(%s)", [holder])
            for channel in (LANE_CHANNEL, store.CHANNEL, OUTBOX_CHANNEL, leases.CHANNEL):
                await connection.execute(f"LISTEN {channel}".encode())
            self._leasing, self._beat_after = Leasing(holder), 0.0
            listening = asyncio.create_task(self._listen(connection))
            try:
                self._guard.suspects()
                while not stop.is_set():
                    self._wanted.clear()  # before anything is read: what comes meanwhile is looked for again
                    look_in = await self._look()
                    self._spell.over()
                    await self._look_again(listening, look_in)
                await self._leave()
            finally:
                listening.cancel()
                await asyncio.wait({listening})
                await self._stop_lanes()

    async def _look(self) -> float:
        """Do what is to be done for all accounts. Return the seconds until it is due again."""
        held = await self._guard.holds()
        await self._beat()
        if held:
            await self._stop_lanes()
            return _LOOK_EVERY
        await self._ask_due()
        return await self._divide()

    async def _look_again(self, listening: "asyncio.Task[None]", seconds: float) -> None:
        """Wait until an account that nobody has has work, another worker calls, or the time is over.

        Raises:
            psycopg.Error: the session is gone, and with it the sign that this holder is alive.
        """
        wanted: asyncio.Future[Any] = asyncio.ensure_future(self._wanted.wait())
        await asyncio.wait([listening, wanted], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        wanted.cancel()
        if listening.done():
            listening.result()
            raise psycopg.OperationalError("the session for notifications has ended")

    async def _listen(self, connection: ledger.Connection) -> None:
        async for notice in connection.notifies():
            if notice.channel == OUTBOX_CHANNEL:
                self._outbox.wake.set()
                continue
            if notice.channel == leases.CHANNEL:
                self._wanted.set()
                continue
            runner = self._runners.get(notice.payload)
            if runner is not None:
                if notice.channel == store.CHANNEL:
                    runner.connection_changed = True
                runner.wake.set()
            elif notice.channel == LANE_CHANNEL and notice.payload in self._leasing.elsewhere:
                self._passed_over.add(notice.payload)
            elif notice.channel == LANE_CHANNEL:
                self._wanted.set()

    async def _ask_due(self) -> None:
        """Request the work that is due at intervals, every half minute, in the worker that looks first."""
        now = machine_seconds()
        if now >= self._due_after:
            self._due_after = now + _DUE_EVERY
            async with self._pool.connection() as connection:
                await self._ask_for_due(connection)

    async def _beat(self) -> None:
        """Say to the other workers that this one lives and works."""
        now = machine_seconds()
        if now < self._beat_after:
            return
        self._beat_after = now + _BEAT_EVERY
        async with self._pool.connection() as connection, connection.transaction():
            await leases.beat(connection, self._leasing.holder, _name_of(self._environment))
            crash_point("beat.before_commit")
        crash_point("beat.after_commit")

    async def _leave(self) -> None:
        """Say that this worker ends: its part is the others' from now on, as its lanes give it back."""
        async with self._pool.connection() as connection, connection.transaction():
            await leases.leave(connection, self._leasing.holder)
            crash_point("leave.before_commit")
        crash_point("leave.after_commit")

    async def _divide(self) -> float:
        """Take and give accounts, so that each worker has its share. Return the seconds until the next look.

        A lane looks for its lease from a session of its own, so it starts only once the lease is committed.
        """
        leasing, taken = self._leasing, list[Lease]()
        self._passed_over.clear()
        async with self._pool.connection() as connection, connection.transaction():
            decision = await leasing.decide(connection, self._lanes(), machine_seconds())
            if decision.take:
                taken = await leases.take(connection, decision.take, leasing.holder, LEASE_SECONDS)
                crash_point("lease.before_commit")
            if decision.call or (taken and not leasing.alone):
                await leases.call_to_look(connection)
        if decision.take:
            crash_point("lease.after_commit")
        if taken and not await self._guard.holds(taken):
            for lease in taken:
                self._start_lane(lease)
        for runner in (self._runners.get(account) for account in decision.give):
            if runner is not None:
                runner.give_back()
        if not self._passed_over <= leasing.elsewhere:  # came during the look, and may not have been in it
            self._wanted.set()
        waits = [_LOOK_EVERY if leasing.alone else _LOOK_EVERY_AMONG_OTHERS]
        if len(taken) < len(decision.take):
            waits.append(_LOOK_AFTER_MISSING)
        if decision.look_in is not None:
            waits.append(decision.look_in)
        return min(waits)

    def _lanes(self) -> Lanes:
        return Lanes(
            {account: runner.age for account, runner in self._runners.items()},
            [account for account, runner in self._runners.items() if runner.leaving],
        )

    def _start_lane(self, lease: Lease) -> None:
        session = Session(lease.account, self._pool, self._environment, self._box, self._fetching)
        marking = self._guard.marking(lease)
        lane = Lane(lease, self._pool, session, self._environment.clock_rate, self._shares, marking)
        runner = LaneRunner(lane, self._bursts, self._side_jobs)
        self._runners[lease.account] = runner
        task = asyncio.create_task(self._run_lane(lease.account, runner))
        self._ended.add(task)
        task.add_done_callback(self._ended.discard)

    async def _run_lane(self, account: str, runner: LaneRunner) -> None:
        """Start a broken lane again from the ledger, which has everything."""
        log.info("lane starts", account=account, fence=runner.lane.lease.fence)
        how = "broke"
        try:
            await runner.run()
            if runner.leaving:
                how = "given"
                log.info("account is given back for another worker", account=account)
            else:
                how = "idle"
        except LeaseLost:
            how = "lost"
            log.warning("lane lost its lease", account=account)
        except ledger.LedgerHeld as error:
            how = "held"
            log.warning("lane stops: the ledger is behind", account=account, error=str(error).strip())
            self._guard.suspects()
        except ConcurrentChange:
            how = "overtaken"
            log.info("lane restarts, because an operator changed what it was working on", account=account)
        except Exception as error:
            if about_the_database(error):
                how = "database"
                self._spell.trouble(error)
            else:
                log.exception("lane breaks", account=account)
                await self._count_break(account, error)
            await asyncio.sleep(_AFTER_TROUBLE)
        finally:
            del self._runners[account]
            metrics.LANE_ENDS.labels(how).inc()

    async def _count_break(self, account: str, error: Exception) -> None:
        """Pause the account of a lane that keeps breaking, and say why in the log."""
        now = machine_seconds()
        breaks = [at for at in self._breaks.pop(account, ()) if now - at < BREAKS_SECONDS]
        self._breaks[account] = [*breaks, now]
        if len(breaks) + 1 < BREAKS_BOUND:
            return
        del self._breaks[account]
        why = f"its work broke {BREAKS_BOUND} times with an internal error, {type(error).__name__}: {error}"
        try:
            async with self._pool.connection() as connection, connection.transaction():
                paused = await store.pause(connection, account, actor="sbx", reason=why)
                crash_point("pause.before_commit")
            crash_point("pause.after_commit")
        except Exception as trouble:
            if not (isinstance(trouble, store.NotConnected) or about_the_database(trouble)):
                raise
            log.warning("the account cannot be paused", account=account, error=str(trouble).strip())
            return
        if paused:
            log.error("account pauses itself", account=account, why=why, remedy=f"sbx resume {account}")

    async def _stop_lanes(self) -> None:
        for runner in self._runners.values():
            runner.stop()
        while self._ended:
            await asyncio.wait(set(self._ended))


def _name_of(environment: Environment) -> str:
    """Return what people know this worker by."""
    return environment.worker_name or f"{socket.gethostname()}:{os.getpid()}"


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
