"""Share one organisation's limits between the accounts that are connected to it.

Xero counts calls per organisation, and per app within it, no matter which of our accounts they are for. All
lanes of an organisation run in one worker (``delivery.py``), so their budgets are objects that they share
here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from contracts.reasons import ReasonCode
from sinks.lanes.budget import Budget

_WANTS_FOR = 1.0
"""Seconds for which an account that could not send counts as one that wants to."""
_KEPT_FOR_OTHERS = 5
"""Calls per minute that an account with more than its share of it leaves to the others…"""
_KEPT_SECONDS = 55.0
"""…until so many of Xero's seconds of the minute are over: after that, nothing must be left unused."""
_LOOK_AGAIN = 0.5
"""Seconds until an account that waits for others looks again, unless it is woken before."""


@dataclass(slots=True)
class Share:
    """A budget, and the accounts that use it."""

    budget: Budget
    used: dict[str, int] = field(default_factory=dict)
    """Calls of each account in the present minute."""
    wants: dict[str, float] = field(default_factory=dict)
    """The time until which an account counts as one that wants to send."""
    members: dict[str, Callable[[], None]] = field(default_factory=dict)
    """The function that wakes the lane, by account."""
    _minute: float | None = None

    def turn_of(self, account: str, now: float) -> str | None:
        """Return the account that must go first, since it wants to send and has sent less; None if it is
        ``account``'s turn.
        """
        if self.budget.window_opened != self._minute:
            if self._minute is not None:  # else the calls so far are the first ones of this minute
                self.used.clear()
            self._minute = self.budget.window_opened
        own = self.used.get(account, 0)
        for other, until in list(self.wants.items()):
            if until <= now:
                del self.wants[other]
            elif other != account and self.used.get(other, 0) < own:
                return other
        return None

    def has_its_part(self, account: str) -> bool:
        """Return True if there are others, and the account has used more of the minute than an equal part."""
        others = len(self.members) - 1
        return others > 0 and self.used.get(account, 0) * len(self.members) > self.budget.minute_limit

    def kept(self, account: str, now: float) -> float:
        """Return the seconds for which the last calls of the minute are left to the others."""
        budget = self.budget
        if budget.window_opened is None or budget.minute_left > _KEPT_FOR_OTHERS:
            return 0.0
        end = budget.window_opened + _KEPT_SECONDS / budget.rate
        return max(0.0, end - now) if self.has_its_part(account) else 0.0

    def wake_others(self, account: str) -> None:
        """Note that a call has ended: those that wait for it may continue."""
        for other in list(self.wants):
            if other != account:
                self.wake(other)

    def wake(self, account: str) -> None:
        """Wake the account's lane, so that it checks whether it may send."""
        if account in self.members:
            self.members[account]()


class Shares:
    """The budgets of all organisations that this worker has lanes for."""

    def __init__(self) -> None:
        self._shares: dict[tuple[str, str], Share] = {}

    def join(self, key: tuple[str, str], account: str, rate: float, wake: Callable[[], None]) -> Share:
        """Return the share of this organisation and app, which ``account`` lives on from now on. One that
        nobody lives on is made again: another worker may have used any of it in between.
        """
        share = self._shares.get(key)
        if share is None or not share.members:
            share = self._shares[key] = Share(Budget(rate=rate))
        share.members[account] = wake
        return share

    def leave(self, key: tuple[str, str], account: str) -> None:
        """Note that the account's lane has ended."""
        share = self._shares.get(key)
        if share is not None:
            share.members.pop(account, None)
            share.wants.pop(account, None)
            if not share.members:
                del self._shares[key]


