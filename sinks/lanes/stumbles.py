"""Which commands Xero alone stumbles over: it answers them with errors of its own, and takes others. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

STUMBLES = 8
"""Errors of Xero's own over one command alone that say it is this one, where others were taken meanwhile."""
OTHERS = 3
"""What Xero must have taken of others since the first of them, at the least…"""
OTHERS_AN_ERROR = 4
"""…and for each error over one of those: where Xero is in trouble, half of everything gets errors."""


@dataclass(slots=True)
class _Stumble:
    status: int
    times: int
    passed_before: int
    broke_before: int
    own: int = 0


@dataclass(slots=True)
class Stumbles:
    """Counts of one account. While everything gets an error, nothing is anybody's fault."""

    _passed: int = 0
    _broke: int = 0
    _over: dict[str, _Stumble] = field(default_factory=dict)

    def over(self, command_id: str, status: int, *, alone: bool = True) -> None:
        """Xero answered a call that this command was in, ``alone`` or not, with an error of its own."""
        stumble = self._over.setdefault(command_id, _Stumble(status, 0, self._passed, self._broke))
        stumble.status = status
        stumble.times += alone
        self._broke += alone

    def passed(self, command_ids: Iterable[str]) -> None:
        """Xero took these commands' parts of a call."""
        for command_id in command_ids:
            self._passed += 1
            if command_id in self._over:
                self._over[command_id].own += 1

    def status(self, command_id: str) -> int | None:
        """Return the status of the errors where Xero stumbles over this command alone; None if it
        does not.
        """
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
