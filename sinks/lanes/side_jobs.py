"""Work that others ask of a lane besides its account's commands, since only a lane calls Xero."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sinks.lanes.lane import Lane


@dataclass(frozen=True, slots=True)
class SideJob:
    """A kind of such work."""

    kind: str
    """Its name in the ledger's open requests."""
    step: Callable[[Lane, str], Awaitable[float]]
    """Makes the next step of the request with this id; returns the seconds until the step after it is due.

    Raises NoUsableAnswer when Xero did not answer: the same step is to be made again.
    """
    when_idle: bool
    """True when it waits until the lane has nothing else to send and calls are plenty."""


@dataclass(slots=True)
class SideJobState:
    """One lane's progress with one kind of job."""

    job: SideJob
    request: str | None = None
    """Id of the open request; None if there is none."""
    at_work: bool = False
    due_after: float = 0.0
    """By the machine's clock."""
