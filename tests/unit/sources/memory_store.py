"""The store in memory, with a clock that the test turns, and the product's own reader on it.

Each function does what the statement of ``sources/store`` with its name does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import msgspec

from contracts.commands import Entity
from sources import company, keeper, misses, reader
from sources.batch import AGAIN, Batch, Kept, KeptInBrief, Key, Wish
from sources.diff.look import Shrunk
from sources.entries import RESULTS
from sources.events import Event
from sources.problems import Problem
from sources.reader import Published, Reader
from sources.salesbinder.verdicts import Answer
from sources.schedule import choice
from sources.schedule.choice import Standing, Wanted
from sources.schedule.layers import PAGE_LIMIT, Listing
from sources.schedule.questions import Question
from sources.schedule.scans import Finished, Scan, Step, finished
from sources.schedule.trust import Evidence, Kind
from sources.store.store import Account, Lease, LeaseLost
from tests.unit.sources.records import ACCOUNT

Asking = Callable[[Question], Answer]
"""Raises ``sources.client.NoAnswer`` where there is none."""
CALL = timedelta(seconds=0.3)
_LONG_AGO = timedelta(days=60)
_STATEMENTS = [
    (module, name) for module in (company, keeper, misses, reader) for name in ("store", "keeping")
]
"""Where the product's reader calls the database."""


