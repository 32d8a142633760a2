"""Commands of an account that pour in: its lane lets the intake go first, and finds whole batches."""

from collections.abc import Iterable
from dataclasses import dataclass

_WINDOW = 0.3
"""Seconds in which commands are counted."""
_MANY = 12
"""Commands in one window from which on they count as pouring."""
_LONGEST = 2.0
"""Seconds for which a lane stands back at most; then it has as long to take up what is there."""


@dataclass(slots=True)
class _Account:
    counted_from: float = 0.0
    count: int = 0
    began: float = 0.0
    ends: float = 0.0


class Rush:
    """Shared by the intake and the lanes of a worker. Times are seconds of a clock that does not go back."""

    def __init__(self) -> None:
        self._accounts: dict[str, _Account] = {}

    def came(self, accounts: Iterable[str], now: float) -> None:
        """The intake has taken in a command of each of these accounts, which may repeat."""
        for name in accounts:
            account = self._accounts.setdefault(name, _Account())
            if now - account.counted_from > _WINDOW:
                account.counted_from, account.count = now, 0
            account.count += 1
            if account.count >= _MANY:
                if now >= account.ends or now - account.began >= 2 * _LONGEST:
                    account.began = now
                account.ends = now + _WINDOW

    def wait(self, name: str, now: float) -> float:
        """Seconds for which the account's lane should not take up new commands; 0 when it may."""
        account = self._accounts.get(name)
        if account is None or now >= account.ends or now - account.began >= _LONGEST:
            return 0.0
        return min(account.ends, account.began + _LONGEST) - now
