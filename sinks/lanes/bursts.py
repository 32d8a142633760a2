"""Handle bursts of an account's commands: its lane takes them up in whole batches, and the intake goes
first.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_MANY = 12
"""Commands that have arrived, less ``_A_SECOND`` per second, from which on they count as a burst."""
_A_SECOND = 10.0
"""Commands per second that a lane takes up as they come."""
_CALM = 0.5
"""Seconds without a new command after which a burst is over, at the latest."""
_ENOUGH = 150
"""Commands that fill a call of contacts, one of documents and one of payments."""
_LONGEST = 5.0
"""Seconds for which a lane gathers at most."""


@dataclass(slots=True)
class _Account:
    level: float = 0.0
    """How many have arrived recently; falls with time."""
    at: float = 0.0
    """When ``level`` had this value."""
    began: float = 0.0
    gathered: int = 0

    def level_at(self, now: float) -> float:
        return max(0.0, self.level - (now - self.at) * _A_SECOND)


class BurstGate:
    """Tells lanes to let bursts gather. Shared by the intake and the lanes of a worker. Times are seconds of
    a clock that does not go back.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def came(self, accounts: Iterable[str], now: float) -> None:
        """Note that the intake has taken in a command for each of these accounts, which may repeat."""
        for name, count in Counter(accounts).items():
            account = self._accounts.setdefault(name, _Account())
            level = account.level_at(now)
            if level < _MANY:
                account.began, account.gathered = now, 0
            account.level = min(level + count, _MANY + _CALM * _A_SECOND)
            account.at = now
            account.gathered += count

    def taken_up(self, name: str, now: float) -> None:
        """Note that the account's lane has taken up what was there: the next commands gather again."""
        account = self._accounts.get(name)
        if account is not None:
            account.began, account.gathered = now, 0

    def wait(self, name: str, now: float) -> float:
        """Return the seconds for which the account's lane should not take up new commands; 0 if it may."""
        account = self._accounts.get(name)
        if account is None or account.gathered >= _ENOUGH:
            return 0.0
        calm = (account.level_at(now) - _MANY) / _A_SECOND
        return max(0.0, min(calm, account.began + _LONGEST - now))