@dataclass
class MemoryStore:
    """The schema ``source`` for one account."""

    now: datetime
    shrunk: Shrunk
    LeaseLost = LeaseLost

    def __post_init__(self) -> None:
        self.clock: datetime | None = None
        self.cut_off: datetime | None = None
        self.records: dict[Key, bytes] = {}
        self.deep: dict[Key, datetime] = {}
        self.wishes: dict[str, Wish] = {}
        self.scans: dict[str, Scan] = {}
        self.finished: dict[str, Finished] = {}
        self.held: dict[str, datetime] = {}
        self.trust: dict[Kind, Evidence] = {}
        self.statuses: dict[Listing, frozenset[str]] = {}
        self.widened = timedelta(0)
        self.hinted: datetime | None = None
        self.calls: list[tuple[datetime, bool, bool]] = []
        self.problems: dict[tuple[str, str, str], Problem] = {}
        self.problem_times: dict[tuple[str, str, str], datetime] = {}
        """When each was met last."""
        self.problem_since: dict[tuple[str, str, str], datetime] = {}
        self.outbox: list[tuple[int, str, bytes, bytes]] = []
        self.place = self.failures = self.refusals = self.missing = 0
        self.trouble: str | None = None
        self.held_until: datetime | None = None
        self.troubles: list[str] = []
        self.refused_details = 0
        self.unproven = False
        self.learnt = 0
        """How often something learnt of the account was kept."""

    @asynccontextmanager
    async def fenced(self, _: Any, __: Lease) -> AsyncIterator[None]:
        yield

    async def load(self, _: Any, __: str) -> Account:
        wishes = list(self._due())
        calls = [each for each in self.calls if each[0] > self.now - timedelta(seconds=65)]
        standing = Standing(
            sent=[at for at, _, _ in calls],
            background=[at for at, is_background, _ in calls if is_background],
            sent_for_hints=[at for at, _, is_hinted in calls if is_hinted],
            finished=dict(self.finished),
            scans=dict(self.scans),
            held=dict(self.held),
            wanted=[Wanted(wish.record_id, wish.why, wish.at, wish.of_account) for wish in wishes],
            trust=dict(self.trust),
            blocked_until=self.held_until,
            open_statuses=dict(self.statuses),
            widened=self.widened,
            hinted=self.hinted,
            refused_details=self.refused_details,
        )
        by_id = {wish.record_id: wish for wish in wishes}
        counts = (self.failures, self.refusals, self.missing)
        problems = frozenset(key[:2] for key in self.problems)
        return Account(
            self.now,
            b"",
            self.clock,
            self.shrunk,
            *counts,
            standing,
            by_id,
            problems,
            self.cut_off,
            self.unproven,
        )

    def _due(self) -> Iterable[Wish]:
        first: dict[str, Wish] = {}
        for wish in sorted(self.wishes.values(), key=lambda each: (each.at, each.record_id)):
            first.setdefault(wish.why, wish)
        yield from first.values()
        due = [(at, key) for key, at in self.deep.items() if at <= self.now and key[1] not in self.wishes]
        for at, (entity, record_id) in sorted(due, key=lambda each: (each[0], each[1][1]))[:1]:
            yield Wish(record_id, "deep", at, entity=entity)

    async def add_call(self, _: Any, __: str, at: datetime, background: bool, hinted: bool) -> None:
        self.calls = [each for each in self.calls if each[0] > self.now - timedelta(minutes=5)]
        self.calls.append((at, background, hinted))

    async def kept_in_brief(
        self, _: Any, __: str, entity: Entity, ids: Iterable[str]
    ) -> dict[str, KeptInBrief]:
        found = {each: self.records[entity, each] for each in ids if (entity, each) in self.records}
        return {each: msgspec.json.decode(body, type=KeptInBrief) for each, body in found.items()}

    async def kept(self, _: Any, __: str, ids: Iterable[str]) -> dict[Key, Kept]:
        entities = ("customer", "supplier", "invoice", "purchase_order")
        keys: list[Any] = [(entity, record_id) for record_id in ids for entity in entities]
        return {key: self.record(key) for key in keys if key in self.records}

    def record(self, key: Key) -> Kept:
        """Return a record as the database has it."""
        return msgspec.json.decode(self.records[key], type=Kept)

    async def keep(
        self, _: Any, __: str, batch: Batch, asked: datetime, *, problems: Set[tuple[str, str]] | None
    ) -> bool:
        for key, kept in batch.kept.items():
            self.records[key] = msgspec.json.encode(kept)
            self.deep.pop(key, None)
            if kept.deep is not None:
                self.deep[key] = kept.deep
        for event in batch.events:
            self.place += 1
            self.outbox.append((self.place, event.topic, event.key, event.value))
        for record_id in batch.unwanted:
            if record_id in self.wishes and self.wishes[record_id].at <= asked:
                del self.wishes[record_id]
        for wish in batch.wanted:
            before = self.wishes.get(wish.record_id)
            is_same = before is not None and bool(wish.row) and wish.row == before.row
            if is_same and wish.why == "changed":
                continue
            if before is None or before.at <= asked or before.at >= wish.at:
                self.wishes[wish.record_id] = wish
        found = {(each.entity, each.record_id, str(each.code)): each for each in batch.problems}
        over = batch.seen if problems is None or problems & batch.seen else set()
        self.problems = {key: each for key, each in self.problems.items() if key[:2] not in over} | found
        self.problem_times |= dict.fromkeys(found, self.now)
        since = dict.fromkeys(found, self.now) | self.problem_since
        self.problem_since = {key: since[key] for key in self.problems}
        return bool(batch.events)

    async def in_vain(self, _: Any, __: str, entity: str, wishes: Sequence[Wish]) -> list[str]:
        known = {key[1] for key in self.problems if key[::2] == (entity, "record_refused")}
        before = {each.record_id: self.wishes.get(each.record_id) for each in wishes}
        return [
            each.record_id
            for each in wishes
            if (wish := before[each.record_id]) is not None
            and (each.row, each.row != "", wish.tries > len(AGAIN)) == (wish.row, True, True)
            and each.record_id not in known
        ]

    async def note_listed(self, _: Any, __: str, entity: str, ids: Iterable[str]) -> None:
        self.problem_times |= {(entity, each, "record_refused"): self.now for each in ids}

    async def not_listed(self, _: Any, __: str, entity: str, since: datetime) -> list[str]:
        refused = [key for key in self.problems if key[0] == entity and key[2] == "record_refused"]
        return sorted(key[1] for key in refused if self.problem_times[key] < since)

    async def keep_scan(self, _: Any, __: str, step: Step, now: datetime, last: Finished | None) -> None:
        key = step.scan.key
        self.scans.pop(key, None)
        self.held.pop(key, None)
        if step.state == "done":
            self.finished[key] = finished(step, now, last)
        else:
            self.scans[key] = step.scan

    async def hold_scan(self, _: Any, __: str, key: str, until: datetime) -> None:
        self.held[key] = until

    async def keep_learnt(
        self,
        _: Any,
        __: str,
        connected: datetime,
        *,
        held_until: datetime | None,
        is_there: bool = True,
        trust: Mapping[Kind, Evidence] | None = None,
        statuses: Mapping[Listing, frozenset[str]] | None = None,
        widened: timedelta | None = None,
    ) -> None:
        self.learnt += 1
        self.clock = connected
        self.trust = self.trust if trust is None else dict(trust)
        self.statuses = self.statuses if statuses is None else dict(statuses)
        self.widened = self.widened if widened is None else widened
        if is_there:
            self.refusals = self.missing = self.refused_details = 0
        may_be_over = is_there or self.trouble in (None, "salesbinder_unavailable", "salesbinder_blocked")
        if may_be_over and self.held_until == held_until:
            self.trouble, self.failures, self.held_until = None, 0, None

    async def lately_kept(self, _: Any, __: str, limit: int) -> dict[Key, Kept]:
        kinds = sorted({entity for entity, _ in self.records})
        latest = {kind: [key for key in self.records if key[0] == kind][-limit:] for kind in kinds}
        return {key: self.record(key) for keys in latest.values() for key in keys}

    async def prove(self, _: Any, __: str) -> None:
        self.unproven = False
        if not self._is_blocked():
            self.trouble, self.failures, self.held_until = None, 0, None

    async def add_refusal(self, _: Any, __: str, *, of_list: bool) -> None:
        self.refusals += of_list
        self.refused_details += not of_list

    async def add_missing(self, _: Any, __: str) -> None:
        self.missing += 1

    async def keep_trouble(self, _: Any, __: str, trouble: str, ___: str, until: datetime) -> None:
        self.have_trouble(trouble, until)

    def have_trouble(self, trouble: str, until: datetime) -> None:
        """Note what the reader met, or a comparison beside it."""
        self.trouble = self.trouble if self._is_blocked() else trouble
        self.troubles.append(trouble)
        self.failures += 1
        self.held_until = max(self.held_until or until, until)

    def _is_blocked(self) -> bool:
        is_held = self.held_until is not None and self.held_until > self.now
        return self.trouble == "salesbinder_blocked" and is_held

    def hint(self, ids: Iterable[str]) -> None:
        """Do what the database does with a hint."""
        self.hinted = self.now
        entities = {record_id: entity for entity, record_id in self.records}
        for each in ids:
            before = self.wishes.get(each) or Wish(each, "hint", self.now, entity=entities.get(each))
            self.wishes[each] = replace(before, why="hint", at=self.now)

    async def to_tell(self, _: Any, __: str, limit: int) -> list[tuple[int, str, bytes, bytes]]:
        return self.outbox[:limit]

    async def told(self, _: Any, ids: Sequence[int]) -> None:
        self.outbox = [each for each in self.outbox if each[0] not in ids]


