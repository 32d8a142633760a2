"""The reader against the fake SalesBinder, under every row of the table in which all settings meet in pairs.

The fake was written from the facts, and its truth is noted apart from what its API shows.
"""

import random
from datetime import timedelta

import pytest

from sandbox.fake_salesbinder import Switches, acts, all_pairs
from sandbox.fake_salesbinder.switches import switches as set_to
from sources.diff.look import Shrunk
from sources.schedule.questions import Question
from tests.unit.sources.meeting import START, Encounter, Meeting
from tests.unit.sources.truth import untrue

TABLE = [pytest.param(row, number, id=str(number)) for number, row in enumerate(all_pairs())]


@pytest.mark.parametrize(("switches", "seed"), TABLE)
def test_each_change_that_can_be_published_is_published_once_and_nothing_else_is(
    switches: Switches, seed: int
) -> None:
    shrunk: Shrunk = "refund" if seed % 2 else "correction"
    meeting = Meeting(switches, seed, shrunk)
    meeting.look()
    for _ in range(50):
        meeting.act()
        meeting.look()
    assert meeting.told() == meeting.visible()
    assert_books_are_the_shop(meeting)


@pytest.mark.parametrize(("switches", "seed"), TABLE)
def test_however_seldom_one_looks_the_books_become_the_shop(switches: Switches, seed: int) -> None:
    meeting, chance = Meeting(switches, seed + 100), random.Random(seed)
    meeting.look()
    for _ in range(100):
        meeting.act()
        if chance.random() < 0.1:
            meeting.look()
    meeting.look()
    assert_books_are_the_shop(meeting)
    told = len(meeting.reader.told)
    meeting.look()
    assert len(meeting.reader.told) == told


@pytest.mark.parametrize(("switches", "seed"), TABLE[::3])
def test_the_schedule_finds_all_in_its_own_time_and_is_never_blocked(switches: Switches, seed: int) -> None:
    meeting, chance = Meeting(switches, seed + 200), random.Random(seed)
    meeting.reader.run_until(START + timedelta(minutes=2))
    for _ in range(60):
        meeting.act()
        meeting.reader.run_until(meeting.reader.now + timedelta(seconds=chance.choice([0, 5, 60])))
    # A week passes: each sweep and each deep read has come.
    meeting.reader.now += timedelta(days=8)
    meeting.reader.run_until(meeting.reader.now + timedelta(minutes=25))
    assert_books_are_the_shop(meeting)


@pytest.mark.parametrize(("switches", "seed"), [*TABLE[1::8], TABLE[13], TABLE[14], TABLE[22]])
def test_a_shop_that_changes_between_any_two_answers_is_told_whole(switches: Switches, seed: int) -> None:
    meeting, chance = Meeting(switches, 777 * 2 + seed), random.Random(seed)
    meeting.keeper.pause = 3
    end = START + timedelta(minutes=8)

    def answering(asked: Question) -> tuple[int, bytes]:
        answer = meeting.answer(asked)
        for _ in range(chance.choice([0, 0, 1, 3]) if meeting.reader.now < end else 0):
            meeting.act()
        return answer

    meeting.reader.run_until(START + timedelta(seconds=10))
    meeting.reader.answering = answering
    meeting.reader.run_until(end)
    meeting.reader.now += timedelta(days=8)
    meeting.reader.run_until(meeting.reader.now + timedelta(minutes=25))
    assert_books_are_the_shop(meeting)


@pytest.mark.parametrize("hints", [False, True])
def test_a_payment_returned_in_full_between_two_looks_is_found_though_no_list_shows_it(hints: bool) -> None:
    still = {"payment_moves_modified": "no", "refund_moves_modified": "no", "refund": "negative_row"}
    meeting = Meeting(set_to(still), 1)
    meeting.reader.run_until(START + timedelta(minutes=3))
    customer = acts.create_party(meeting.shop, "customer", name="Widgets & Co")
    invoice = acts.create_document(meeting.shop, "invoice", customer, [{"name": "A", "price": 100}])
    meeting.reader.run_until(START + timedelta(minutes=10))
    acts.refund(meeting.shop, invoice, acts.pay(meeting.shop, invoice, 100))
    if hints:
        meeting.reader.hint([invoice])
        meeting.reader.run_until(meeting.reader.now + timedelta(seconds=5))
    else:
        meeting.reader.run_until(meeting.reader.now + timedelta(hours=1))
        assert meeting.told()[invoice] == [("invoice.created", None)]
        meeting.reader.now += timedelta(hours=24)
        meeting.reader.run_until(meeting.reader.now + timedelta(minutes=5))
    assert meeting.told() == meeting.visible()
    assert [kind for kind, _ in meeting.told()[invoice]][1:] == [
        "invoice.payment_applied",
        "invoice.refund_applied",
    ]


@pytest.mark.parametrize("kind", ["invoice", "customer"])
def test_what_is_archived_and_still_in_lists_is_not_asked_for_over_and_over(kind: str) -> None:
    shown = {"archived_in_lists": "shown", "archived_detail": "404", "account_rows": "partial"}
    meeting = Meeting(set_to(shown), 1)
    meeting.reader.run_until(START + timedelta(minutes=3))
    customer = acts.create_party(meeting.shop, "customer", name="Widgets & Co")
    invoice = acts.create_document(meeting.shop, "invoice", customer, [{"name": "A", "price": 100}])
    meeting.reader.run_until(START + timedelta(minutes=10))
    acts.archive(meeting.shop, invoice if kind == "invoice" else customer)
    meeting.reader.run_until(meeting.reader.now + timedelta(minutes=80))
    before = len(meeting.reader.sent)
    meeting.reader.run_until(meeting.reader.now + timedelta(hours=1))
    assert sum(why in ("changed", "again") for _, why in meeting.reader.sent[before:]) <= 5
    acts.unarchive(meeting.shop, invoice if kind == "invoice" else customer)
    acts.edit_document(meeting.shop, invoice, name="Spring order")
    meeting.reader.run_until(meeting.reader.now + timedelta(minutes=10))
    assert meeting.told() == meeting.visible()


def test_a_hint_of_what_nobody_knows_costs_two_calls_and_tells_nothing() -> None:
    meeting = Meeting(Switches(), 1)
    meeting.reader.run_until(START + timedelta(minutes=3))
    meeting.reader.hint(["5d0e2d2c-5a83-4f4e-9a52-0b8b8f7c1c11"])
    meeting.reader.run_until(meeting.reader.now + timedelta(hours=2))
    assert sum(why in ("hint", "again") for _, why in meeting.reader.sent) == 2
    assert (meeting.told(), meeting.reader.problems) == ({}, [])


def assert_books_are_the_shop(meeting: Encounter) -> None:
    assert untrue(meeting) == []
