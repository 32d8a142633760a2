"""Work that is announced while a worker takes leases is looked for at once, not at the next look."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from runtime import pooling, schema
from runtime.environment import Environment
from sinks.lanes.session import Pool
from sinks.lanes.supervisor import LaneSupervisor
from sinks.ledger.intake import LANE_CHANNEL
from tests.unit.sinks.quiet_lane import NoDatabase


class Listener:
    """The worker's session: it hears of new work of ``acme`` once ``looking`` is set."""

    def __init__(self) -> None:
        self.looking = asyncio.Event()

    async def __aenter__(self) -> "Listener":
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def execute(self, *_: object) -> None:
        return

    async def notifies(self) -> AsyncIterator[psycopg.Notify]:
        await self.looking.wait()
        yield psycopg.Notify(LANE_CHANNEL, "acme", 1)
        await asyncio.Event().wait()


async def test_what_is_announced_meanwhile_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, stop = Listener(), asyncio.Event()
    looks = 0

    async def nothing(*_: object) -> None:
        return

    async def connects(*_: object, **__: object) -> Listener:
        return listener

    async def publish(_results: Sequence[tuple[str, bytes]]) -> None:
        return

    async def look() -> float:
        nonlocal looks
        looks += 1
        if looks > 1:
            stop.set()
        listener.looking.set()
        while not supervisor._wanted.is_set():  # noqa: ASYNC110 - what is announced comes while we look
            await asyncio.sleep(0)
        return 3600.0

    async def trusted(*_: object) -> bool:
        return False

    environment = Environment.read({"SBX_DATA_DIR": str(tmp_path), "SBX_DATABASE_URL": "postgresql://x/y"})
    supervisor = LaneSupervisor(
        pool=cast(Pool, NoDatabase()),
        publish=publish,
        environment=environment,
        marks=None,
        side_jobs=(),
        ask_due=nothing,
    )
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", connects)
    monkeypatch.setattr(pooling, "refuse", nothing)
    monkeypatch.setattr(schema, "check", nothing)
    monkeypatch.setattr(cast(Any, supervisor)._guard, "holds", trusted)
    monkeypatch.setattr(supervisor, "_beat", nothing)
    monkeypatch.setattr(supervisor, "_leave", nothing)
    monkeypatch.setattr(supervisor, "_divide", look)
    looking = asyncio.create_task(supervisor._while_connected(stop))
    async with asyncio.timeout(240):
        while looks < 2:  # noqa: ASYNC110 - a counter
            await asyncio.sleep(0.01)
    looking.cancel()
    await asyncio.wait({looking})
