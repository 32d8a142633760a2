"""A random shop that the installation reads, as it goes on."""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from sandbox.clock import Clock
from sandbox.fake_salesbinder import Switches
from sources.diff.look import Shrunk
from sources.events import Event
from sources.problems import Problem
from tests.reliability.shops.installation import Message
from tests.unit.sources.faults import LONGEST, MOST_BLOCKS, drawn
from tests.unit.sources.meeting import Encounter

_LIMITS = (100, 36)
"""Calls a minute and in ten seconds: twice what SalesBinder allows, because a moment in which this machine is
busy is many seconds of the fast clock. The true limits are those of the reader in memory."""
_PAUSES = (0, 0, 2, 5, 20, 60)
"""Seconds from one act to the next."""
_FAULTS_AN_ACT = 0.25


@dataclass
class Heard:
    """What a process has published and keeps, in the place of a reader in memory."""

    now: datetime
    told: Sequence[Event] = ()
    problems: Sequence[Problem] = ()
    shrunk: Shrunk = "correction"
    repeated: int = 0
    """Messages that are there once more, to the byte."""
    faked: list[str] = field(default_factory=list)
    """Ids that stand for two contents."""


class ReadShop(Encounter):
    """What happens in a shop, and what became of it."""

    reader: Heard

    def __init__(self, row: int, switches: Switches, seed: int, account: str, clock: Clock) -> None:
        super().__init__(switches, seed * 1000 + row, account, clock)
        self.row, self.account = row, account
        self.reader = Heard(clock.now())
        self.chance = random.Random(f"shops/{seed}/{row}")
        self.tenant_id = ""
        self.settings = {
            "refund_as": self.chance.choice(("credit_note", "reverse_payment")),
            "received_as": self.chance.choice(("bill", "billed")),
        }
        self.faults: Counter[str] = Counter()
        self.world.limiter.minute, self.world.limiter.burst = _LIMITS
        self.names: defaultdict[str, set[str]] = defaultdict(set)
        """Of each account, all that it ever had."""
        self._next = clock.now()
        self._ends: list[tuple[datetime, int]] = []
        self._blocks = 0

    def namesakes(self, party_id: str) -> set[str]:
        """Return the accounts, itself among them, with which it has ever shared a name: as a prospect that
        became a customer twice. Xero has one contact for all of a name, and each tells it what it changed.
        """
        own = self.names[party_id]
        return {party_id, *(other for other, names in self.names.items() if names & own)}

    @property
    def changes(self) -> int:
        """How many things have happened that the contract has an event for."""
        return sum(change.is_event for change in self.shop.truth.history)

    def live(self, wanted: int, pace: float, *, with_faults: bool) -> bool:
        """Let happen what is due; return False once so many changes have happened."""
        now = self.world.clock.now()
        self._end_faults(now)
        if self.changes >= wanted:
            return False
        while self._next <= now and self.changes < wanted:
            self.keeper.step()
            for party in self.shop.truth.parties.values():
                self.names[party.id].add(str(party.fields["name"]))
            if with_faults and self.chance.random() < _FAULTS_AN_ACT:
                self._misbehave(now, pace)
            self._next = max(self._next, now - timedelta(minutes=1))
            self._next += timedelta(seconds=self.chance.choice(_PAUSES))
        return True

    def _misbehave(self, now: datetime, pace: float) -> None:
        fault = drawn(self.chance, self.shop.switches)
        times = self.chance.randint(1, 4)
        if fault["kind"] == "rate_limit":
            if self._blocks == MOST_BLOCKS:
                return
            self._blocks, times = self._blocks + 1, 1
        if fault["kind"] == "slow":
            fault["seconds"] /= pace
        rule = self.world.faults.add(**fault, times=times, skip=self.chance.randint(0, 4))
        self._ends.append((now + self.chance.random() * LONGEST, rule.fault_id))

    def _end_faults(self, now: datetime) -> None:
        over = {fault_id for end, fault_id in self._ends if end <= now}
        self._take_off(over)
        self._ends = [each for each in self._ends if each[1] not in over]

    def _take_off(self, over: set[int]) -> None:
        for rule in [rule for rule in self.world.faults.rules if rule.fault_id in over]:
            self.faults[rule.kind] += rule.hits
            self.world.faults.clear(rule.fault_id)

    def behave(self) -> None:
        """Let nothing go wrong any more."""
        self._take_off({rule.fault_id for rule in self.world.faults.rules})
        self._ends = []

    def hear(self, messages: Sequence[Message], problems: Sequence[Problem]) -> None:
        """Take what was published of it; a message that is there again tells nothing new."""
        heard, known = Heard(self.world.clock.now(), problems=problems), dict[str, bytes]()
        told: list[Event] = []
        for message in messages:
            if not message.key.startswith(f"{self.account}/".encode()):
                continue
            said = msgspec.json.decode(message.value)
            if said["id"] in known:
                heard.repeated += 1
                heard.faked += [said["id"]] * (known[said["id"]] != message.value)
                continue
            known[said["id"]] = message.value
            time = datetime.fromisoformat(said["time"])
            told.append(Event(said["id"], message.topic, message.key, message.value, said["type"], time))
        heard.told = told
        self.reader = heard
