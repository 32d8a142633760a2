"""A held account goes on when its hold is over, though no notification of that arrives."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from connections import store
from sinks.lanes import runner as module
from sinks.lanes.runner import LaneRunner
from tests.unit.sinks.quiet_lane import CONNECTED_AT, connected, database_has, quiet_runner

HELD = {
    "paused": connected(paused_reason="stocktaking"),
    "lost": connected(status="lost", status_reason="invalid_client"),
}
OVER = connected(connected_at=CONNECTED_AT + timedelta(days=1))


async def resting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: store.Connection | None
) -> LaneRunner:
    """A runner that has nothing to do, and looks again every hundredth of a second."""
    monkeypatch.setattr(module, "_IDLE_POLL", 0.01)
    runner = quiet_runner(tmp_path, monkeypatch, connected())
    runner.lane.session.connection = held
    database_has(runner, held)

    async def nothing(*_: object) -> None:
        return

    async def nobody_asks() -> Mapping[str, list[str]]:
        return {"facts": []}

    monkeypatch.setattr(runner.lane, "announce", nothing)
    monkeypatch.setattr(runner.lane, "fail_all", nothing)
    monkeypatch.setattr(runner, "_requests", nobody_asks)
    return runner


@pytest.mark.parametrize("held", [*HELD, "not connected"])
async def test_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str) -> None:
    runner = await resting(tmp_path, monkeypatch, HELD.get(held))
    await runner._turn()
    assert runner.lane.session.connection == HELD.get(held)
    database_has(runner, OVER)
    await asyncio.sleep(0.02)

    async def goes_on() -> bool:
        runner.stop()  # here the work begins, which needs a database
        return False

    monkeypatch.setattr(runner, "_facts_ready", goes_on)
    await runner._turn()
    assert runner.lane.session.connection == OVER
    assert runner._stop.is_set()


async def test_an_account_at_work_is_not_read_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = await resting(tmp_path, monkeypatch, connected())
    database_has(runner, OVER)
    await asyncio.sleep(0.02)

    async def not_yet() -> bool:
        return False

    monkeypatch.setattr(runner, "_facts_ready", not_yet)
    await runner._turn()
    assert runner.lane.session.connection == connected()
