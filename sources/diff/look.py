"""One look: what is asked about an answer, and what comes of it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeVar

from contracts.commands import Action
from sources.diff.known import Doubt
from sources.events import Event
from sources.problems import Problem

Shrunk = Literal["correction", "refund"]
"""How a payment that became smaller is read: it was corrected, or part of it was returned."""

Known = TypeVar("Known")

SETTLED: Final = timedelta(seconds=60)
"""After so long an answer that looks older than what was told is no longer taken for a late one."""


@dataclass(frozen=True, slots=True)
class Look:
    """When and for whom an answer was read."""

    account: str
    """SalesBinder's sub-domain."""
    at: datetime
    """The moment of the answer by SalesBinder's clock, its ``Date`` header."""
    shrunk: Shrunk = "correction"
    ours: datetime | None = None
    """The same moment by our clock; None: not known."""

    def not_ahead(self, time: datetime | None) -> datetime:
        """Return the moment of a change that SalesBinder dates so; without a date, that of the answer.

        What is ahead of both clocks has not happened yet. One alone may be behind: a server's, or that of a
        proxy that answers with an old ``Date``.
        """
        return self.at if time is None else min(time, max(self.at, self.ours or self.at))


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was found and has not been made an event yet."""

    action: Action
    time: datetime | None
    """When it happened; none if SalesBinder does not say."""
    identity: tuple[str, ...] = ()
    transaction: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Known]):
    """What a look found. If the events cannot be made, ``known`` is what was known before."""

    known: Known
    events: tuple[Event, ...] = ()
    problems: tuple[Problem, ...] = ()
    again: bool = False
    """Whether the record is to be looked at again soon, although nothing in the lists will say so."""


def moments(changes: Sequence[Change], since: datetime | None, look: Look) -> list[datetime]:
    """Return the times of the events of ``changes``: never before the record's last event, never ahead of
    the answer, never backwards.
    """
    times: list[datetime] = []
    for change in changes:
        time = look.not_ahead(change.time)
        last = times[-1] if times else since
        times.append(max(time, last) if last is not None else time)
    return times


def doubted(doubt: Doubt | None, mark: str, look: Look) -> Doubt | None:
    """Return the doubt about an answer that looks older than what was told; none once it is believed."""
    if doubt is None or doubt.mark != mark:
        return Doubt(mark=mark, at=look.at)
    return None if look.at - doubt.at >= SETTLED else doubt
