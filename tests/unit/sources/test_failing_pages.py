"""The product's own reader at lists of which some pages always fail: all else is read, and the rest later."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from sources import keeper, reading
from sources.client import NoAnswer
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.sources.memory_store import StoreReader
from tests.unit.sources.records import NOON, customer, document, paid
from tests.unit.sources.test_account_trouble import CUT, DOWN, EMPTY, PAGE

HOUR = timedelta(hours=1)
OLD = dict.fromkeys(("created", "modified"), (NOON - timedelta(days=90)).isoformat())
MANY = 330
Fails = Callable[[], Answer]


def no_answer() -> Answer:
    raise NoAnswer("too_slow", "documents.json", "no whole answer")


class OurFault(Exception):
    """A fault of the reader itself."""


def our_fault() -> Answer:
    raise OurFault


FAILS: Mapping[str, Fails] = {
    "503": lambda: DOWN,
    "too slow": no_answer,
    "cut": lambda: CUT,
    "a page for people": lambda: PAGE,
    "a fault of ours": our_fault,
}


def name_of(kind: str, number: int) -> str:
    return f"{kind}0000000-0000-4000-8000-{number:012}"


class Shop:
    """Customers and invoices from long ago; pages with certain ones fail."""

    def __init__(self, fails: Fails) -> None:
        self.fails = fails
        self.bad: set[str] = set()
        self.customers = {
            name_of("c", n): customer(id=name_of("c", n), customer_number=n, **OLD) for n in range(MANY)
        }
        self.invoices = {
            name_of("d", n): document(id=name_of("d", n), document_number=n, **OLD)
            for n in reversed(range(MANY))
        }
        self.asked: list[tuple[datetime, Question]] = []
        self.reader = StoreReader(self.answer, NOON, "correction")

    def answer(self, question: Question) -> Answer:
        self.asked.append((self.reader.now, question))
        if question.path.startswith("documents/"):
            return self._json({"document": self.invoices[question.path[10:-5]]})
        context = question.parameters.get("contextId")
        if question.path == "deleted_log.json" or context not in ("2", "5"):
            return Answer(200, EMPTY, self.reader.now, None)
        name, records = ("customers", self.customers) if context == "2" else ("documents", self.invoices)
        return self._page(name, [*records.values()], question.parameters)

    def _page(self, name: str, records: list[dict[str, Any]], asked: Mapping[str, str]) -> Answer:
        since = float(asked.get("modifiedSince", 0))
        rows = [each for each in records if datetime.fromisoformat(each["modified"]).timestamp() >= since]
        page, limit = int(asked["page"]), int(asked["pageLimit"])
        shown = rows[(page - 1) * limit : page * limit]
        if page > 1 and not shown:
            return Answer(404, b"", self.reader.now, None)
        if self.bad & {each["id"] for each in shown}:
            try:
                return self.fails()
            except OurFault:
                pass
        shown = [{key: value for key, value in each.items() if key != "transactions"} for each in shown]
        return self._json({"count": len(rows), "page": page, "pages": -(-len(rows) // limit), name: shown})

    def _json(self, body: object) -> Answer:
        return Answer(200, json.dumps(body).encode(), self.reader.now, None)

    def read(self, time: timedelta) -> None:
        def read_page(scan: Any, page: Any, *rest: Any) -> Any:
            if self.fails is our_fault and self.bad & {row.get("id") for row in page.rows}:
                raise OurFault
            return reading.read_page(scan, page, *rest)

        with patch.object(keeper, "read_page", read_page):
            self.reader.run_until(self.reader.now + time)

    def sweep(self) -> None:
        """Let all rows be read once more."""
        done = self.reader.store.finished
        for key in [key for key in done if key.startswith("all/")]:
            done[key] = msgspec.structs.replace(done[key], started=self.reader.now - timedelta(days=1))
        self.read(HOUR / 2)

    def make(self, kind: str, **more: Any) -> str:
        """Make a customer ("c") or invoice ("d") now, which its list has first."""
        records = self.customers if kind == "c" else self.invoices
        name, now = name_of(kind, len(records)), self.reader.now.isoformat()
        record = {"id": name, "created": now, "modified": now, **more}
        made = customer(**record) if kind == "c" else document(**record)
        rest = dict(records)
        records.clear()
        records.update({name: made, **rest})
        return name

    @property
    def known(self) -> set[str]:
        return {record_id for _, record_id in self.reader.store.records}

    @property
    def unseen(self) -> dict[str, int]:
        done = self.reader.store.finished
        return {name: done[f"all/{name}"].unseen for name in ("customers", "suppliers", "invoices", "orders")}

    @property
    def codes(self) -> set[str]:
        return {str(each.code) for each in self.reader.problems}

    @property
    def told(self) -> list[tuple[str, str]]:
        told = [(each.type.removeprefix("salesbinder."), json.loads(each.value)) for each in self.reader.told]
        return [(name, event["subject"]) for name, event in told]


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Shop:
    shop = Shop(FAILS[getattr(request, "param", "503")])
    shop.bad = {name_of("c", 205), name_of("d", 312)}
    return shop


@pytest.mark.parametrize("shop", FAILS, indirect=True)
def test_stock_is_taken_of_all_rows_but_those_that_fail_which_are_not_new_later(shop: Shop) -> None:
    shop.read(1.2 * HOUR)
    assert shop.unseen == {"customers": 1, "suppliers": 0, "invoices": 1, "orders": 0}
    assert shop.known == {*shop.customers, *shop.invoices} - shop.bad
    assert shop.told == []
    assert shop.codes in ({"rows_not_shown"}, {"rows_not_shown", "answer_unreadable"})
    (about,) = [each for each in shop.reader.problems if each.entity == "customers"]
    assert about.problem.startswith("1 row of it cannot be read (206 in the order of the API)")
    assert about.remedy
    shop.bad.clear()
    shop.sweep()
    assert shop.known == {*shop.customers, *shop.invoices}
    assert (shop.unseen["customers"], shop.unseen["invoices"]) == (0, 0)
    assert (shop.codes, shop.told) == (set(), [])


def test_what_was_paid_while_an_invoices_row_failed_is_told_once_it_is_shown(shop: Shop) -> None:
    shop.read(1.2 * HOUR)
    invoice = name_of("d", 312)
    earlier = paid(1, 40, created=OLD["created"], document_id=invoice)
    since = paid(2, 60, created=shop.reader.now.isoformat(), document_id=invoice)
    shop.invoices[invoice] |= {
        "transactions": [earlier, since], "total_transactions": 100, "modified": shop.reader.now.isoformat(),
    }  # fmt: skip
    shop.bad.clear()
    shop.sweep()
    shop.read(HOUR)
    (payment,) = [json.loads(each.value) for each in shop.reader.told]
    assert payment["type"] == "salesbinder.invoice.payment_applied"
    assert payment["data"]["transaction"]["id"] == since["id"]
    assert (shop.codes, shop.unseen["invoices"]) == (set(), 0)


def test_what_was_edited_or_cancelled_while_a_row_failed_is_told_once_it_is_shown(shop: Shop) -> None:
    """None of these rows was ever shown: there is nothing to compare them with."""
    edited, cancelled, paid_since, untouched = (name_of("d", number) for number in (312, 313, 314, 315))
    renamed, same = name_of("c", 205), name_of("c", 206)
    shop.bad = {edited, cancelled, paid_since, untouched, renamed, same}
    shop.read(1.2 * HOUR)
    now = shop.reader.now.isoformat()
    shop.invoices[edited] |= {"total_price": 77, "modified": now}
    shop.invoices[cancelled] |= {"status": {"id": 15, "name": "cancelled"}, "modified": now}
    money = paid(1, 60, created=now, document_id=paid_since)
    shop.invoices[paid_since] |= {"transactions": [money], "total_transactions": 60, "modified": now}
    shop.customers[renamed] |= {"name": "Renamed", "modified": now}
    shop.bad.clear()
    shop.sweep()
    shop.read(HOUR)
    told = [
        ("customer.edited", renamed),
        ("invoice.cancelled", cancelled),
        ("invoice.edited", edited),
        ("invoice.payment_applied", paid_since),
    ]
    assert sorted(shop.told) == told
    shop.sweep()
    assert sorted(shop.told) == told


def test_while_a_row_fails_all_else_is_told_once(shop: Shop) -> None:
    shop.read(HOUR / 2)
    new = [shop.make("c", name="New"), shop.make("d", total_transactions=0, transactions=[])]
    old = shop.invoices[name_of("d", 5)]
    old |= {"total_price": 77, "modified": shop.reader.now.isoformat()}
    shop.read(HOUR / 6)
    told = [("customer.created", new[0]), ("invoice.created", new[1]), ("invoice.edited", old["id"])]
    assert sorted(shop.told) == told
    shop.sweep()
    shop.bad.clear()
    shop.sweep()
    assert sorted(shop.told) == told


@pytest.mark.parametrize("shop", ["503", "cut"], indirect=True)
def test_what_is_changed_about_a_failing_row_is_told_once_it_is_shown(shop: Shop) -> None:
    failing, shop.bad = {name_of("c", 205)}, set()
    shop.read(HOUR / 6)
    shop.bad = failing
    shop.customers[name_of("c", 205)] |= {"name": "Renamed", "modified": shop.reader.now.isoformat()}
    shop.read(HOUR / 2)
    assert shop.told == []
    shop.bad.clear()
    shop.sweep()
    assert shop.told == [("customer.edited", name_of("c", 205))]


def test_the_pages_that_fail_hold_up_no_other_list(shop: Shop) -> None:
    shop.read(1.2 * HOUR)
    asked = [(at, each.parameters) for at, each in shop.asked if "modifiedSince" in each.parameters]
    deltas = [at for at, parameters in asked if parameters["contextId"] == "10"]
    assert max(later - at for at, later in pairwise(deltas)) < timedelta(minutes=2)
    assert len(shop.asked) < 1000
