"""A key of which nobody knows whether it is of this company: nothing is read until it shows a known one."""

import json
from datetime import timedelta

import pytest

from sources.batch import Kept, Key
from sources.client import NoAnswer
from sources.company import witnesses
from sources.diff.known import KnownAccount
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.sources.memory_store import StoreReader
from tests.unit.sources.records import CUSTOMER, NOON, customer
from tests.unit.sources.test_account_trouble import (
    BLOCKED,
    DOWN,
    EMPTY,
    GONE,
    HOUR,
    LISTS,
    MAY_NOT,
    PAGE,
    REVOKED,
    Says,
)
from tests.unit.sources.test_failing_pages import FAILS, Shop

OTHER = "5cc227b5-0747-45bb-88e8-43a13e8785cb"


class Company:
    """A shop with two old customers that are known; another key was given for it."""

    def __init__(self) -> None:
        self.names = [CUSTOMER, OTHER]
        self.asked: list[str] = []
        self.details: Says = self.show
        self.reader = StoreReader(self.answer, NOON, "correction")
        self.read(timedelta(minutes=3))
        assert len(self.reader.store.records) == 2
        self.reader.store.unproven = True
        self.asked.clear()

    def answer(self, question: Question) -> Answer:
        self.asked.append(question.path)
        if question.path.startswith("customers/"):
            return self.details(question)
        if question.parameters.get("contextId") != "2":
            return Answer(200, EMPTY, self.reader.now, None)
        rows = [customer(id=name) for name in self.names]
        return self._json({"count": len(rows), "page": 1, "pages": 1, "customers": rows})

    def show(self, question: Question) -> Answer:
        name = question.path.removeprefix("customers/").removesuffix(".json")
        return self._json({"customer": customer(id=name)}) if name in self.names else GONE

    def _json(self, body: object) -> Answer:
        return Answer(200, json.dumps(body).encode(), self.reader.now, None)

    def read(self, time: timedelta) -> None:
        self.reader.run_until(self.reader.now + time)

    def state(self) -> tuple[bool, str | None]:
        return self.reader.store.unproven, self.reader.store.trouble

    def is_read(self) -> bool:
        return bool({*self.asked} & {*LISTS})


def no_answer(_: Question) -> Answer:
    raise NoAnswer("too_slow", "customers", "no whole answer")


SAYS: dict[str, Says] = {
    str(each.status) + ("" if each is not PAGE else " page"): (lambda _, each=each: each)
    for each in (GONE, MAY_NOT, REVOKED, BLOCKED, DOWN, PAGE)
} | {
    "no answer": no_answer,
    "another record": lambda _: Answer(
        200, json.dumps({"customer": customer(id="x-1")}).encode(), None, None
    ),
}


def test_a_key_that_shows_a_known_record_is_read_with_at_once() -> None:
    company = Company()
    company.read(timedelta(minutes=2))
    assert company.asked[0].startswith("customers/")
    assert company.is_read()
    assert company.state() == (False, None)


@pytest.mark.parametrize("says", SAYS.values(), ids=SAYS)
def test_until_a_known_record_is_shown_nothing_is_read_and_the_account_says_why(says: Says) -> None:
    company = Company()
    company.details = says
    company.names.append("5cc227b5-0747-45bb-88e8-43a13e8785cc")
    company.read(3 * HOUR)
    assert not company.is_read()
    reason = "salesbinder_blocked" if says is SAYS["429"] else "salesbinder_key_unproven"
    assert company.state() == (True, reason)
    assert 3 < len(company.asked) < 60
    assert company.reader.told == []
    company.details = company.show
    company.read(2 * HOUR)
    assert company.is_read()
    assert company.state() == (False, None)


def test_a_block_that_another_call_has_meanwhile_stays_when_the_key_is_proven() -> None:
    company = Company()
    store = company.reader.store
    until = store.now + HOUR

    def is_blocked_beside(question: Question) -> Answer:
        store.have_trouble("salesbinder_blocked", until)
        return company.show(question)

    company.details = is_blocked_beside
    company.read(HOUR / 2)
    assert (company.state(), store.held_until) == ((False, "salesbinder_blocked"), until)
    assert not company.is_read()
    company.read(HOUR)
    assert company.is_read()
    assert company.state() == (False, None)


def test_a_block_keeps_its_name_under_other_trouble_until_it_is_over() -> None:
    company = Company()
    store = company.reader.store
    store.have_trouble("salesbinder_blocked", store.now + HOUR / 2)
    store.have_trouble("salesbinder_unavailable", store.now + HOUR)
    assert (store.trouble, store.held_until) == ("salesbinder_blocked", store.now + HOUR)
    store.now += 2 * HOUR
    store.have_trouble("salesbinder_unavailable", store.now + HOUR)
    assert store.trouble == "salesbinder_unavailable"


def test_one_record_that_is_not_shown_says_nothing_if_another_is() -> None:
    company = Company()
    for hidden in company.names:
        company.reader.store.unproven = True
        company.details = lambda q, hidden=hidden: DOWN if hidden in q.path else company.show(q)  # type: ignore[misc]
        company.read(timedelta(minutes=2))
        assert not company.reader.store.unproven


def test_an_account_of_which_nothing_is_known_needs_no_proof() -> None:
    company = Company()
    company.reader.store.records.clear()
    company.read(timedelta(minutes=1))
    assert company.is_read()
    assert witnesses({}) == []


@pytest.mark.parametrize("seen", ["customers/", "documents/d0000000-0000-4000-8000-000000000020"])
def test_a_key_whose_user_sees_only_some_records_is_proven_by_them(seen: str) -> None:
    """Invoices were kept last, more of them than are asked for at once."""
    shop = Shop(FAILS["503"])
    shop.read(HOUR / 2)
    answer = shop.answer

    def shown(question: Question) -> Answer:
        if "/" not in question.path:
            return answer(question)
        if not question.path.startswith(seen):
            return MAY_NOT
        record = {"customer": customer(id=question.path[10:-5])}
        is_customer = question.path.startswith("customers/")
        return Answer(200, json.dumps(record).encode(), None, None) if is_customer else answer(question)

    shop.reader.asking, shop.reader.store.unproven = shown, True
    shop.read(HOUR / 10 if seen == "customers/" else 6 * HOUR)
    assert not shop.reader.store.unproven


def test_witnesses_take_turns_through_the_kinds_of_records_and_go_on_from_round_to_round() -> None:
    customers: list[Key] = [("customer", f"c-{n}") for n in range(2)]
    invoices: list[Key] = [("invoice", f"i-{n}") for n in range(7)]
    known = KnownAccount(entity="customer", id=CUSTOMER, fields={}, modified=None, time=NOON)
    lately = {key: Kept(known=known) for key in [*invoices, *customers]}
    i, c = invoices, customers
    assert witnesses(lately) == [i[0], c[0], i[1], c[1], i[2]]
    assert witnesses(lately, 1) == [*i[3:], i[0]]
    assert {*witnesses(lately), *witnesses(lately, 1)} == {*lately}
    assert len(witnesses({c[0]: lately[c[0]]}, 3)) == 1
