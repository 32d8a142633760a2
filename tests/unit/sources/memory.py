"""The reader in memory: what the database keeps, kept in dictionaries, with a clock that the test turns."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sources.batch import Batch, Kept, Key, Wish
from sources.context import Context, newest_of, newest_then
from sources.details import read_any_detail
from sources.diff.look import Look, Shrunk
from sources.events import Event
from sources.problems import Problem
from sources.reading import read_page
from sources.salesbinder.answers import read_list
from sources.schedule.choice import (
    DetailRequest,
    ListRequest,
    Pause,
    Request,
    Standing,
    Wanted,
    next_request,
)
from sources.schedule.layers import LISTINGS, Listing
from sources.schedule.questions import RESOURCES, Question, question
from sources.schedule.scans import Finished, Scan, Step, after_no_page, after_page, scan_key
from sources.schedule.trust import Evidence, Kind, may_relax, noted
from tests.unit.sources.records import ACCOUNT

Answering = Callable[[Question], tuple[int, bytes]]
CALL = timedelta(seconds=0.3)


class MemoryReader:
    def __init__(self, answering: Answering, now: datetime, shrunk: Shrunk) -> None:
        self.answering, self.now, self.shrunk = answering, now, shrunk
        self.connected = now
        self.kept: dict[Key, Kept] = {}
        self.wishes: dict[str, Wish] = {}
        self.scans: dict[str, Scan] = {}
        self.finished: dict[str, Finished] = {}
        self.trust: dict[Kind, Evidence] = {}
        self.statuses: dict[Listing, set[str]] = {"invoices": set(), "orders": set()}
        self.sent: list[tuple[datetime, str]] = []
        self.told: list[Event] = []
        self.problems: list[Problem] = []
        self.missed = 0
        self.hinted: datetime | None = None

    def run_until(self, end: datetime) -> None:
        while self.now < end:
            self.step()

    def step(self) -> None:
        """Make the next request, or let time pass until there is one."""
        latest = [each for each in self.sent if each[0] > self.now - timedelta(minutes=1)]
        self._want_deep()
        standing = Standing(
            sent=[at for at, _ in latest],
            background=[at for at, why in latest if why in ("all", "deep", "history")],
            finished=self.finished,
            scans=self.scans,
            wanted=[
                Wanted(wish.record_id, wish.why, wish.at, wish.of_account) for wish in self.wishes.values()
            ],
            trust=self.trust,
            open_statuses={listing: frozenset(found) for listing, found in self.statuses.items()},
            hinted=self.hinted,
        )
        request = next_request(standing, self.now)
        if isinstance(request, Pause):
            assert request.until > self.now
            self.now = request.until
            return
        self.sent.append((self.now, request.why))
        status, body = self.answering(question(request))
        self.now += CALL
        self.apply(request, status, body)

    def _want_deep(self) -> None:
        due = [
            (kept.deep, record_id, entity)
            for (entity, record_id), kept in self.kept.items()
            if kept.deep is not None and kept.deep <= self.now and record_id not in self.wishes
        ]
        for at, record_id, entity in sorted(due)[:1]:
            self.wishes[record_id] = Wish(record_id, "deep", at, entity=entity)

    def hint(self, ids: Sequence[str]) -> None:
        """Do what the database does with a hint."""
        self.hinted = self.now
        entities = {record_id: entity for entity, record_id in self.kept}
        for record_id in ids:
            entity = entities.get(record_id)
            self.wishes[record_id] = Wish(record_id, "hint", self.now, entity=entity)

    def apply(self, request: Request, status: int, body: bytes) -> None:
        context = Context(
            Look(ACCOUNT, self.now, self.shrunk), self.connected, is_relaxed=may_relax(self.trust)
        )
        if isinstance(request, DetailRequest):
            wish = self.wishes[request.record_id]
            self._keep(read_any_detail(status == 404, body, wish, self.kept, context), None)
            return
        self._apply_list(request, status, body, context)

    def _apply_list(self, request: ListRequest, status: int, body: bytes, context: Context) -> None:
        scan = request.scan
        done = frozenset(each for each in LISTINGS["all"] if scan_key("all", each) in self.finished)
        delta = self.finished.get(scan_key("delta", scan.listing))
        stock = self.finished.get(scan_key("all", scan.listing))
        context = replace(
            context,
            stock_taken=done,
            delta_asked=delta.asked if delta else None,
            newest_then=newest_then(stock, self.connected),
        )
        last = self.finished.get(scan.key)
        if status == 404:
            assert scan.page > 1
            self._go_on(after_no_page(scan, last.count if last else None))
            return
        page = read_list(body, RESOURCES[scan.listing].names)
        batch = read_page(scan, page, self.kept, context)
        name = "record_id" if scan.listing == "log" else "id"
        ids = [row[name] for row in page.rows]
        self._keep(batch, scan.listing)
        count, newest = last.count if last else None, newest_of(page.rows)
        self._go_on(after_page(scan, page, ids, self.now, count, newest))

    def _go_on(self, step: Step) -> None:
        key = step.scan.key
        self.scans.pop(key, None)
        if step.state == "done":
            scan = step.scan
            done = Finished(
                started=scan.started, asked=scan.asked or self.now, count=scan.rows, newest=scan.newest
            )
            self.finished[key] = done
        else:
            self.scans[key] = step.scan

    def _keep(self, batch: Batch, listing: Listing | None) -> None:
        self.kept |= batch.kept
        self.told += batch.events
        self.problems += batch.problems
        self.missed += batch.missed
        for record_id in batch.unwanted:
            self.wishes.pop(record_id, None)
        for wish in batch.wanted:
            self.wishes[wish.record_id] = wish
        if listing in self.statuses:
            self.statuses[listing] |= batch.statuses
        if batch.has_evidence:
            self.trust = noted(self.trust, batch.told, batch.moved)