class AccountBudget:
    """The calls that one account may send: its organisation's limits, in fair shares with its other accounts.

    A lane uses it like a ``Budget``. If trouble of this account alone closes it (``close``), the others stay
    open; what Xero says about the limits applies to all.
    """

    def __init__(self, account: str, rate: float, shares: Shares | None = None) -> None:
        self.account = account
        self.rate = rate
        self.wake: Callable[[], None] = lambda: None
        self._registry = shares or Shares()
        self._keys: tuple[tuple[str, str], ...] = ()
        self._shares: tuple[Share, ...] = (Share(Budget(rate=rate)),)
        self._under_way = 0
        self._closed_until = 0.0
        self._closed_why: ReasonCode = "xero_unavailable"

    def join(self, tenant_id: str, client_id: str) -> bool:
        """Use this organisation's limits. Return True if no other account did, so that the rest of them is
        unknown.
        """
        keys = ((tenant_id, ""), (tenant_id, client_id))
        if keys == self._keys:
            return False
        self.leave()
        self._keys = keys
        self._shares = tuple(self._registry.join(key, self.account, self.rate, self._wake) for key in keys)
        return len(self._shares[0].members) == 1

    def leave(self) -> None:
        """Stop using them. Calls in progress that nobody waits for any more are no longer counted."""
        for share in self._shares:
            share.budget.in_flight -= self._under_way
            share.wake_others(self.account)
        for key in self._keys:
            self._registry.leave(key, self.account)
        self._under_way = 0
        self._keys = ()
        self._shares = (Share(Budget(rate=self.rate)),)

    def _wake(self) -> None:
        self.wake()

    def _budgets(self) -> Iterable[Budget]:
        return (share.budget for share in self._shares)

    # Limits

    def wait(self, now: float) -> float | None:
        """Return seconds until a call may be sent; 0 for at once; None if that depends on the end of a call
        in progress. An account that asks wants to send: until it has, or a second is over, others that have
        sent more wait.
        """
        waits = [self._own_wait(now), *(budget.wait(now) for budget in self._budgets())]
        known = [wait for wait in waits if wait is not None]
        longest = max(known, default=0.0)
        if longest == 0.0 and len(known) == len(waits):
            longest = max(share.kept(self.account, now) for share in self._shares)
            if longest == 0.0:
                if not self._lets_others_go_first(now):
                    return 0.0
                longest = _LOOK_AGAIN
        for share in self._shares:
            share.wants[self.account] = now + _WANTS_FOR
        if longest == 0.0:
            alone = len(self._shares[0].members) < 2
            return None if alone else _LOOK_AGAIN  # one that does not ask again soon has nothing to send
        return longest

    def _own_wait(self, now: float) -> float:
        return max(0.0, self._closed_until - now)

    def _lets_others_go_first(self, now: float) -> bool:
        for share in self._shares:
            first = share.turn_of(self.account, now)
            if first is not None:
                share.wake(first)
                return True
        for share in self._shares:
            share.wants.pop(self.account, None)
        return False

    def spare(self, now: float) -> bool:
        """Return True if a call may be sent for work that has time, with enough left for new events
        meanwhile.
        """
        spare = [budget.spare(now) for budget in self._budgets()]
        return (
            self._own_wait(now) == 0.0
            and all(spare)
            and not any(until > now for until in self._shares[0].wants.values())
        )

    def sent(self) -> None:
        """Count a call that goes out."""
        self._under_way += 1
        for share in self._shares:
            share.wants.pop(self.account, None)
            share.used[self.account] = share.used.get(self.account, 0) + 1
            share.budget.sent()

    def not_sent(self) -> None:
        """Take back a counted call that did not reach Xero."""
        self._ended(lambda budget: budget.not_sent())

    def lost(self) -> None:
        """Note that a call ended without a response."""
        self._ended(lambda budget: budget.lost())

    def answered(self, now: float, headers: Mapping[str, str]) -> None:
        """Take over Xero's own count from a response. ``headers`` have lower-case names."""
        self._ended(lambda budget: budget.answered(now, headers))

    def _ended(self, how: Callable[[Budget], None]) -> None:
        self._under_way -= 1
        for share in self._shares:
            how(share.budget)
            share.wake_others(self.account)

    def refused(self, now: float, headers: Mapping[str, str]) -> str:
        """Handle a 429: stop the organisation's calls for as long as Xero says. Return the reason code
        of the wait.
        """
        for budget in self._budgets():
            why = budget.refused(now, headers)
        return why

    def close(self, now: float, xero_seconds: float, why: ReasonCode) -> None:
        """Allow no call of this account for so many of Xero's seconds."""
        own = Budget(rate=self.rate)
        own.close(now, xero_seconds, why)
        if own.closed_until > self._closed_until:
            self._closed_until, self._closed_why = own.closed_until, why

    def reopen(self) -> None:
        """Forget the trouble that stopped only this account."""
        self._closed_until = 0.0

    def unlimited(self, calls: int) -> None:
        """Allow so many calls per minute, for work that sends nothing to Xero at all."""
        for budget in self._budgets():
            budget.minute_limit = budget.minute_left = calls

    def take_over(self, now: float, calls: int) -> None:
        """Count this many calls made in the last minute by former users of these limits."""
        for budget in self._budgets():
            budget.minute_left = max(0, budget.minute_limit - calls)
            budget.window_opened = now

    def close_all(self, now: float, xero_seconds: float, why: ReasonCode) -> None:
        """Allow no call of any account of the organisation for so many of Xero's seconds."""
        for budget in self._budgets():
            budget.close(now, xero_seconds, why)

    def pace(self, now: float) -> float:
        """Return the seconds from one call to the next at which the remaining calls last, as ``Budget``
        does.
        """
        if len(self._shares[0].members) > 1 and not self._shares[0].has_its_part(self.account):
            return 0.0  # the others would use the calls that it saves
        return max(budget.pace(now) for budget in self._budgets())

    # The rest of the limits

    @property
    def _closing(self) -> tuple[float, ReasonCode]:
        shared = [(budget.closed_until, budget.closed_why) for budget in self._budgets()]
        return max([(self._closed_until, self._closed_why), *shared])

    @property
    def closed_until(self) -> float:
        """Until when nothing may be sent."""
        return self._closing[0]

    @property
    def closed_why(self) -> ReasonCode:
        """The reason code for that."""
        return self._closing[1]

    @property
    def in_flight(self) -> int:
        """Calls of this account that are in progress."""
        return self._under_way

    @property
    def minute_left(self) -> int:
        """Calls left in the minute, of the organisation."""
        return min(budget.minute_left for budget in self._budgets())

    @property
    def day_left(self) -> int | None:
        """Calls left to the organisation in the day; None if Xero has not reported it yet."""
        return min((left for b in self._budgets() if (left := b.day_left) is not None), default=None)

    def minute_left_at(self, now: float) -> int:
        """Return calls left in the minute, all of them once the window that was counted is over."""
        return min(budget.minute_left_at(now) for budget in self._budgets())
