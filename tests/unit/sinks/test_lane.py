"""How often a lane asks the database, and for what."""

import asyncio
from typing import Any

import pytest

from sinks.lanes.lane import Lane
from sinks.lanes.recovery import recover
from sinks.ledger import store as ledger
from sinks.ledger.store import Lease
from tests.unit.sinks.recording import Recording, contacts_sent, new_lane


def loaded(lane: Lane) -> None:
    asyncio.run(lane.load())


def due(found: bool) -> dict[str, Any]:
    return {"anything_due": lambda _: [{"due": found}]}


def test_a_lane_with_nothing_to_do_locks_nothing() -> None:
    asked = Recording(due(False))
    lane = new_lane(asked)
    lane.more, lane.more_turn = True, ledger.LAST_TURN
    loaded(lane)
    assert asked.asked == ["anything_due"]
    assert (lane.more, lane.more_turn, asked.autocommit) == (False, ledger.LIVE, False)


def test_what_may_be_due_is_taken_up_under_the_lock_of_the_lease() -> None:
    asked = Recording(due(True))
    loaded(new_lane(asked))
    assert asked.asked == ["anything_due", "BEGIN", "check_fence", "ready", "COMMIT"]


def test_a_lane_with_something_in_hand_does_not_ask_first() -> None:
    asked = Recording()
    lane = new_lane(asked)
    contacts_sent(lane, range(1))
    loaded(lane)
    assert asked.asked == ["BEGIN", "check_fence", "ready", "COMMIT"]
    assert asked.given["ready"]["held"] == lane.queue.command_ids


def test_a_lane_that_lost_its_account_takes_nothing_up() -> None:
    asked = Recording(due(True) | {"check_fence": lambda _: []})
    with pytest.raises(ledger.LeaseLost):
        loaded(new_lane(asked))
    assert "ready" not in asked.asked


def test_the_lease_that_is_checked_is_its_own() -> None:
    asked = Recording(due(True))
    loaded(new_lane(asked))
    assert asked.given["check_fence"] == Lease("acme", 1, 1).parameters()


def test_a_take_over_with_no_call_in_progress_looks_for_no_elements() -> None:
    asked = Recording()
    assert asyncio.run(recover(new_lane(asked))) == []
    assert asked.asked == ["BEGIN", "check_fence", "unanswered", "running", "COMMIT"]
