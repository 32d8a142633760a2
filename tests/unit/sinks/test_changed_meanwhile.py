"""What operators change while a lane waits for Xero is acted on afterwards, not taken for known."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connections import store
from connections.facts import OrganisationFacts
from sinks.lanes.lane import ConcurrentChange, Lane
from sinks.lanes.runner import LaneRunner
from tests.unit.sinks.quiet_lane import CONNECTED_AT, FACTS, connected, database_has, quiet_runner

Start = Callable[[store.Connection], LaneRunner]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    return lambda kept: quiet_runner(tmp_path, monkeypatch, kept)


async def asked_while(
    runner: LaneRunner, monkeypatch: pytest.MonkeyPatch, changed: store.Connection, *, ours: bool = True
) -> None:
    """The organisation is read; ``changed`` is committed before the facts are kept, and announced."""
    fresh = replace(FACTS, fetched_at=FACTS.fetched_at + timedelta(hours=1))

    async def kept(*_: Any) -> bool:
        database_has(runner, replace(changed, facts=fresh))
        return ours

    monkeypatch.setattr(store, "save_facts", kept)
    await runner.lane.save_facts(fresh)
    found = runner.lane.session.connection
    assert found is not None and found.facts == fresh
    await runner._reload()


async def test_an_account_that_is_resumed_meanwhile_is_not_paused_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = start(connected(paused_reason="20 actions in a row failed"))
    runner.lane.state.breaker.why = "20 actions in a row failed"
    await asked_while(runner, monkeypatch, connected())
    assert runner.lane.state.breaker.why == ""


async def test_an_account_that_is_resumed_as_soon_as_it_pauses_itself_goes_on(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = start(connected())
    runner.lane.state.breaker.why = "20 actions in a row failed"

    async def paused_and_resumed(*_: Any, **__: Any) -> bool:
        return True  # what is read afterwards is not paused

    monkeypatch.setattr(store, "pause", paused_and_resumed)
    await runner._pause(runner.lane.state.breaker.why)
    assert runner.lane.state.breaker.why == ""


async def test_a_connection_that_is_made_again_meanwhile_is_not_lost(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = start(connected())
    runner.lane.state.lost = "invalid_client"
    await asked_while(runner, monkeypatch, connected(connected_at=CONNECTED_AT + timedelta(days=1)))
    assert runner.lane.state.lost is None


async def test_what_was_planned_by_earlier_settings_is_dropped(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = start(connected())
    dropped = []
    monkeypatch.setattr(runner.lane.queue, "drop", lambda: dropped.append(True))
    await asked_while(runner, monkeypatch, connected(written={"sales_account": "210"}))
    assert dropped == [True]


async def test_an_account_of_another_organisation_is_given_back(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = start(connected())
    await asked_while(runner, monkeypatch, connected(tenant_id="t-2"))
    assert runner._stop.is_set()


async def test_facts_of_an_earlier_organisation_start_the_lane_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = start(connected())
    with pytest.raises(ConcurrentChange):
        await asked_while(runner, monkeypatch, connected(tenant_id="t-2"), ours=False)


async def test_calls_under_way_end_before_a_lane_leaves_an_earlier_organisation(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops as any lane does, which waits for them, and does not break off."""
    runner = start(connected())

    async def none_open() -> dict[str, list[str]]:
        return defaultdict(list)

    async def asked(_lane: Lane) -> OrganisationFacts:
        return replace(FACTS, fetched_at=FACTS.fetched_at + timedelta(hours=1))

    async def refused(*_: Any) -> bool:
        database_has(runner, connected(tenant_id="t-2"))
        return False

    monkeypatch.setattr(runner, "_requests", none_open)
    monkeypatch.setattr("sinks.lanes.runner.ask", asked)
    monkeypatch.setattr(store, "save_facts", refused)
    assert not await runner._facts_ready()
    assert runner.connection_changed
    await runner._reload()
    assert runner._stop.is_set()
