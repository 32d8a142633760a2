"""Find the commands over which alone Xero stumbles: it answers them with errors of its own, and takes others.
Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

STUMBLES = 8
"""Errors of Xero's own over one command alone after which it is to blame, if others were taken meanwhile."""
OTHERS = 3
"""The least number of other commands that Xero must have taken since the first of these errors…"""
OTHERS_AN_ERROR = 4
"""…and for each error over one of those: if Xero is in trouble, half of all calls get errors."""


@dataclass(slots=True)
class _Stumble:
    status: int
    times: int
    passed_before: int
    broke_before: int
    own: int = 0


@dataclass(slots=True)
class Stumbles:
    """Counts for one account. While everything gets an error, no command is to blame."""

    _passed: int = 0
    _broke: int = 0
    _over: dict[str, _Stumble] = field(default_factory=dict)

    def over(self, command_id: str, status: int, *, alone: bool = True) -> None:
        """Note that Xero answered a call with this command in it, ``alone`` or not, with an error of its
        own.
        """
        stumble = self._over.setdefault(command_id, _Stumble(status, 0, self._passed, self._broke))
        stumble.status = status
        stumble.times += alone
        self._broke += alone

    def passed(self, command_ids: Iterable[str]) -> None:
        """Note that Xero took these commands' parts of a call."""
        for command_id in command_ids:
            self._passed += 1
            if command_id in self._over:
                self._over[command_id].own += 1

    def status(self, command_id: str) -> int | None:
        """Return the status of the errors if Xero stumbles over this command alone; None if it does not."""
        stumble = self._over.get(command_id)
        if stumble is None or stumble.times < STUMBLES:
            return None
        others = self._passed - stumble.passed_before - stumble.own
        errors = self._broke - stumble.broke_before - stumble.times
        return stumble.status if others >= max(OTHERS, OTHERS_AN_ERROR * errors) else None

    def ended(self, command_ids: Iterable[str]) -> None:
        """Forget these: nothing more is sent for them."""
        for command_id in command_ids:
            self._over.pop(command_id, None)
