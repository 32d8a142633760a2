"""What is said of a document that is watched while somebody acts on it; nothing of the shop's is."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.fake_salesbinder import acts
from sandbox.fake_salesbinder.shop import Shop
from sandbox.fake_salesbinder.switches import switches
from sources.probing import watcher
from sources.probing.measured import Measured
from sources.probing.measured import findings as measured
from sources.probing.questions import OPEN, PARTS, Finding, not_learnt
from sources.probing.report import report
from sources.probing.watcher import NotFound, Watcher
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from sources.schedule.trust import Evidence
from tests.unit.sources.meeting import Meeting

Act = Callable[[Shop, str], Any]


class Watched:
    """An invoice, and an order, of which each act is followed by a look."""

    def __init__(self, **given: str) -> None:
        self.meeting = Meeting(switches(given), 3)
        self.meeting.world.limiter.minute = self.meeting.world.limiter.burst = 10**9
        self.shop = self.meeting.shop
        mail = "w@widgets.test"
        self.customer = acts.create_party(self.shop, "customer", name="Widgets & Co", office_email=mail)
        lines = [{"name": "Spade", "price": 100, "quantity": 2}, {"name": "Rake", "price": 55, "quantity": 1}]
        self.id = acts.create_document(self.shop, "invoice", self.customer, lines)
        self.found: list[Finding] = []
        self.told: list[str] = []
        self.watcher = Watcher(self._ask, self.found, self.told.append)
        self.look()

    async def _ask(self, question: Question) -> Answer:
        status, body = self.meeting.any_answer(question)
        return Answer(status, body, self.meeting.world.clock.now(), None)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.meeting.reader.now += timedelta(seconds=3)
            asyncio.run(self.watcher.look(self.id))

    def after(self, act: Act) -> "Watched":
        act(self.shop, self.id)
        self.look()
        return self

    def answers(self) -> dict[tuple[int, str], str]:
        return {(each.number, each.part): each.answer for each in self.found if each.part}

    def pay_twice(self) -> "Watched":
        self.after(lambda shop, one: acts.pay(shop, one, 50, reference="Cash 77"))
        return self.after(lambda shop, one: acts.pay(shop, one, 25))


def _return_one(shop: Shop, one: str) -> None:
    payment = next(iter(shop.truth.documents[one].payments))
    acts.refund(shop, one, payment, 20 if shop.switches.refund == "row_shrinks" else 50)


@pytest.mark.parametrize(
    ("given", "act", "part", "said"),
    [
        (
            {"payment_moves_modified": "yes"},
            lambda shop, one: acts.pay(shop, one, 10),
            "a payment",
            r"moved by \+",
        ),
        (
            {"payment_moves_modified": "no"},
            lambda shop, one: acts.pay(shop, one, 10),
            "a payment",
            "did not move",
        ),
        ({}, acts.send_document, "sending", "modified "),
        ({}, acts.cancel_document, "cancelling", "modified "),
    ],
)
def test_an_act_says_whether_it_moved_modified(given: dict[str, str], act: Act, part: str, said: str) -> None:
    assert re.search(said, Watched(**given).after(act).answers()[1, part])


@pytest.mark.parametrize("refund_as", ["negative_row", "row_vanishes", "row_shrinks"])
def test_a_payment_that_is_returned_says_what_became_of_transactions(refund_as: str) -> None:
    watched = Watched(refund=refund_as).pay_twice().after(_return_one)
    answers = watched.answers()
    expected = {"negative_row": "1 new below 0", "row_vanishes": "1 gone", "row_shrinks": "amount fell"}
    assert expected[refund_as] in answers[2, "after Return Payment"]
    assert (1, "Return Payment") in answers


def test_a_reset_says_what_became_of_transactions() -> None:
    answers = Watched().pay_twice().after(acts.reset).answers()
    assert "transactions: " in answers[2, "after Reset Invoice"]
    assert (1, "Reset Invoice") in answers
    assert (answers[3, "unpaid"], answers[3, "partially paid"]) == ("9 unpaid", "10 partially paid")


def test_an_edit_says_which_lines_kept_their_ids() -> None:
    def edit(shop: Shop, one: str) -> None:
        acts.edit_document(shop, one, lines=[{"name": "Spade", "price": 90, "quantity": 2}])

    watched = Watched().after(edit)
    assert "ids kept" in watched.answers()[10, "ids after an edit"]
    assert any("total_price fell" in line for line in watched.told)


def test_a_deletion_says_its_context_and_when_the_log_had_it() -> None:
    watched = Watched().after(acts.delete_document)
    watched.look(30)
    answers = watched.answers()
    assert answers[4, "the context of a deleted invoice"] == "a row with context 5"
    assert re.fullmatch(r"after \d+ s", answers[4, "seconds until it shows a deletion"])
    assert (6, "in the deletion log") not in answers


def test_an_archived_document_is_in_no_log_and_may_come_back() -> None:
    watched = Watched().after(acts.archive)
    watched.look(45)
    answers = watched.answers()
    assert answers[6, "in the deletion log"] == "no row within 40 looks"
    assert answers[6, "their details"] == "answered 404"
    assert answers[6, "in lists"] == "it is not there"
    watched.after(acts.unarchive)
    assert "modified" in watched.answers()[1, "archiving and bringing back"]


def test_an_archived_document_that_is_still_shown_is_said_to_be() -> None:
    answers = Watched(archived_detail="shown", archived_in_lists="shown").after(acts.archive).answers()
    assert answers[6, "their details"] == "it is shown, with another archived"
    assert answers[6, "in lists"] == "it is there"
    assert "modified" in answers[1, "archiving and bringing back"]


def test_a_row_of_the_log_of_a_document_that_comes_back_was_no_deletion() -> None:
    watched = Watched(archived_in_log="yes").after(acts.archive)
    watched.look(30)
    watched.after(acts.unarchive)
    assert watched.answers()[6, "in the deletion log"] == "a row, though it came back"


def test_nothing_of_the_shop_is_said() -> None:
    watched = Watched().pay_twice().after(_return_one).after(acts.send_document)
    said = "\n".join(watched.told) + report(watched.found)
    number = str(watched.shop.document(watched.id).number)
    for secret in ("Widgets", "widgets.test", "Spade", "Cash 77", "Cash", "$", watched.id, watched.customer):
        assert secret not in said
    assert number not in "\n".join(watched.told)


def test_a_number_that_no_document_has_is_not_found() -> None:
    with pytest.raises(NotFound):
        asyncio.run(Watched().watcher.watch("987654"))


def test_a_document_is_found_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "PAUSE", 3600)
    watched = Watched()

    async def watch() -> None:
        told = asyncio.Event()
        watching = asyncio.ensure_future(Watcher(watched._ask, [], lambda _: told.set()).watch(number))
        await asyncio.wait_for(told.wait(), 5)
        watching.cancel()

    number = str(watched.shop.document(watched.id).number)
    asyncio.run(watch())


# The report


def test_each_open_question_is_in_the_report_learnt_or_with_its_experiment() -> None:
    empty = report([])
    for each in OPEN:
        assert f"## {each.number}. {each.title}" in empty
    assert empty.count("not learnt: ") == len(PARTS)
    known = Measured(
        trust={"payment_applied": Evidence(moved=7, unmoved=1, run=2), "reset": Evidence(unmoved=1)},
        statuses={"invoices": frozenset({"9"})},
        problems={"sums_disagree": 2},
        trouble=("salesbinder_key_refused", "401"),
        feed="read last at 2026-03-02 12:00 UTC",
        hook_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    )
    found = measured(known)
    assert all(not each.part or (each.number, each.part) in PARTS for each in found)
    written = report(found)
    assert (
        "moved modified 7 times, and 1 times not; 2 times in a row at last (measured by the reader)"
        in written
    )
    left = {(each.number, part.name) for each, part in not_learnt(found)}
    assert {(1, "a payment"), (1, "Reset Invoice"), (9, "a wrong key"), (12, "whether they come")}.isdisjoint(
        left
    )
    assert "sums_disagree 2 times" in written.partition("## Also seen")[2]
