"""Read all connected SalesBinder accounts, beside any number of other workers: one per account."""

import asyncio
import secrets
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import structlog
import uvloop
from aiokafka.errors import KafkaError

from runtime import pooling, schema
from runtime.environment import Environment, InvalidEnvironment
from runtime.logs import configure_logging
from runtime.probes import Pulse
from runtime.secrets import SecretBox, SecretKeyError
from runtime.spells import Spell
from runtime.trouble import about_the_database
from sources import gauges
from sources.client import Client, api_address
from sources.feed import SyncFeed, feed_address
from sources.follower import Follower
from sources.publishing import Stopped, publisher
from sources.reader import KeyChanged, Publish, Reader
from sources.reconcile.reconciler import Reconciler
from sources.store import feeds, store
from sources.store.overview import overviews
from sources.store.store import LeaseLost

__all__ = ("Worker", "publisher", "run")

log = structlog.stdlib.get_logger(__name__)

_LOOK_EVERY: Final = 1.0
_IDLE_LONGEST: Final = 5.0
"""A turn renews the lease, so an idle reader takes one so often at least."""
_AFTER_TROUBLE: Final = 1.0
_AFTER_FEED_TROUBLE: Final = 60.0
_MEASURE_EVERY: Final = 15.0


@dataclass(slots=True)
class _Reading:
    """An account that this worker reads, or whose feed it follows, and the key with which it began."""

    key: bytes
    task: asyncio.Task[None]
    hinted: asyncio.Event


class Worker:
    """Takes accounts that nobody reads, and reads them."""

    def __init__(self, environment: Environment, publish: Publish, pulse: Pulse | None = None) -> None:
        self._environment = environment
        self._publish = publish
        self._box = SecretBox.of(environment)
        self._spell = Spell()
        self._readings: dict[str, _Reading] = {}
        self._followings: dict[str, _Reading] = {}
        self._measured_at = -_MEASURE_EVERY
        self.pulse = pulse or Pulse("source", environment)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, through any trouble of the database."""
        while not stop.is_set():
            try:
                await self._while_connected(stop)
            except psycopg.Error as error:
                if not about_the_database(error):
                    raise
                self._spell.trouble(error)
                self.pulse.beat()
                await _sleep(_AFTER_TROUBLE, stop)

    async def _while_connected(self, stop: asyncio.Event) -> None:
        """Hold one session whose advisory lock says to all workers: this holder is alive."""
        holder = secrets.randbits(62)
        arguments = self._environment.psycopg("sbx-source-holder")
        async with await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as connection:
            await pooling.refuse(connection, arguments)
            await schema.check(connection)
            await connection.execute("SELECT pg_advisory_lock(%s)", [holder])
            # Called by whichever statement comes next: there is one each second.
            connection.add_notify_handler(self._wake)
            await connection.execute(f"LISTEN {store.HINT_CHANNEL}")
            self._spell.over()
            try:
                while not stop.is_set():
                    self.pulse.beat()
                    await self._take_free(connection, holder)
                    await self._measure(connection)
                    await _sleep(_LOOK_EVERY, stop)
            finally:
                await self._end_all()

    async def _measure(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Show now and then how all accounts stand, those of other workers, too."""
        now = asyncio.get_running_loop().time()
        if now - self._measured_at >= _MEASURE_EVERY:
            gauges.show(await overviews(connection, None))
            self._measured_at = now

    async def _take_free(self, connection: psycopg.AsyncConnection[Any], holder: int) -> None:
        connected = await store.accounts(connection)
        for account, reading in [*self._readings.items()]:
            if reading.task.done() or connected.get(account) != reading.key:
                await self._end(account)
        await self._follow_feeds(await feeds.keys(connection))
        for account, key in connected.items():
            if account in self._readings:
                continue
            lease = await store.take_lease(connection, account, holder)
            if lease is not None:
                hinted = asyncio.Event()
                task = asyncio.create_task(self._read(lease, key, hinted))
                self._readings[account] = _Reading(key, task, hinted)

    def _wake(self, notice: psycopg.Notify) -> None:
        """Let the account's reader look now."""
        if (reading := self._readings.get(notice.payload)) is not None:
            reading.hinted.set()

    async def _follow_feeds(self, keys: Mapping[str, bytes]) -> None:
        """Follow the feeds of the accounts that this worker reads, as far as they have one."""
        for account, following in [*self._followings.items()]:
            known = keys.get(account) if account in self._readings else None
            if following.task.done() or known != following.key:
                await _ended(account, self._followings.pop(account))
        for account in self._readings.keys() & keys.keys() - self._followings.keys():
            task = asyncio.create_task(self._follow(account, keys[account]))
            self._followings[account] = _Reading(keys[account], task, asyncio.Event())

    async def _end_all(self) -> None:
        for account in [*self._readings]:
            await self._end(account)

    async def _end(self, account: str) -> None:
        if (following := self._followings.pop(account, None)) is not None:
            await _ended(account, following)
        await _ended(account, self._readings.pop(account))

    async def _read(self, lease: store.Lease, encrypted: bytes, hinted: asyncio.Event) -> None:
        """Read one account until it is taken away."""
        try:
            key = self._box.decrypt(encrypted)
            address = api_address(lease.account, self._environment.salesbinder_api_url)
        except (SecretKeyError, ValueError) as error:
            log.error("an account cannot be read", account=lease.account, error=str(error))
            await asyncio.sleep(_IDLE_LONGEST)
            return
        arguments = self._environment.psycopg("sbx-source")
        async with (
            await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as connection,
            await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as beside,
            Client(address, key) as client,
        ):
            reader = Reader(connection, lease, client, self._publish, encrypted)
            reconciler = Reconciler(beside, lease, client)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(_keep_reading(lease.account, reader, hinted))
                    both.create_task(_keep_reconciling(reconciler))
            except* (LeaseLost, KeyChanged):
                pass

    async def _follow(self, account: str, encrypted: bytes) -> None:
        """Follow one account's feed until it is taken away."""
        arguments = self._environment.psycopg("sbx-source-feed")
        try:
            key = self._box.decrypt(encrypted)
            client = Client(feed_address(account, self._environment.salesbinder_api_url), key, is_bearer=True)
        except (SecretKeyError, ValueError) as error:
            log.error("the change feed cannot be followed", account=account, error=str(error))
            await asyncio.sleep(_AFTER_FEED_TROUBLE)
            return
        async with (
            await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as connection,
            client,
        ):
            follower = Follower(connection, account, SyncFeed(client), encrypted)
            while (wait := await follower.turn()) is not None:  # noqa: ASYNC110 - SalesBinder is asked
                await asyncio.sleep(wait)


