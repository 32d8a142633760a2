"""Kafka, PostgreSQL, the fake Xero and the stages, in a directory of their own, for one benchmark."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg
from aiokafka import AIOKafkaProducer

from bench import bare
from bench.processes import StageProcess, own_environ, services_cpu
from bench.sales import ENABLED_AT, EVENTS_A_SALE, SETTINGS, Message, sale
from connections import store
from runtime.secrets import SecretBox
from sandbox import EmbeddedStack
from sandbox.fake_xero import FakeXeroServer
from sbx.migrations import migrate
from streams.broker import Broker, behind
from streams.topics import Topic, create_topics, layout

STAGES = ("transform", "deliver", "project")
_CLOCK_LOOKS = 5


class TooSlow(Exception):
    """Something did not happen in the time that is generous for it."""


class Rig:
    """A whole installation, as a context manager.

    Args:
        clock_rate: seconds of Xero's that pass per second of ours.
    """

    def __init__(self, clock_rate: float = 1.0) -> None:
        self._clock_rate = clock_rate
        self._open = ExitStack()
        self.stages: dict[str, StageProcess] = {}
        self._watching: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        with self._open:
            self.directory = Path(
                self._open.enter_context(
                    tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)
                )
            )
            self.stack = self._open.enter_context(EmbeddedStack(self.directory / "stack"))
            self.servers = self.stack.bootstrap_servers
            self.database_url = self.stack.database_url
            create_topics({"bootstrap_servers": self.servers}, (*layout(), Topic(bare.TOPIC, 12, -1)))
            migrate(self.database_url)
            self.xero = self._open.enter_context(FakeXeroServer(subprocess=True))
            self.xero.admin.set_clock(rate=self._clock_rate)
            self._open.callback(self._stop_stages)
            self._open = self._open.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def environ(self) -> dict[str, str]:
        """The variables of processes that belong to it."""
        return own_environ() | {
            "SBX_KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "SBX_DATABASE_URL": self.database_url,
            "SBX_XERO_API_URL": self.xero.api_url,
            "SBX_XERO_IDENTITY_URL": self.xero.identity_url,
            "SBX_DATA_DIR": str(self.directory / "data"),
            "SBX_CLOCK_RATE": str(self._clock_rate),
        }

    def clock_offset(self) -> float:
        """Return the difference between the fake's seconds and ``time.monotonic()``, by the quickest of some
        looks.
        """
        found: list[tuple[float, float]] = []
        for _ in range(_CLOCK_LOOKS):
            asked = time.monotonic()
            clock = self.xero.admin.clock()["seconds"]
            answered = time.monotonic()
            found.append((answered - asked, (asked + answered) / 2 - clock))
        return min(found)[1]

    # Stages

    def start(self, *stages: str) -> None:
        """Start these stages and wait until they are ready."""
        for stage in stages:
            self.stages[stage] = StageProcess(stage, self.environ, self.directory)
        for stage in stages:
            self.stages[stage].wait_until_ready()

    def _stop_stages(self) -> None:
        for process in self.stages.values():
            process.stop()

    def freeze(self) -> None:
        """Let all stages stand still; for a few seconds only."""
        for process in self.stages.values():
            process.freeze()

    def go_on(self) -> None:
        """End of ``freeze``."""
        for process in self.stages.values():
            process.go_on()

    def cpu(self) -> dict[str, float]:
        """Return the seconds of processor time used so far, by stage and service."""
        return {name: process.cpu() for name, process in self.stages.items()} | services_cpu()

    # Accounts

    def connect(self, accounts: Sequence[str], app: tuple[str, str] | None = None) -> dict[str, str]:
        """Connect each account to an organisation of its own; tenant ids by account.

        Args:
            app: id and secret of the app that connects, of the fake's default one when left out.
        """
        used = app or (self.xero.client_id, self.xero.client_secret)
        add = self.xero.admin.add_tenant
        tenants = {account: add(account, client_ids=[used[0]]) for account in accounts}
        asyncio.run(self._connect(tenants, used))
        return tenants

    async def _connect(self, tenants: dict[str, str], app: tuple[str, str]) -> None:
        (self.directory / "data").mkdir(exist_ok=True)
        box = SecretBox.open(self.directory / "data", None)
        async with await psycopg.AsyncConnection.connect(self.database_url) as connection:
            for account, tenant_id in tenants.items():
                await store.save_connection(
                    connection,
                    account=account,
                    tenant_id=tenant_id,
                    tenant_name=account,
                    client_id=app[0],
                    client_secret_encrypted=box.encrypt(app[1]),
                    actor="bench",
                    enabled_at=ENABLED_AT,
                )
                await store.set_settings(connection, account, SETTINGS, "bench")

    def pause(self, account: str) -> None:
        """Hold the account."""
        asyncio.run(self._switch(account, pause=True))

    def resume(self, account: str) -> None:
        """Let the account go on."""
        asyncio.run(self._switch(account, pause=False))

    async def _switch(self, account: str, *, pause: bool) -> None:
        async with await psycopg.AsyncConnection.connect(self.database_url) as connection:
            if pause:
                await store.pause(connection, account, actor="bench", reason="benchmark")
            else:
                await store.resume(connection, account, actor="bench")

    def warm_up(self, accounts: Iterable[str], seconds: float = 60) -> None:
        """Send one sale of each account all the way: tokens, facts and items are there, code is loaded."""
        names = list(accounts)
        self.publish([message for account in names for message in sale(account, 1)])
        self.wait_until_completed(EVENTS_A_SALE * len(names), seconds)
        self.xero.admin.reset_counters()

    # What goes in and what comes out

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish; returns when the broker has stored all."""
        asyncio.run(send(self.servers, [(m.topic, m.key, m.value, m.headers) for m in messages]))

    def wait_until_completed(self, count: int, seconds: float) -> None:
        """Wait until the log shows that many entries as completed. Raises TooSlow, or when an entry
        failed.
        """

        def all_there() -> bool:
            states = dict(self.query("SELECT state, sum(entries) FROM integrations_log.tally GROUP BY state"))
            if states.get("failed"):
                rows = self.query("SELECT reason FROM integrations_log.entry WHERE state = 'failed' LIMIT 1")
                raise RuntimeError(f"an entry has failed: {rows[0][0]}")
            return int(states.get("completed", 0)) >= count

        self.wait(all_there, f"{count} entries completed", seconds)

    def wait(self, holds: Callable[[], bool], what: str, seconds: float, every: float = 0.1) -> None:
        """Wait until it holds, while all stages run. Raises TooSlow."""
        give_up = time.monotonic() + seconds
        while not holds():
            for process in self.stages.values():
                process.check()
            if time.monotonic() > give_up:
                raise TooSlow(f"not in {seconds:.0f} s: {what}")
            time.sleep(every)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Return rows of a query."""
        if self._watching is None:
            # Kept open: to log in ten times a second would cost what is measured more than the query.
            self._watching = self._open.enter_context(psycopg.connect(self.database_url, autocommit=True))
        return self._watching.execute(statement.encode()).fetchall()

    def count(self, table: str) -> int:
        """Return rows of a table of the product."""
        return int(self.query(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - names of our own

    def wait_until_committed(self, group: str, topics: Sequence[str], seconds: float) -> None:
        """Wait until the consumer group has committed everything that these topics hold. Raises TooSlow."""
        with Broker({"bootstrap_servers": self.servers}) as broker:
            ends = broker.ends(topics)
            self.wait(lambda: not behind(ends, broker.committed(group), {}), f"{group} has read all", seconds)


async def send(
    servers: str, messages: Iterable[tuple[str, bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]]
) -> list[Any]:
    """Store messages on the broker; where each is: ``topic``, ``partition``, ``offset``."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, linger_ms=5, max_batch_size=262_144)
    await producer.start()
    try:
        stored = [
            await producer.send(topic, value, key, headers=list(headers) or None)
            for topic, key, value, headers in messages
        ]
        return await asyncio.gather(*stored)
    finally:
        await producer.stop()
