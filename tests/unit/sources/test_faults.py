"""The product's own reader against the fake SalesBinder, whose answers are late, broken or missing."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.commands import Command
from contracts.events.reader import read_event
from contracts.money import to_cents
from mappers.commands import to_command
from mappers.totals import totals
from sandbox.fake_salesbinder import Switches
from sources.diff.look import Shrunk
from sources.events import HEADERS
from tests.unit.sources.faults import FaultyMeeting
from tests.unit.sources.meeting import START
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
    assert_commands_are_the_shop(meeting)
    assert sum(meeting.struck.values()) > 10


@pytest.mark.parametrize(("switches", "seed"), TABLE[5::14])
def test_through_faults_the_schedule_finds_hundreds_of_changes(switches: Switches, seed: int) -> None:
    meeting = FaultyMeeting(switches, seed + 1000)
    meeting.read_by_schedule(acts=150)
    assert sum(change.is_event for change in meeting.shop.truth.history) > 100
    assert sum(meeting.struck.values()) > 30
    assert_books_are_the_shop(meeting)
    assert_commands_are_the_shop(meeting)
    told = len(meeting.reader.told)
    meeting.settle()
    assert len(meeting.reader.told) == told


@pytest.mark.parametrize(("switches", "seed"), TABLE[9::14])
def test_through_pages_that_always_fail_the_schedule_finds_hundreds_of_changes(
    switches: Switches, seed: int
) -> None:
    """As long as some records make each page fail, all others are told; then these are, too."""
    meeting = FaultyMeeting(switches, seed + 2000)
    meeting.read_by_schedule(acts=150, cursed=4)
    assert meeting.struck["cursed"] > 30
    assert_books_are_the_shop(meeting)
    assert_commands_are_the_shop(meeting)
    told = len(meeting.reader.told)
    meeting.settle()
    assert len(meeting.reader.told) == told


def assert_commands_are_the_shop(meeting: FaultyMeeting) -> None:
    """What the pipeline reads from the events is the shop to the cent: net, taxes, total, what is kept."""
    commands: dict[str, list[Command]] = defaultdict(list)
    for event in meeting.reader.told:
        command = to_command(read_event(event.topic, event.key, event.value, HEADERS), event.topic, 0, 0)
        commands[command.record_id].append(command)
    silent, compared = meeting.without_money(), 0
    for paper in meeting.shop.truth.documents.values():
        own = commands[paper.id]
        if not own or paper.archived or paper.deleted or paper.kind == "estimate":
            continue
        document = next(each.document for each in reversed(own) if each.action in ("created", "edited"))
        assert document is not None
        found = totals(document)
        assert (found.subtotal, found.tax + found.tax2) == (to_cents(paper.net), to_cents(paper.tax))
        assert document.number == str(paper.number)
        if paper.id not in silent:
            assert _kept(own) == paper.net_paid
        compared += 1
    assert compared > 1


def _kept(commands: list[Command]) -> Decimal:
    """Return what stands of an invoice's payments, less what was paid out."""
    standing: dict[tuple[str, str], Decimal] = {}
    for command in commands:
        if command.action == "reset":
            standing.clear()
        elif command.transaction is not None:
            sign = 1 if command.action == "payment_applied" else -1
            standing[command.action, command.transaction.transaction_id] = sign * command.transaction.amount
    return sum(standing.values(), Decimal(0))


@pytest.mark.parametrize("seconds", [5400, -5400])
def test_a_clock_that_is_wrong_in_the_first_answer_hides_nothing(seconds: int) -> None:
    meeting = FaultyMeeting(Switches(), 3)
    meeting.keeper.run(20)
    meeting.world.faults.add("clock_off", seconds=seconds, times=1)
    meeting.reader.run_until(START + timedelta(minutes=13))
    before = {each.record_id for each in meeting.shop.truth.history}
    meeting.keeper.run(20)
    meeting.look()
    new = meeting.visible().keys() - before
    assert len(new) > 3
    assert all(meeting.told()[record_id] for record_id in new)
