"""How soon a hint is looked at while an account is being compared, swept, or catching up: a clock that is
simulated, answers that take a fifth of a second.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from sources.schedule.budget import WINDOWS
from sources.schedule.choice import ListRequest, Pause, Standing, Wanted, background_at, next_request
from sources.schedule.scans import Finished, Scan
from tests.unit.sources.test_schedule import MINUTE, NOON, counted, fresh, seconds

ANSWER = seconds(0.2)
START = NOON + timedelta(minutes=5)
LATER = NOON + timedelta(days=1)
IDLE = seconds(5)
"""An idle reader looks again so often, and at once for a hint."""


@dataclass
class Day:
    """An account that is read, and perhaps compared; webhooks come."""

    hints: list[datetime]
    named: bool = True
    """Whether a hint names its document; else the lists have to show it."""
    compared: bool = False
    sweeping: bool = False
    changed: int = 0
    standing: Standing = field(
        default_factory=lambda: fresh(open_statuses={"invoices": frozenset("123")}, hinted=NOON)
    )
    calls: list[datetime] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    """Seconds from each hint to the answer with its document."""
    compared_calls: int = 0
    _is_idle: bool = False
    _untold: dict[str, datetime] = field(default_factory=dict)

    def run(self, minutes: int) -> None:
        if self.sweeping:
            scans = {"all/invoices": Scan(layer="all", listing="invoices", started=START, page=2)}
            self.standing = replace(self.standing, scans=scans)
        changed = [Wanted(f"c{n:05}", "changed", START) for n in range(self.changed)]
        self.standing = replace(self.standing, wanted=changed)
        now = reads = START
        compares = START if self.compared else LATER
        while now < START + timedelta(minutes=minutes):
            if self.hints and self.hints[0] <= now:
                self._hint(self.hints.pop(0))
                reads = now if self._is_idle else reads
            elif reads <= now:
                reads = self._read(now)
            elif compares <= now:
                compares = background_at(self.standing, now)
                if compares <= now:
                    self.compared_calls += 1
                    self._count(ListRequest(Scan(layer="all", listing="orders", started=now)), now)
                    compares = now + ANSWER
            now = max(now, min(reads, compares, *self.hints[:1]))

    def _hint(self, at: datetime) -> None:
        name = f"h{len(self._untold) + len(self.waited):05}"
        self._untold[name] = at
        named = [Wanted(name, "hint", at)] if self.named else []
        self.standing = replace(self.standing, hinted=at, wanted=[*self.standing.wanted, *named])

    def _read(self, now: datetime) -> datetime:
        """Make a request if one is due; return when to look again."""
        request = next_request(self.standing, now)
        self._is_idle = isinstance(request, Pause)
        if isinstance(request, Pause):
            return min(request.until, now + IDLE)
        self._count(request, now)
        if not isinstance(request, ListRequest):
            left = [each for each in self.standing.wanted if each.record_id != request.record_id]
            self.standing = replace(self.standing, wanted=left)
            if (at := self._untold.pop(request.record_id, None)) is not None:
                self.waited.append((now + ANSWER - at).total_seconds())
        elif request.scan.key != "all/invoices" or not self.sweeping:
            done = Finished(started=now, asked=now, count=0)
            finished = {**self.standing.finished, request.scan.key: done}
            self.standing = replace(self.standing, finished=finished)
            if request.scan.key == "delta/invoices" and not self.named:
                self._show(now)
        return now + ANSWER

    def _show(self, now: datetime) -> None:
        """The list shows that the documents of the hints were changed."""
        known = {each.record_id for each in self.standing.wanted}
        shown = [Wanted(name, "changed", now) for name in self._untold if name not in known]
        self.standing = replace(self.standing, wanted=[*shown, *self.standing.wanted])

    def _count(self, request: object, now: datetime) -> None:
        self.calls.append(now)
        self.standing = counted(self.standing, request, now)  # type: ignore[arg-type]


def at_random(count: int, minutes: int, seed: int) -> list[datetime]:
    random_ = random.Random(seed)
    return sorted(START + MINUTE + seconds(random_.uniform(0, (minutes - 2) * 60)) for _ in range(count))


def assert_within_the_limits(calls: Sequence[datetime]) -> None:
    for length, most in WINDOWS:
        for start in calls:
            assert sum(start <= each < start + length for each in calls) <= most


def p95(waited: Sequence[float]) -> float:
    return sorted(waited)[int(len(waited) * 0.95)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "meanwhile",
    [{}, {"compared": True}, {"sweeping": True}, {"compared": True, "sweeping": True}, {"changed": 700}],
    ids=["nothing", "compared", "swept", "both", "catching up"],
)
def test_a_webhook_that_names_its_document_waits_no_longer_than_three_seconds(
    meanwhile: dict[str, bool], seed: int
) -> None:
    day = Day(at_random(40, 30, seed), **meanwhile)  # type: ignore[arg-type]
    day.run(30)
    assert len(day.waited) == 40
    assert p95(day.waited) <= 3, sorted(day.waited)[-5:]
    assert_within_the_limits(day.calls)


@pytest.mark.parametrize(("compared", "longest"), [(False, 3), (True, 10)])
def test_one_that_names_nothing_costs_all_lists_of_changes(compared: bool, longest: float) -> None:
    day = Day([START + MINUTE + seconds(37 * n) for n in range(40)], named=False, compared=compared)
    day.run(30)
    assert len(day.waited) == 40
    assert p95(day.waited) <= longest, sorted(day.waited)[-5:]
    assert_within_the_limits(day.calls)


def test_a_comparison_keeps_its_share() -> None:
    quiet = Day([], compared=True)
    quiet.run(10)
    assert 190 <= quiet.compared_calls <= 200
    assert_within_the_limits(quiet.calls)
    hinted = Day(at_random(40, 30, 1), compared=True)
    hinted.run(30)
    assert hinted.compared_calls >= 400


def test_a_flood_of_hints_leaves_room_for_a_comparison_and_all_else() -> None:
    flood = Day([START + seconds(n) for n in range(600)], compared=True, changed=20)
    flood.run(10)
    assert_within_the_limits(flood.calls)
    assert flood.compared_calls >= 10
    assert not [each for each in flood.standing.wanted if each.why == "changed"]
    for key in ("log/log", "newest/invoices", "newest/orders", "delta/invoices"):
        assert flood.standing.finished[key].started >= START + timedelta(minutes=7), key