async def _keep_reading(account: str, reader: Reader, hinted: asyncio.Event) -> None:
    while True:
        hinted.clear()
        try:
            idle = await reader.turn()
        except KafkaError as error:
            log.warning("events wait for Kafka", account=account, problem=repr(error))
            idle = _IDLE_LONGEST
        await _sleep(min(idle, _IDLE_LONGEST), hinted)


async def _keep_reconciling(reconciler: Reconciler) -> None:
    while True:
        idle = await reconciler.turn()
        await asyncio.sleep(min(idle, _IDLE_LONGEST))


async def _ended(account: str, reading: _Reading) -> None:
    """End a task, and log why it had ended by itself, if it had."""
    task = reading.task
    task.cancel()
    await asyncio.wait({task})
    error = None if task.cancelled() else task.exception()
    # Of the database's own trouble the worker's session tells, once for all accounts.
    if error is not None and not _of_the_database(error):
        log.error("reading an account broke off", account=account, exc_info=error)


def _of_the_database(error: BaseException) -> bool:
    """Return True if everything that went wrong is trouble of the database itself."""
    if isinstance(error, BaseExceptionGroup):
        return all(_of_the_database(one) for one in error.exceptions)
    return about_the_database(error)


def run(environment: Environment) -> int:
    """Read accounts in this process, in the main thread, until SIGTERM or SIGINT; return the exit code."""
    configure_logging(stage="source")
    return uvloop.run(_run(environment))


async def _run(environment: Environment) -> int:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    try:
        pulse = Pulse("source", environment)
        if environment.metrics_port is not None:
            pulse.serve()

        def waits(why: str) -> None:
            pulse.beat()
            pulse.waits_for = f"Kafka cannot be reached: {why}" if why else ""

        async with publisher(environment, stop, waits) as publish:
            await Worker(environment, publish, pulse).run(stop)
    except Stopped:
        return 0
    except (InvalidEnvironment, SecretKeyError, KafkaError) as error:
        log.error("the reader of SalesBinder cannot work", problem=str(error))
        return 1
    return 0


async def _sleep(seconds: float, until: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), seconds)
