"""Find the commands over which alone Xero stumbles: it answers them with errors of its own, and takes others.
Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

STUMBLES = 8
"""Errors of Xero's own over one command alone after which it is to blame, if others were taken meanwhile."""
OTHERS = 3
"""The least number of other calls that Xero must have taken since the first of these errors…"""
OTHERS_AN_ERROR = 4
"""…and for each other call that got an error: if Xero is in trouble, half of all calls get errors."""


@dataclass(slots=True)
class _Stumble:
    status: int
    passed_before: int
    broke_before: int
    times: int = 0
    own_passed: int = 0
    own_broke: int = 0


@dataclass(slots=True)
class Stumbles:
    """Counts of calls for one account. While everything gets an error, no command is to blame."""

    _passed: int = 0
    _broke: int = 0
    _over: dict[str, _Stumble] = field(default_factory=dict)

    def broke(self, command_ids: Iterable[str], status: int, *, alone: bool) -> None:
        """Note that Xero answered a call with an error of its own. ``alone``: it had a single element."""
        for command_id in command_ids:
            stumble = self._over.setdefault(command_id, _Stumble(status, self._passed, self._broke))
            stumble.status = status
            stumble.times += alone
            stumble.own_broke += 1
        self._broke += 1

    def passed(self, command_ids: Iterable[str]) -> None:
        """Note that Xero took a call."""
        self._passed += 1
        for command_id in command_ids:
            if command_id in self._over:
                self._over[command_id].own_passed += 1

    def status(self, command_id: str) -> int | None:
        """Return the status of the errors if Xero stumbles over this command alone; None if it does not."""
        stumble = self._over.get(command_id)
        if stumble is None or stumble.times < STUMBLES:
            return None
        others = self._passed - stumble.passed_before - stumble.own_passed
        errors = self._broke - stumble.broke_before - stumble.own_broke
        return stumble.status if others >= max(OTHERS, OTHERS_AN_ERROR * errors) else None

    def ended(self, command_ids: Iterable[str]) -> None:
        """Forget these: nothing more is sent for them."""
        for command_id in command_ids:
            self._over.pop(command_id, None)
