"""One worker's part of the accounts: what it is to take now, and what to give back."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from runtime.database import Connection
from sinks.lanes.division import Portion, assign, to_give, weights_matter
from sinks.ledger import leases
from sinks.ledger.leases import Account

GRACE = 0.5
"""Seconds after which a worker takes also what is another one's to take: that one may hang."""
_LASTING = 3.0
"""Seconds for which an account has had work that was not done at once."""
_STAY = 5.0
"""Seconds for which a worker keeps what it has taken."""
_NOT_TAKEN = 10.0
"""Seconds until the next try after nobody took what was given."""
_NOT_LEFT = 30.0
"""Seconds for which an organisation is kept whose calls took too long: it has rested for nothing."""
_NEXT_TO_LEAVE = 3.0
"""Seconds until another one is tried instead."""
_WEIGHED_FOR = 5.0
"""Seconds for which weights are good."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes that a worker has, as they were before it looked what there is."""

    ages: Mapping[str, float]
    """Seconds since each began, by account."""
    leaving: Collection[str] = ()
    """Accounts that are about to be given back."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the worker is to do."""

    take: Sequence[str] = ()
    """Accounts."""
    give: Sequence[str] = ()
    """Accounts of one organisation."""
    call: bool = False
    """The others should look: something is theirs to take."""
    look_in: float | None = None
    """Seconds until it should look again, if that is soon."""


class Leasing:
    """What one worker has seen of the division so far. Times are seconds of a clock that does not go back."""

    def __init__(self, holder: int) -> None:
        self.holder = holder
        self.elsewhere: frozenset[str] = frozenset()
        """Accounts that other workers have."""
        self.alone = True
        """True while no other worker was seen."""
        self._free_since: dict[str, float] = {}
        self._gift: str | None = None
        """The organisation that is being given, until another worker has it."""
        self._gift_at = 0.0
        self._give_after = 0.0
        self._keep_until: dict[str, float] = {}
        """By organisation."""
        self._weights: dict[str, int] = {}
        self._weighed_at = 0.0

    async def decide(self, connection: Connection, lanes: Lanes, now: float) -> Decision:
        """Look what there is to divide, and return what is to be done."""
        holdings = await leases.holdings(connection)
        workers = holdings.workers | {self.holder}
        self.alone = len(workers) == 1
        self.elsewhere = frozenset(
            account.name for account in holdings.accounts if account.holder not in (None, self.holder)
        )
        members: defaultdict[str, list[Account]] = defaultdict(list)
        for account in holdings.accounts:
            members[account.organisation].append(account)
        portions = [
            _portion(name, accounts, self.holder)
            for name, accounts in members.items()
            if any(account.has_work for account in accounts)
        ]
        if weights_matter(self.holder, workers, portions):
            portions = await self._weighed(connection, portions, members, now)
        free, decision = self._free(assign(workers, portions), now)
        mine = {portion.name for portion in portions if portion.holder == self.holder}
        leaving = {account.organisation for account in holdings.accounts if account.name in lanes.leaving}
        give = self._to_give(workers, portions, members, lanes, now)
        to_take = (account for name in {*free, *mine} - leaving - {give} for account in members[name])
        return replace(
            decision,
            take=[account.name for account in to_take if _lacks_lane(account, lanes)],
            give=[a.name for a in members[give] if a.name in lanes.ages] if give is not None else (),
        )

    def _free(self, assigned: Mapping[str, int], now: float) -> tuple[list[str], Decision]:
        """Return which free portions I take now, and when the others are to be looked at again."""
        since = self._free_since
        new = assigned.keys() - since.keys()
        self._free_since = {name: since.get(name, now) for name in assigned}
        left = {
            name: self._free_since[name] + GRACE - now for name, to in assigned.items() if to != self.holder
        }
        late = {name for name, wait in left.items() if wait <= 0.0}
        waits = [wait for name, wait in left.items() if name not in late]
        take = [name for name in assigned if name not in left or name in late]
        return take, Decision(call=not new.isdisjoint(left), look_in=min(waits, default=None))

    def _to_give(
        self,
        workers: Collection[int],
        portions: Sequence[Portion],
        members: Mapping[str, Sequence[Account]],
        lanes: Lanes,
        now: float,
    ) -> str | None:
        """Return the organisation to give back now: one at a time, until another worker has it."""
        if self._gift is not None:
            holders = {portion.name: portion.holder for portion in portions}
            if lanes.leaving or holders.get(self._gift, 0) is None:
                return None
            if holders.get(self._gift) == self.holder:
                ages = [lanes.ages[a.name] for a in members[self._gift] if a.name in lanes.ages]
                stayed = max(ages, default=0.0) > now - self._gift_at
                if stayed:
                    self._keep_until[self._gift] = now + _NOT_LEFT
                self._give_after = now + (_NEXT_TO_LEAVE if stayed else _NOT_TAKEN)
            self._gift = None
        if now < self._give_after or lanes.leaving:
            return None
        self._keep_until = {name: until for name, until in self._keep_until.items() if until > now}
        movable = [
            portion.name
            for portion in portions
            if portion.holder == self.holder
            and portion.name not in self._keep_until
            and _is_settled(members[portion.name], lanes)
        ]
        self._gift, self._gift_at = to_give(self.holder, workers, portions, movable), now
        return self._gift

    async def _weighed(
        self,
        connection: Connection,
        portions: Sequence[Portion],
        members: Mapping[str, Sequence[Account]],
        now: float,
    ) -> list[Portion]:
        names = {a.name for portion in portions if portion.busy for a in members[portion.name] if a.has_work}
        if now > self._weighed_at + _WEIGHED_FOR or not names <= self._weights.keys():
            self._weights = await leases.backlogs(connection, names)
            self._weighed_at = now
        return [
            replace(portion, weight=sum(self._weights.get(a.name, 0) for a in members[portion.name]))
            for portion in portions
        ]


def _portion(name: str, accounts: Sequence[Account], me: int) -> Portion:
    holders = {account.holder for account in accounts} - {None}
    ages = [account.age for account in accounts if account.age is not None]
    return Portion(
        name,
        me if me in holders else max(holders, key=lambda holder: holder or 0, default=None),
        busy=bool(ages),
        lasting=max(ages, default=0.0) > _LASTING,
    )


def _lacks_lane(account: Account, lanes: Lanes) -> bool:
    return account.has_work and account.name not in lanes.ages


def _is_settled(accounts: Iterable[Account], lanes: Lanes) -> bool:
    """Return True if the worker has had what it has of these for some time."""
    ages = [lanes.ages[account.name] for account in accounts if account.name in lanes.ages]
    return bool(ages) and min(ages) >= _STAY
