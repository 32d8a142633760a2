"""The product's own reader against the fake SalesBinder, whose answers are late, broken or missing."""

import pytest

from sandbox.fake_salesbinder import Switches
from sources.diff.look import Shrunk
from tests.unit.sources.faults import FaultyMeeting
from tests.unit.sources.test_meeting import TABLE, assert_books_are_the_shop


@pytest.mark.parametrize(("switches", "seed"), TABLE[::6])
def test_through_faults_each_change_is_published_once_and_nothing_else_is(
    switches: Switches, seed: int
) -> None:
    shrunk: Shrunk = "refund" if seed % 2 else "correction"
    meeting = FaultyMeeting(switches, seed, shrunk)
    meeting.look()
    for _ in range(30):
        meeting.act()
        for _ in range(meeting.chance.choice([0, 1, 2])):
            meeting.misbehave(times=2, skip=12)
        meeting.look()
    meeting.settle()
    assert meeting.told() == meeting.visible()
    assert_books_are_the_shop(meeting)
    assert sum(meeting.struck.values()) > 10


@pytest.mark.parametrize(("switches", "seed"), TABLE[5::14])
def test_through_faults_the_schedule_finds_hundreds_of_changes(switches: Switches, seed: int) -> None:
    meeting = FaultyMeeting(switches, seed + 1000)
    meeting.read_by_schedule(acts=150)
    assert sum(change.is_event for change in meeting.shop.truth.history) > 100
    assert sum(meeting.struck.values()) > 30
    assert_books_are_the_shop(meeting)
    told = len(meeting.reader.told)
    meeting.settle()
    assert len(meeting.reader.told) == told
