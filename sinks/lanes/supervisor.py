"""The sink's own work beside the intake: lanes for accounts with work, and the outbox."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg
import structlog

from connections import store
from contracts.commands import Command
from runtime import metrics, pooling, schema
from runtime.crash_points import crash_point
from runtime.database import fetch_all, fetch_one
from runtime.environment import Environment
from runtime.secrets import SecretBox
from runtime.spells import Spell
from runtime.trouble import about_the_database
from sinks.lanes.breaker import BREAKS_BOUND, BREAKS_SECONDS
from sinks.lanes.bursts import BurstGate
from sinks.lanes.gauges import measure_lanes, measure_ledger
from sinks.lanes.guard import Guard
from sinks.lanes.lane import ConcurrentChange, Lane
from sinks.lanes.outbox import CHANNEL as OUTBOX_CHANNEL
from sinks.lanes.outbox import Outbox, Publish
from sinks.lanes.runner import LEASE_SECONDS, LaneRunner
from sinks.lanes.session import Pool, Session
from sinks.lanes.shares import Shares
from sinks.lanes.side_jobs import SideJob
from sinks.ledger import store as ledger
from sinks.ledger.generation import MarkNotStored, Marks
from sinks.ledger.intake import LANE_CHANNEL
from sinks.ledger.store import Lease, LeaseLost
from sinks.xero.call_guard import machine_seconds

log = structlog.stdlib.get_logger(__name__)

_LOOK_EVERY = 1.0
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
        self._box = SecretBox.open(environment.data_dir, environment.secret_key)
        self._spell = Spell()
        self._outbox = Outbox(pool, publish, self._spell)
        self._runners: dict[str, LaneRunner] = {}
        self._ended: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
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
            for channel in (LANE_CHANNEL, store.CHANNEL, OUTBOX_CHANNEL):
                await connection.execute(f"LISTEN {channel}".encode())
            listening = asyncio.create_task(self._listen(connection))
            try:
                self._guard.suspects()
                while not stop.is_set():
                    self._wanted.clear()  # before anything is read: what comes meanwhile is looked for again
                    if await self._guard.holds():
                        await self._stop_lanes()
                    else:
                        await self._ask_due()
                        await self._start_lanes(holder)
                    self._spell.over()
                    await self._look_again(listening)
            finally:
                listening.cancel()
                await asyncio.wait({listening})
                await self._stop_lanes()

    async def _look_again(self, listening: "asyncio.Task[None]") -> None:
        """Wait until an account without a lane has work, or a second is over.

        Raises:
            psycopg.Error: the session is gone, and with it the sign that this holder is alive.
        """
        wanted: asyncio.Future[Any] = asyncio.ensure_future(self._wanted.wait())
        await asyncio.wait([listening, wanted], timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
        wanted.cancel()
        if listening.done():
            listening.result()
            raise psycopg.OperationalError("the session for notifications has ended")

    async def _listen(self, connection: ledger.Connection) -> None:
        async for notice in connection.notifies():
            if notice.channel == OUTBOX_CHANNEL:
                self._outbox.wake.set()
                continue
            runner = self._runners.get(notice.payload)
            if runner is not None:
                if notice.channel == store.CHANNEL:
                    runner.connection_changed = True
                runner.wake.set()
            elif notice.channel == LANE_CHANNEL:
                self._wanted.set()

    async def _ask_due(self) -> None:
        """Request the work that is due at intervals, every half minute, in the worker that looks first."""
        now = machine_seconds()
        if now >= self._due_after:
            self._due_after = now + _DUE_EVERY
            async with self._pool.connection() as connection:
                await self._ask_for_due(connection)

    async def _start_lanes(self, holder: int) -> None:
        """Start a lane for every account with work that nobody has.

        A lane looks for its lease from a session of its own, so it starts only once the lease is committed.
        """
        async with self._pool.connection() as connection, connection.transaction():
            rows = await fetch_all(connection, ledger.SQL["accounts_with_work"], None)
            accounts = sorted({row["account"] for row in rows} - self._runners.keys())
            accounts = await _of_free_organisations(connection, accounts)
            leases = [await _take_lease(connection, account, holder) for account in accounts]
            if accounts:
                crash_point("lease.before_commit")
        if accounts:
            crash_point("lease.after_commit")
        taken = [lease for lease in leases if lease is not None]
        if taken and not await self._guard.holds(taken):
            for lease in taken:
                self._start_lane(lease)

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


async def _of_free_organisations(connection: ledger.Connection, accounts: list[str]) -> list[str]:
    """Return the accounts without those of an organisation of which another worker is just taking leases.
    Such locks are taken before the leases are looked at, so that no two workers take accounts of one
    organisation.
    """
    if not accounts:
        return accounts
    rows = await fetch_all(connection, ledger.SQL["lock_organisations"], [accounts])
    busy = {row["account"] for row in rows if not row["locked"]}
    return [account for account in accounts if account not in busy]


async def _take_lease(connection: ledger.Connection, account: str, holder: int) -> Lease | None:
    parameters = {"account": account, "holder": holder, "ttl": LEASE_SECONDS}
    row = await fetch_one(connection, ledger.SQL["take_lease"], parameters)
    return Lease(account, holder, row["fence"], row["mark"]) if row else None


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
