"""Records whose rows are shown, and whose details are refused or not there for hours, take few calls."""

from datetime import datetime, timedelta

import msgspec
import pytest

from contracts.reasons import render
from sources.batch import Wish
from sources.problems import Problem
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.sources.test_account_trouble import GONE, MAY_NOT
from tests.unit.sources.test_failing_pages import FAILS, HOUR, Shop

NEW = 12


class Hiding(Shop):
    """A shop that shows rows of some invoices, and not their details."""

    def __init__(self, instead: Answer) -> None:
        super().__init__(FAILS["503"])
        self.instead = instead
        self.hidden: set[str] = set()
        self.vain = 0

    def answer(self, question: Question) -> Answer:
        if question.path[10:-5] in self.hidden:
            self.vain += 1
            return self.instead
        return super().answer(question)

    def vain_in(self, time: timedelta) -> int:
        before = self.vain
        self.reader.run_until(self.reader.now + time)
        return self.vain - before

    def wait(self, time: timedelta) -> None:
        """Let time pass in which nobody reads, but at its end."""
        self.reader.now += time
        self.read(HOUR / 4)

    def change(self) -> str:
        """Change an invoice that is known."""
        name, now = next(iter(self.invoices)), self.reader.now.isoformat()
        self.invoices[name] = {**self.invoices[name], "total_price": 77, "modified": now}
        return name

    def ask_for_history(self, *names: str) -> None:
        """Do what the database does for a backfill."""
        held = self.reader.store
        for name in names:
            kept = msgspec.structs.replace(held.record(("invoice", name)), history=True)
            held.records["invoice", name] = msgspec.json.encode(kept)
            held.wishes[name] = Wish(name, "history", self.reader.now, entity="invoice")


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("instead", [MAY_NOT, GONE], ids=["refused", "gone"])
def test_a_detail_that_is_not_shown_is_asked_for_seldomer_while_its_row_is_as_before(
    instead: Answer, is_known: bool
) -> None:
    shop = Hiding(instead)
    shop.read(HOUR / 2)
    for name in [*shop.invoices][:NEW] if is_known else ():
        now = shop.reader.now.isoformat()
        shop.hidden.add(name)
        shop.invoices[name] = {**shop.invoices[name], "total_price": 77, "modified": now}
    for _ in () if is_known else range(NEW):
        shop.hidden.add(shop.make("d"))
    assert 4 * NEW <= shop.vain_in(2 * HOUR) <= 6 * NEW
    codes = [each.code for each in shop.reader.problems]
    assert codes == ["record_refused"] * NEW
    changed = next(iter(shop.hidden))
    shop.invoices[changed] = {**shop.invoices[changed], "total_price": 78}
    told = len(shop.reader.told)
    shop.hidden.discard(changed)
    shop.read(HOUR / 10)
    assert len(shop.reader.told) > told, "another row is asked about at once"


def test_an_invoice_that_is_listed_and_not_there_for_hours_is_told_within_a_day_of_being_there() -> None:
    shop = Hiding(GONE)
    shop.read(HOUR / 2)
    name = shop.make("d")
    shop.hidden.add(name)
    assert shop.vain_in(3 * HOUR) == 5
    shop.hidden.clear()
    shop.wait(24 * HOUR)
    assert name in shop.known


def entries(shop: Hiding) -> list[Problem]:
    """What is reported of details that are not there."""
    return [each for each in shop.reader.problems if each.code == "record_refused"]


@pytest.mark.parametrize("is_known", [True, False])
def test_an_invoice_that_is_listed_and_not_there_for_hours_is_one_entry_until_it_is_there(
    is_known: bool,
) -> None:
    shop = Hiding(GONE)
    shop.read(HOUR / 2)
    name = shop.change() if is_known else shop.make("d")
    shop.hidden.add(name)
    shop.read(HOUR)
    assert entries(shop) == [], "lists may be ahead of details"
    since: set[datetime] = set()
    for _ in range(3):
        shop.wait(24 * HOUR)
        (problem,) = entries(shop)
        since.add(shop.reader.store.problem_since[problem.entity, name, problem.code])
    assert (problem.entity, problem.record_id, problem.value) == ("invoice", name, "404")
    assert len(since) == 1, "it is one entry, however long it lasts"
    assert render(problem.code, {"document": f"invoice {name}", "problem": problem.problem})
    told = len(shop.reader.told)
    shop.hidden.clear()
    shop.wait(24 * HOUR)
    assert (entries(shop), len(shop.reader.told) > told) == ([], True)


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_said_of_an_invoice_that_is_not_there_is_over_when_its_list_shows_it_no_more(
    is_known: bool,
) -> None:
    shop = Hiding(GONE)
    shop.read(HOUR / 2)
    name = shop.change() if is_known else shop.make("d")
    shop.hidden.add(name)
    shop.read(3 * HOUR)
    assert len(entries(shop)) == 1
    del shop.invoices[name]
    shop.wait(8 * HOUR)
    assert entries(shop) == []
    before = shop.vain
    for _ in range(3):
        shop.wait(24 * HOUR)
    assert shop.vain - before <= 2, "it is asked for seldom then"
    assert entries(shop) == []


def test_a_document_of_a_backfill_that_is_not_there_is_reported_and_told_once_it_is() -> None:
    shop = Hiding(GONE)
    shop.read(HOUR / 2)
    first, second = list(shop.invoices)[:2]
    shop.hidden.add(first)
    shop.ask_for_history(first, second)
    shop.read(3 * HOUR)
    assert shop.told == [("invoice.created", second)]
    (problem,) = shop.reader.problems
    assert (problem.code, problem.record_id) == ("history_left_out", first)
    assert not shop.reader.store.record(("invoice", first)).history, "nobody waits for it"
    shop.wait(31 * 24 * HOUR)
    assert [each.code for each in shop.reader.problems] == ["history_left_out"]
    shop.hidden.clear()
    shop.wait(31 * 24 * HOUR)
    assert shop.told == [("invoice.created", second), ("invoice.created", first)]
    assert shop.reader.problems == []
