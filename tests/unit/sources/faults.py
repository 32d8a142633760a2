"""A meeting in which SalesBinder misbehaves: scripted faults, drawn from a seed."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final

from sandbox.fake_salesbinder import Switches
from sandbox.fake_salesbinder.api import Answer as Sent
from sources.client import DEADLINE, NoAnswer
from sources.diff.look import Shrunk
from sources.salesbinder.verdicts import Answer, read_date, read_retry_after
from sources.schedule.questions import Question
from tests.unit.sources.meeting import START, Encounter
from tests.unit.sources.memory_store import StoreReader

_LISTS: Final = r"\.json\?"
_DETAILS: Final = r"^(documents|customers)/"
_NO_LIMIT: Final = 10**9
_SETTLED: Final = timedelta(seconds=70)
"""After so long all that lags has come, and an answer that seemed late is believed."""
_ROUNDS: Final = 7
"""More than a record that the log wrongly names is looked at again."""
LONGEST: Final = timedelta(seconds=55)
"""What is so for a minute is believed: a detail that is gone, and in the log."""
MOST_BLOCKS: Final = 5
"""In an hour: after ten, SalesBinder may refuse the key for good, by a switch."""
FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "rate_limit"},
    {"kind": "html"},
    {"kind": "html", "status": 503},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 401},
    {"kind": "status", "status": 403},
    {"kind": "redirect"},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "slow", "seconds": 60},
    {"kind": "broken_off"},
    {"kind": "truncated", "fraction": 0.3},
    {"kind": "truncated", "fraction": 0.9},
    {"kind": "notice"},
    {"kind": "invalid_utf8"},
    {"kind": "missing_root"},
    {"kind": "clock_off", "seconds": 90},
    {"kind": "clock_off", "seconds": -90},
    {"kind": "clock_off", "seconds": 5400},
    {"kind": "clock_off", "seconds": -5400},
    {"kind": "not_found", "path": _DETAILS},
    {"kind": "other_record", "path": _DETAILS},
    {"kind": "not_found", "path": _LISTS},
    {"kind": "counts", "path": _LISTS, "amount": 3},
    {"kind": "counts", "path": _LISTS, "amount": -1},
    {"kind": "empty_list", "path": _LISTS},
    {"kind": "halved_list", "path": _LISTS},
    {"kind": "duplicate_rows", "path": _LISTS},
    {"kind": "skip_rows", "path": _LISTS},
    {"kind": "other_context", "path": _LISTS},
)
_OFTEN: Final = 0.6
_SELDOM: Final = 0.1
_PAUSES: Final = (0, 5, 30, 60, 120)


def drawn(chance: random.Random, switches: Switches) -> dict[str, Any]:
    """Return one of the faults that can happen in a shop with these switches."""
    fault = dict(chance.choice(FAULTS))
    if fault["kind"] == "other_context" and switches.account_context_id == "absent":
        fault |= {"path": r"^documents\.json\?"}  # which list an account is of, only the list says then
    return fault


class FaultyMeeting(Encounter):
    """The product's own reader, and answers that come late, broken, wrong, or not at all."""

    reader: StoreReader

    def __init__(self, switches: Switches, seed: int, shrunk: Shrunk = "correction") -> None:
        super().__init__(switches, seed)
        self.reader = StoreReader(self.ask, START, shrunk, page_limit=7 if seed % 2 else 200)
        self.chance = random.Random(f"faults/{seed}")
        self.struck: Counter[str] = Counter()
        """How many answers each kind has hit."""
        self.cursed: set[str] = set()
        """Records that no list can show: each page with one of them fails."""
        self._blocks = 0
        self._ends: list[tuple[datetime, int]] = []

    def ask(self, asked: Question) -> Answer:
        for end, fault_id in self._ends:
            if end <= self.reader.now:
                self.world.faults.clear(fault_id)
        sent = self.call(asked)
        self.struck.update(fault.kind for fault in sent.faults)
        self._lose(sent, asked)
        if any(each.encode() in sent.body for each in self.cursed) and asked.path.count("/") == 0:
            self.struck["cursed"] += 1
            return Answer(500, b"<html>", None, None)
        date = read_date(sent.headers.get("Date"))
        wait = read_retry_after(sent.headers.get("Retry-After"), date)
        return Answer(sent.status, sent.body, date, wait)

    def _lose(self, sent: Sent, asked: Question) -> None:
        """Do what the client does where there is no whole answer."""
        for fault in sent.faults:
            if fault.kind == "slow" and fault.seconds > DEADLINE:
                self.reader.now += timedelta(seconds=DEADLINE)
                raise NoAnswer("too_slow", asked.path, "no whole answer")
            if fault.kind == "broken_off":
                raise NoAnswer("unreachable", asked.path, "ClientPayloadError")
        if sent.status == 0:
            raise NoAnswer("unreachable", asked.path, "ServerDisconnectedError")

    def misbehave(self, *, times: int, skip: int, is_short: bool = False) -> None:
        """Let something go wrong with some of the next answers; for less than a minute if ``is_short``."""
        fault = drawn(self.chance, self.shop.switches)
        if fault["kind"] == "rate_limit":
            if self._blocks == MOST_BLOCKS:
                return
            self._blocks, times = self._blocks + 1, 1
        if fault["kind"] == "not_found" and not is_short:
            times = 1
        times, skip = self.chance.randint(1, times), self.chance.randint(0, skip)
        fault_id = self.world.faults.add(**fault, times=times, skip=skip).fault_id
        if is_short:
            self._ends.append((self.reader.now + self.chance.random() * LONGEST, fault_id))

    def curse(self, most: int) -> None:
        """Let lists fail at other records than before."""
        documents = [each.id for each in self.shop.truth.documents.values()]
        self.cursed = set(self.chance.sample(documents, min(len(documents), self.chance.randint(0, most))))

    def behave(self) -> None:
        """Let nothing go wrong any more."""
        self.world.faults.clear()
        self._ends.clear()

    def look(self) -> None:
        """Read all lists and details through what goes wrong, then until nothing is left open."""
        self.world.limiter.minute = self.world.limiter.burst = _NO_LIMIT
        self._look_once()
        self.behave()
        self._look_once()
        for _ in range(_ROUNDS):
            if self.reader.store.wishes:
                self._look_once()

    def read_by_schedule(self, acts: int, cursed: int = 0) -> None:
        """Let so many things happen, and go wrong now and then, while the schedule goes on; then two weeks
        pass, in which each sweep and each deep read comes. ``cursed``: records that lists fail at, at most.
        """
        self.reader.run_until(START + timedelta(minutes=2))
        for _ in range(acts):
            self.act()
            if cursed and self.chance.random() < _SELDOM:
                self.curse(cursed)
            if self.chance.random() < _OFTEN:
                self.misbehave(times=4, skip=4, is_short=True)
            pause = timedelta(seconds=self.chance.choice(_PAUSES))
            self.reader.run_until(self.reader.now + pause)
        self.behave()
        self.cursed = set()
        for _ in range(2):
            self.reader.now += timedelta(days=8)
            self.reader.run_until(self.reader.now + timedelta(minutes=25))

    def settle(self) -> None:
        """Look until nothing is left open, and read each layer of each list once more."""
        self.look()
        self._look_once(whole=True)
        self.look()

    def _look_once(self, whole: bool = False) -> None:
        self.reader.now += _SETTLED
        self.reader.read_all(whole)
