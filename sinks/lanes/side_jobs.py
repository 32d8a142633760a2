"""Work that others ask of a lane beside its account's commands, since only a lane calls Xero."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sinks.lanes.lane import Lane


@dataclass(frozen=True, slots=True)
class SideJob:
    """A kind of such work."""

    kind: str
    """As the ledger's open requests name it."""
    step: Callable[[Lane, str], Awaitable[float]]
    """Does the next step of the request with this id; returns the seconds until the one behind it is due.

    Raises NoUsableAnswer when Xero did not answer: the same step is to be made again.
    """
    when_idle: bool
    """True when it waits until the lane has nothing else to send and calls are plenty."""


@dataclass(slots=True)
class SideJobState:
    """How one lane stands with one kind of job."""

    job: SideJob
    request: str | None = None
    """Id of the request that is open; none when nobody asks."""
    at_work: bool = False
    due_after: float = 0.0
    """By the machine's clock."""
