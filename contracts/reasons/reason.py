"""The shape of a reason of the catalogue."""

from dataclasses import dataclass
from typing import Literal

from contracts.reasons.codes import ReasonCode
from contracts.reasons.titles import title_of

Who = Literal["salesbinder", "xero", "settings", "us"]
Kind = Literal["failed", "settings", "waiting", "warning", "event"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an entry failed, waits or was changed on the way.

    ``sentence`` and ``remedy`` are templates of ``str.format`` with named fields.
    """

    code: ReasonCode
    """Never changes: dashboards and scripts hold on to it."""
    kind: Kind
    sentence: str
    """What happened, with the document's own numbers."""
    cause: str
    """Why such a thing happens at all."""
    remedy: str
    """What a person can do."""
    who: Who
    """Where it is put right."""
    retry: str
    """What happens without anybody."""
    cause_args: tuple[str, ...] = ()
    """The details that tell one cause from another: failures that agree in them are put right together. Never
    a document's number or an amount."""

    @property
    def title(self) -> str:
        """A few words for a heading."""
        return title_of(self.code)
