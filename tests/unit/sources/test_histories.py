"""Random shops, looked at now and then: what is told, played back, is the shop."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.diff.accounts import diff_account
from sources.diff.documents import diff_deleted_document, diff_document
from sources.diff.known import KnownAccount, KnownDocument
from sources.diff.look import Look, Outcome, Shrunk
from sources.events import Event
from sources.salesbinder.accounts import read_account
from sources.salesbinder.deleted import Deletion
from sources.salesbinder.documents import read_detail
from tests.unit.sources.records import ACCOUNT, wire
from tests.unit.sources.shop import Paper, Shop, Switches

SWITCHES = st.builds(
    Switches,
    refunds=st.sampled_from(["negative", "gone", "shrinks", "marked"]),
    resets=st.sampled_from(["gone", "negative"]),
    money_moves_modified=st.booleans(),
    state_moves_modified=st.booleans(),
    lines_keep_ids=st.booleans(),
    receipts=st.sampled_from(["status", "lines", "both"]),
    transactions_have_times=st.booleans(),
    texts=st.booleans(),
)


@dataclass
class Played:
    """A record of the books as events alone tell it."""

    content: tuple[str, tuple[int, ...]] = ("", ())
    payments: dict[str, Decimal] = field(default_factory=dict)
    refunds: dict[str, Decimal] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    name: str = ""

    def play(self, action: str, data: dict[str, Any]) -> None:
        if "customer" in data:
            self.name = data["customer"].get("name", self.name)
        if action in ("created", "edited") and "document" in data:
            told = data["document"]
            field = "cost" if told["context_id"] in (11, "11") else "price"
            prices = sorted(int(Decimal(str(each[field]))) for each in told["document_items"])
            self.content = (told["name"] or "", tuple(prices))
        elif action == "payment_applied":
            self.payments[data["transaction"]["id"]] = Decimal(data["transaction"]["amount"])
        elif action == "refund_applied":
            self.refunds[data["transaction"]["id"]] = Decimal(data["transaction"]["amount"])
        elif action == "reset":
            self.payments.clear()
            self.refunds.clear()
        elif action in ("cancelled", "received", "deleted"):
            self.ended.append(action)

    @property
    def paid(self) -> Decimal:
        return sum(self.payments.values(), Decimal(0)) - sum(self.refunds.values(), Decimal(0))


class Reader:
    """Looks at a shop and keeps what it knows as the database would."""

    def __init__(self, shop: Shop, shrunk: Shrunk) -> None:
        self.shop, self.shrunk = shop, shrunk
        self.documents: dict[str, bytes] = {}
        self.account: KnownAccount | None = None
        self.told: list[Event] = []

    def _look(self) -> Look:
        return Look(ACCOUNT, self.shop.now + timedelta(seconds=1), self.shrunk)

    def at_customer(self) -> list[Event]:
        row = read_account(wire(self.shop.customer), "customer", ACCOUNT)
        found = diff_account(self.account, row, self._look())
        assert found.events == diff_account(self.account, row, self._look()).events
        self.account = found.known
        return self._keep(found)

    def at(self, paper: Paper) -> list[Event]:
        before = self._before(paper.id)
        detail = read_detail(wire(self.shop.detail(paper)), paper.id, ACCOUNT)
        found = diff_document(before, detail, self._look())
        assert found.events == diff_document(before, detail, self._look()).events
        assert not found.again
        self.documents[paper.id] = msgspec.json.encode(found.known)
        return self._keep(found)

    def at_log(self) -> list[Event]:
        told = []
        for record_id, moment in self.shop.deleted.items():
            before = self._before(record_id)
            if before is not None:
                found = diff_deleted_document(before, Deletion(record_id, moment), self._look())
                self.documents[record_id] = msgspec.json.encode(found.known)
                told += self._keep(found)
        return told

    def _before(self, record_id: str) -> KnownDocument | None:
        kept = self.documents.get(record_id)
        return None if kept is None else msgspec.json.decode(kept, type=KnownDocument)

    def _keep(self, found: Outcome[Any]) -> list[Event]:
        assert found.problems == ()
        self.told += found.events
        return list(found.events)

    def played(self) -> dict[str, Played]:
        books: dict[str, Played] = defaultdict(Played)
        for event in self.told:
            told = msgspec.json.decode(event.value)
            books[told["subject"]].play(event.type.rpartition(".")[2], told["data"])
        return books


def assert_books_are_the_shop(reader: Reader) -> None:
    shop, books = reader.shop, reader.played()
    for paper in shop.papers.values():
        book = books[paper.id]
        assert book.content == paper.content
        assert book.paid == paper.paid
        ends = ["cancelled"] * paper.cancelled + ["received"] * (paper.came == "full")
        assert book.ended == ends
    for record_id in shop.deleted:
        if record_id in books:
            assert books[record_id].ended[-1] == "deleted"
    assert books[reader.shop.customer["id"]].name == shop.customer["name"]


def assert_told_once_in_order(told: Sequence[Event]) -> None:
    assert len({event.id for event in told}) == len(told)
    times: dict[bytes, datetime] = {}
    for event in told:
        assert event.time >= times.get(event.key, event.time)
        times[event.key] = event.time


@settings(max_examples=120, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    switches=SWITCHES,
    shrunk=st.sampled_from(["correction", "refund"]),
    acts=st.lists(st.booleans(), min_size=1, max_size=60),
)
def test_what_is_told_played_back_is_the_shop_however_seldom_one_looks(
    seed: int, switches: Switches, shrunk: Shrunk, acts: list[bool]
) -> None:
    shop = Shop(seed, switches)
    reader = Reader(shop, shrunk)
    for looks in acts:
        shop.act()
        if looks and shop.papers:
            reader.at(shop.random.choice(list(shop.papers.values())))
            reader.at_log()
    reader.at_log()
    reader.at_customer()
    for paper in shop.papers.values():
        reader.at(paper)
    assert_books_are_the_shop(reader)
    assert_told_once_in_order(reader.told)
    # Nothing is told of what did not change.
    shop.now += timedelta(hours=1)
    assert reader.at_customer() == reader.at_log() == []
    assert [event for paper in shop.papers.values() for event in reader.at(paper)] == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), switches=SWITCHES, acts=st.integers(1, 60))
def test_each_act_that_is_looked_at_at_once_is_told_once_and_nothing_else_is(
    seed: int, switches: Switches, acts: int
) -> None:
    shop = Shop(seed, switches)
    reader = Reader(shop, "refund" if switches.refunds == "shrinks" else "correction")
    allowed = {
        "_create": {"created"},
        "_edit": {"edited", "received"},
        "_pay": {"payment_applied"},
        "_correct": {"payment_applied"},
        "_refund": {"refund_applied", "reset"},
        "_reset": {"reset", "refund_applied"},
        "_cancel": {"reset", "refund_applied", "cancelled"},
        "_receive": {"received"},
        "_delete": {"deleted"},
        "_rename_customer": {"edited"},
    }
    reader.at_customer()
    for _ in range(acts):
        before = {paper.id: (paper.content, paper.paid, len(paper.rows)) for paper in shop.papers.values()}
        done = shop.act()
        told = [*reader.at_customer(), *reader.at_log()]
        for paper in shop.papers.values():
            told += reader.at(paper)
        actions = [event.type.rpartition(".")[2] for event in told]
        assert set(actions) <= allowed[done]
        if done != "_cancel":
            assert len(actions) <= 1
        moved = [p.id for p in shop.papers.values() if p.id in before and before[p.id][1] != p.paid]
        assert not moved or actions
    assert_told_once_in_order(reader.told)
