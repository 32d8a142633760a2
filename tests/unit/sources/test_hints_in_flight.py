"""Hints that come while the detail that they name is being asked for, and hints at what nobody knows."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.sources.memory_store import StoreReader
from tests.unit.sources.records import INVOICE, NOON, document
from tests.unit.sources.test_account_trouble import DOWN, EMPTY, GONE, MAY_NOT, PAGE

MINUTE = timedelta(minutes=1)


class Noticed:
    """A SalesBinder whose lists show nothing, so that hints alone lead to an invoice."""

    def __init__(self) -> None:
        self.record: dict[str, Any] | None = None
        self.hint_meanwhile = False
        self.next: Answer | None = None
        """What the next detail is answered with, whatever there is."""
        self.asked: list[timedelta] = []
        self.reader = StoreReader(self.answer, NOON, "correction")
        self.reader.run_until(NOON + 3 * MINUTE)
        self.began = self.reader.now

    def answer(self, question: Question) -> Answer:
        now = self.reader.now
        if not question.path.startswith("documents/"):
            return Answer(200, EMPTY, now, None)
        self.asked.append(now - self.began)
        if self.next is not None:
            found, self.next = self.next, None
        elif self.record is None:
            found = GONE
        else:
            found = Answer(200, json.dumps({"document": self.record}).encode(), now, None)
        if self.hint_meanwhile:
            self.hint_meanwhile = False
            self.reader.now += timedelta(milliseconds=10)
            self.change()
        return found

    def change(self) -> None:
        """Let the invoice be made, or changed, and a webhook say so."""
        at = self.reader.now.isoformat()
        made = self.record["created"] if self.record else at
        cents = len(self.reader.told) + 1
        self.record = document(created=made, modified=at, total_price=f"{cents}.00", public_note=at)
        self.reader.store.hint([INVOICE])

    def read(self, time: timedelta) -> None:
        self.reader.run_until(self.reader.now + time)

    @property
    def told(self) -> list[str]:
        return [each.type.removeprefix("salesbinder.invoice.") for each in self.reader.told]


@pytest.mark.parametrize("answer", [None, PAGE, MAY_NOT, GONE, DOWN])
def test_a_hint_that_comes_while_its_detail_is_asked_for_is_followed_too(answer: Answer | None) -> None:
    """Whatever that answer is: what it shows may be older than the hint."""
    shop = Noticed()
    shop.change()
    shop.read(MINUTE)
    assert shop.told == ["created"]
    shop.reader.store.hint([INVOICE])
    shop.hint_meanwhile = True
    shop.next = answer
    shop.read(timedelta(seconds=20))
    assert shop.told == ["created", "edited"]


def test_a_hint_at_what_nobody_knows_is_followed_again_half_a_minute_later_and_then_left() -> None:
    """A list may know of a record before its detail does; most ids of a webhook are none of a document."""
    shop = Noticed()
    shop.reader.store.hint([INVOICE])
    shop.read(100 * MINUTE)
    assert len(shop.asked) == 2
    assert shop.asked[0] < timedelta(seconds=5)
    assert timedelta(seconds=30) <= shop.asked[1] - shop.asked[0] < timedelta(seconds=40)
    assert (shop.reader.store.wishes, shop.reader.problems) == ({}, [])


def test_a_document_that_only_a_hint_names_and_that_is_not_clear_is_looked_at_again_soon() -> None:
    shop = Noticed()
    shop.record = document(total_transactions="5.00", created=NOON.isoformat(), transactions=[])
    shop.reader.store.hint([INVOICE])
    shop.read(3 * MINUTE)
    assert len(shop.asked) == 3
