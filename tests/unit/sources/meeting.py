"""A shop on the fake SalesBinder and the reader that reads it, in one process and on one clock."""

import base64
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec

from sandbox.clock import Clock
from sandbox.fake_salesbinder import Shopkeeper, Switches, World, api, visible
from sources.batch import Wish
from sources.diff.look import Shrunk
from sources.events import Event
from sources.problems import Problem
from sources.schedule.choice import DetailRequest, ListRequest
from sources.schedule.layers import LISTINGS
from sources.schedule.questions import Question, question
from sources.schedule.scans import Scan
from tests.unit.sources.memory import MemoryReader
from tests.unit.sources.records import ACCOUNT

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_SETTLED = timedelta(seconds=70)
"""After so long all that lags has come; the log's minute is the longest."""
_ROUNDS = 4
_NO_LIMIT = 10**9
Story = dict[str, list[tuple[str, Decimal | None]]]
"""By record: types without ``salesbinder.``, and the amount of money."""


@dataclass
class Book:
    """A record as its events alone tell it."""

    payments: dict[str, Decimal] = field(default_factory=dict)
    refunds: dict[str, Decimal] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    """Of the last event that told its content."""

    @property
    def net_paid(self) -> Decimal:
        return sum(self.payments.values(), Decimal(0)) - sum(self.refunds.values(), Decimal(0))

    def play(self, action: str, data: dict[str, Any]) -> None:
        if action in ("created", "edited"):
            self.record = next(iter(data.values()))
        elif action == "reset":
            self.payments.clear()
            self.refunds.clear()
        elif action.endswith("_applied"):
            rows = self.payments if action == "payment_applied" else self.refunds
            rows[data["transaction"]["id"]] = Decimal(data["transaction"]["amount"])
        else:
            self.ends.append(action)


class Seen(Protocol):
    """A reader, as far as a meeting looks into it."""

    now: datetime
    shrunk: Shrunk

    @property
    def told(self) -> Sequence[Event]: ...

    @property
    def problems(self) -> Sequence[Problem]: ...


class Encounter:
    """What happens in the shop, and what a reader tells of it."""

    reader: Seen

    def __init__(
        self, switches: Switches, seed: int, account: str = ACCOUNT, clock: Clock | None = None
    ) -> None:
        """Open the shop; with a ``clock`` that runs by itself, nothing that happens there moves it."""
        self.world = World(now=START, clock=clock)
        self.shop = self.world.add_shop(account, switches, seed)
        self.keeper = Shopkeeper(self.shop, seed, pause=30 if clock is None else None)

    def call(self, asked: Question) -> api.Answer:
        self.meet()
        token = base64.b64encode(f"{self.shop.key}:x".encode()).decode()
        path, query = f"/{ACCOUNT}/api/2.0/{asked.path}", urlencode(asked.parameters)
        request = api.Request("GET", path, query, {"authorization": f"Basic {token}"})
        return api.answer(self.world, request)

    def act(self) -> str:
        """Let something happen in the shop, at the earliest now."""
        self.meet()
        done = self.keeper.step()
        self.meet()
        return done

    def meet(self) -> None:
        """Bring both clocks to the later one."""
        reader, shop = self.reader.now, self.world.clock.now()
        self.world.clock.advance(max((reader - shop).total_seconds(), 0))
        self.reader.now = max(reader, shop)

    def told(self) -> Story:
        """Return what was published."""
        story: Story = defaultdict(list)
        for event in self.reader.told:
            told = msgspec.json.decode(event.value)
            amount = told["data"].get("transaction", {}).get("amount")
            kind = event.type.removeprefix("salesbinder.")
            story[told["subject"]].append((kind, None if amount is None else Decimal(amount)))
        return dict(story)

    def visible(self) -> Story:
        """Return what can be published at all by a reader that looks after every change."""
        history, switches = self.shop.truth.history, self.shop.switches
        story: Story = defaultdict(list)
        for each in visible(history, switches, smaller_row=self.reader.shrunk, marked_row="refund"):
            story[each.record_id].append((each.kind, each.amount))
        return dict(story)

    def books(self) -> dict[str, Book]:
        """Return what the events come to."""
        books: dict[str, Book] = defaultdict(Book)
        for event in self.reader.told:
            told = msgspec.json.decode(event.value)
            books[told["subject"]].play(event.type.rpartition(".")[2], told["data"])
        return dict(books)

    def without_money(self) -> set[str]:
        """Return the invoices of which a problem says that their money could not be told."""
        codes = ("sums_disagree", "transaction_marked")
        return {each.record_id for each in self.reader.problems if each.code in codes}


class Meeting(Encounter):
    """With the reader in memory."""

    reader: MemoryReader

    def __init__(self, switches: Switches, seed: int, shrunk: Shrunk = "correction") -> None:
        super().__init__(switches, seed)
        self.reader = MemoryReader(self.answer, START, shrunk)

    def answer(self, asked: Question) -> tuple[int, bytes]:
        status, body = self.any_answer(asked)
        assert status in (200, 404), (asked, body)
        return status, body

    def any_answer(self, asked: Question) -> tuple[int, bytes]:
        done = self.call(asked)
        return done.status, done.body

    def look(self) -> None:
        """Read all lists and all details, whatever the schedule says, once all that lags has come."""
        self.world.limiter.minute = self.world.limiter.burst = _NO_LIMIT
        self.reader.now += _SETTLED
        for listing in LISTINGS["all"]:
            self._scan(Scan(layer="all", listing=listing, started=self.reader.now))
        self._scan(Scan(layer="log", listing="log", started=self.reader.now))
        for (entity, record_id), kept in self.reader.kept.items():
            if entity in ("invoice", "purchase_order") and not kept.known.deleted:
                wish = Wish(record_id, "deep", self.reader.now, entity=entity)
                self.reader.wishes.setdefault(record_id, wish)
        for _ in range(_ROUNDS):
            for wish in [*self.reader.wishes.values()]:
                self._ask(DetailRequest(wish.record_id, wish.why, wish.of_account))
            self.reader.now += _SETTLED

    def _scan(self, scan: Scan) -> None:
        self._ask(ListRequest(scan))
        while scan.key in self.reader.scans:
            self._ask(ListRequest(self.reader.scans[scan.key]))

    def _ask(self, request: ListRequest | DetailRequest) -> None:
        self.reader.apply(request, *self.answer(question(request)))
