"""The shape of a reason in the catalogue."""

from dataclasses import dataclass
from typing import Literal

from contracts.reasons.codes import ReasonCode
from contracts.reasons.titles import title_of

Who = Literal["salesbinder", "xero", "settings", "us"]
Kind = Literal["failed", "settings", "waiting", "warning", "event", "source"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an entry failed, waits or was changed along the way.

    ``sentence`` and ``remedy`` are templates of ``str.format`` with named fields.
    """

    code: ReasonCode
    """Never changes: dashboards and scripts rely on it."""
    kind: Kind
    sentence: str
    """What happened, with the document's own numbers."""
    cause: str
    """Why this happens in general."""
    remedy: str
    """What to do about it."""
    who: Who
    """Where to fix it."""
    retry: str
    """What happens automatically."""
    cause_args: tuple[str, ...] = ()
    """The details that distinguish causes: failures that share them are fixed together. Never a
    document's number or an amount."""

    @property
    def title(self) -> str:
        """Return a few words for a heading."""
        return title_of(self.code)