class StoreReader:
    """The product's reader on a store in memory; each call takes ``CALL``."""

    def __init__(self, asking: Asking, now: datetime, shrunk: Shrunk, page_limit: int = PAGE_LIMIT) -> None:
        """``page_limit``: rows that are asked for at once; few, so that rows move between pages."""
        self.asking, self.shrunk, self.page_limit = asking, shrunk, page_limit
        self.store = MemoryStore(now, shrunk)
        self.told: list[Event] = []
        self.calls = 0
        self._reader = Reader(None, Lease(ACCOUNT, 1, 1), self, self._publish, b"")  # type: ignore[arg-type]

    @property
    def problems(self) -> list[Problem]:
        """Return those that stand."""
        return [*self.store.problems.values()]

    @property
    def now(self) -> datetime:
        """Return the time by the database's clock."""
        return self.store.now

    @now.setter
    def now(self, now: datetime) -> None:
        self.store.now = now

    async def ask(self, question: Question) -> Answer:
        """Be the client."""
        self.calls += 1
        try:
            return self.asking(question)
        finally:
            self.now += CALL

    async def _publish(self, events: Sequence[Published]) -> None:
        self.told += [_event(*each) for each in events if each[0] != RESULTS]

    def run_until(self, end: datetime) -> None:
        """Read by the schedule."""
        asyncio.run(self._run_until(end))

    async def _run_until(self, end: datetime) -> None:
        with self._patched():
            while self.now < end:
                idle = await self._reader.turn()
                self.now += timedelta(seconds=idle)

    def read_all(self, whole: bool = False) -> None:
        """Read every list and every detail once, whatever the schedule says; all layers if ``whole``."""
        asyncio.run(self._read_all(whole))

    async def _read_all(self, whole: bool) -> None:
        self._all_due(whole)
        with self._patched():
            while (idle := await self._reader.turn()) == 0.0 or self._is_held():
                self.now += timedelta(seconds=idle)
                self.store.calls.clear()

    @contextmanager
    def _patched(self) -> Iterator[None]:
        with ExitStack() as patched:
            for module, name in _STATEMENTS:
                patched.enter_context(patch.object(module, name, self.store))
            patched.enter_context(patch.object(choice, "PAGE_LIMIT", self.page_limit))
            yield

    def _is_held(self) -> bool:
        return self.store.held_until is not None and self.store.held_until > self.now

    def _all_due(self, whole: bool) -> None:
        """Let the scans of all rows and of the log be due, the others if ``whole``, and all details."""
        held = self.store
        held.held.clear()
        held.calls.clear()
        for key, done in held.finished.items():
            is_due = whole or key.startswith(("all/", "log/"))
            started = held.now - _LONG_AGO if is_due else held.now
            held.finished[key] = msgspec.structs.replace(done, started=started)
        held.wishes = {
            record_id: Wish(record_id, wish.why, held.now, wish.row, wish.tries, wish.entity)
            for record_id, wish in held.wishes.items()
        }
        held.deep |= dict.fromkeys(held.deep, held.now)


def _event(topic: str, key: bytes, value: bytes) -> Event:
    told = msgspec.json.decode(value)
    return Event(told["id"], topic, key, value, told["type"], datetime.fromisoformat(told["time"]))
