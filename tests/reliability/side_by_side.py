"""Several workers of each stage, side by side on one broker and one database, for accounts whose events are
published as a publisher does it.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from kafka import KafkaProducer, TopicPartition

from bench.processes import StageProcess
from contracts.events.reader import event_to_kafka
from contracts.results import EntryResult
from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from streams import StageName
from streams.broker import Broker, Offsets, behind
from streams.topics import COMMANDS, RESULTS, TOPICS_OF, create_topics, group_of
from tests.integration.sinks.shops import PATIENCE, Shop
from tests.reliability.crashing import variables

STAGES = tuple(TOPICS_OF)
_PAUSE = 0.1


class Workers:
    """So many processes of each stage, as a context manager; makes accounts as ``Office`` does."""

    def __init__(
        self, kafka: str, environment: Environment, xero: FakeXeroServer, logs: Path, each: int
    ) -> None:
        self._arguments = {"bootstrap_servers": kafka}
        self._environment = environment
        self._xero = xero
        self._logs = logs
        self._each = each
        self._processes: list[StageProcess] = []
        self.seen: set[int] = set()
        """Holders of leases, as they were seen."""

    def __enter__(self) -> Self:
        create_topics(self._arguments)
        self._producer = KafkaProducer(**self._arguments)
        self._broker = Broker(self._arguments)
        environ = variables(self._environment) | {
            "SBX_KAFKA_BOOTSTRAP_SERVERS": self._arguments["bootstrap_servers"],
            "SBX_CLOCK_RATE": str(self._environment.clock_rate),
        }
        try:
            for number, stage in ((n, stage) for n in range(self._each) for stage in STAGES):
                self._processes.append(StageProcess(stage, environ, self._logs, f"{stage}-{number}"))
            for process in self._processes:
                process.wait_until_ready(PATIENCE)
            self._join()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.check()
        self._close()

    def _close(self) -> None:
        for process in self._processes:
            process.stop()
        self._broker.close()
        self._producer.close()

    def _join(self) -> None:
        """Until each worker is a member of its group, and the group has divided its partitions."""
        until = time.monotonic() + PATIENCE
        groups = {stage: group_of(stage) for stage in STAGES}
        while groups:
            assert time.monotonic() < until, f"these have not joined: {groups}"
            found = {stage: self._broker.group(name) for stage, name in groups.items()}
            groups = {s: groups[s] for s, g in found.items() if g.members < self._each or not g.assigned}
            time.sleep(_PAUSE)

    def new_shop(self, **organisation: Any) -> "PublishedShop":
        """An account and an organisation of its own, not connected yet."""
        account = f"shop-{uuid.uuid4().hex[:8]}"
        tenant_id = self._xero.admin.add_tenant(account, **organisation)
        return PublishedShop(account, self._environment, self._xero, tenant_id=tenant_id, workers=self)

    async def publish(self, events: Sequence[Mapping[str, Any]]) -> Offsets:
        """Publish; up to where the topics must be read until all of it is done."""
        return await asyncio.to_thread(self._publish, events)

    def _publish(self, events: Sequence[Mapping[str, Any]]) -> Offsets:
        ends: dict[TopicPartition, int] = {}
        futures = []
        for event in events:
            topic, key, value, headers = event_to_kafka(event)
            futures.append(self._producer.send(topic, key=key, value=value, headers=list(headers)))
        for stored in (future.get(PATIENCE) for future in futures):
            partition = TopicPartition(stored.topic, stored.partition)
            ends[partition] = max(ends.get(partition, 0), stored.offset + 1)
        return ends

    async def taken_in(self, ends: Offsets) -> None:
        """Until what was published before these offsets has been through transform and intake."""
        await self._wait(lambda: self._has_read("transform", ends), "transform has read all")
        commands = await asyncio.to_thread(self._broker.ends, [COMMANDS])
        await self._wait(lambda: self._has_read("deliver", commands), "deliver has read all")

    async def projected(self) -> None:
        """Until all that is on its way to the log is there."""
        results = await asyncio.to_thread(self._broker.ends, [RESULTS])
        await self._wait(lambda: self._has_read("project", results), "project has read all")

    def _has_read(self, stage: StageName, ends: Offsets) -> bool:
        return not behind(ends, self._broker.committed(group_of(stage)), {})

    async def _wait(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not await asyncio.to_thread(holds):
                    for process in self._processes:
                        process.check()
                    await asyncio.sleep(_PAUSE)
        except TimeoutError as error:
            raise AssertionError(f"not in {PATIENCE:.0f} s: {what}") from error


@dataclass
class PublishedShop(Shop):
    """An account whose events go through the topics, and whose log is the one that people see."""

    workers: Workers = field(kw_only=True)

    async def send(self, *events: dict[str, Any]) -> None:
        """Publish the events, and wait until their commands are in the ledger; of those that it knew before,
        until they have been looked at.
        """
        ids = list({self.command_id(event) for event in events})
        known = await self._known(ids)
        ends = await self.workers.publish(events)
        async with asyncio.timeout(PATIENCE):
            while await self._known(ids) < len(ids):  # noqa: ASYNC110 - the ledger is a table
                await asyncio.sleep(_PAUSE)
        if known:
            await self.workers.taken_in(ends)

    async def _known(self, ids: list[str]) -> int:
        [row] = await self.rows(_KNOWN, ids)
        self.workers.seen.update(row["holders"] or ())
        return int(row["known"])

    async def told(self) -> list[EntryResult]:
        """The log's entries, once it has been told all."""
        await super().told()
        await self.workers.projected()
        rows = await self.rows(_SHOWN, self.account)
        return [EntryResult(**row) for row in rows]


_KNOWN = """
SELECT count(*) AS known, (SELECT array_agg(holder) FROM ledger.leases WHERE expires_at > now()) AS holders
FROM ledger.commands WHERE command_id = ANY(%s::uuid[])
"""
_SHOWN = """
SELECT entry_id, version, account, entity, record_id, action, state, queued_at, outcome, reason_code
FROM integrations_log.entry WHERE account = %s
"""
