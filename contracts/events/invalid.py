"""Describe the fault in an event: raised where it is found, and shown by a reason."""

import re
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Control characters and lone surrogates, which none of our texts may contain."""


@dataclass(frozen=True, slots=True)
class PartialEvent:
    """The readable parts of a refused event; blank if unreadable."""

    account: str = ""
    entity: str = ""
    action: str = ""
    record_id: str = ""
    record_number: str = ""
    event_id: str = ""
    type: str = ""
    time: datetime | None = None


class InvalidEvent(ValueError):
    """A record that is not a valid change event.

    ``field``, ``value`` (shortened), ``problem`` and ``remedy`` describe the fault; ``reason_code`` and
    ``details`` are for the catalogue of reasons. The rest is the part that could be read: ``PartialEvent``.
    """

    account: str
    entity: str
    action: str
    record_id: str
    record_number: str
    event_id: str
    type: str
    time: datetime | None

    def __init__(
        self, reason_code: str, field: str, value: object, problem: str, remedy: str, **details: str
    ) -> None:
        self.reason_code = reason_code
        self.field = field
        self.value = shown(value)
        self.problem = problem
        self.remedy = remedy
        self.details = {**details, "field": field, "value": self.value, "problem": problem}
        self.identify(PartialEvent())
        super().__init__(f"{field}: {self.value}: {problem}. {remedy}")

    def identify(self, known: PartialEvent) -> None:
        """Note whose event it is, as far as that can be read."""
        for one in fields(known):
            setattr(self, one.name, getattr(known, one.name))


def shown(value: object) -> str:
    """Return ``value`` as a reason shows it: a line of at most 80 characters."""
    if value is None:
        return "absent"
    try:
        text = clean(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
    except RecursionError:
        return "nested too deeply to be shown"
    if not text.strip():
        return "blank"
    return text if len(text) <= 80 else text[:79] + "…"


def clean(text: str) -> str:
    """Return ``text`` without control characters and lone surrogates, at most 200 characters."""
    return CONTROL.sub("", text)[:200]
