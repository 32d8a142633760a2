"""A lane that waits for Xero's limits before it reads the organisation still ends and sees changes."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from sinks.lanes import runner as module
from sinks.lanes.lane import Lane
from sinks.lanes.organisation import ask
from sinks.lanes.runner import LaneRunner
from sinks.lanes.single_get import NotNow
from sinks.xero.call_guard import machine_seconds
from tests.unit.sinks.quiet_lane import connected, quiet_runner

DAY = 86_400.0
SOON = 240.0
"""Seconds, of which a lane that waits for its next look takes one."""


@pytest.fixture
async def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LaneRunner:
    return quiet_runner(tmp_path, monkeypatch, connected(paused_reason="stocktaking"))


async def test_a_day_is_not_waited_for(runner: LaneRunner) -> None:
    runner.lane.budget.close_all(machine_seconds(), DAY, "xero_day_limit")
    async with asyncio.timeout(SOON):
        with pytest.raises(NotNow):
            await ask(runner.lane)


async def test_a_minute_is_waited_for_until_the_lane_is_to_end(runner: LaneRunner) -> None:
    runner.lane.budget.close_all(machine_seconds(), 60.0, "xero_minute_limit")
    asking = asyncio.create_task(ask(runner.lane))
    await asyncio.sleep(0.05)
    assert not asking.done()
    runner.stop()
    async with asyncio.timeout(SOON):
        with pytest.raises(NotNow):
            await asking


async def test_no_call_is_begun_once_the_lane_is_to_end(runner: LaneRunner) -> None:
    runner.stop()
    async with asyncio.timeout(SOON):
        with pytest.raises(NotNow):
            await ask(runner.lane)


async def test_what_somebody_asked_stays_open(runner: LaneRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked() -> Mapping[str, list[str]]:
        return {"facts": ["1"]}

    async def not_now(_lane: Lane) -> None:
        raise NotNow("Xero's limits are used up")

    monkeypatch.setattr(runner, "_requests", asked)
    monkeypatch.setattr(module, "ask", not_now)
    assert not await runner._facts_ready()  # without a statement that answers: there is no database
