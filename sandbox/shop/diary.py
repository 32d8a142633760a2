"""The events of the day as they are recorded, each at its place."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from .books import Record


@dataclass(frozen=True)
class Occurrence:
    """One event at its place in the day. ``position`` is its place in the order of publishing."""

    position: float
    event: Record


@dataclass
class Diary:
    """All events of one shop's day."""

    account: str
    opened: datetime
    chance: Random
    _occurrences: list[Occurrence] = field(default_factory=list)

    def say(self, at: datetime, kind: str, subject: str, data: Record, earlier: float = 0.0) -> None:
        """Write an event down. ``earlier`` is by how many seconds it is published too early."""
        position = (at - self.opened).total_seconds() - earlier
        self._occurrences.append(Occurrence(position, event(self.account, kind, subject, at, data)))

    def events(self) -> list[Record]:
        """Return the events in the order in which they are published."""
        return [one.event for one in sorted(self._occurrences, key=lambda one: one.position)]

    def id_of(self, name: str) -> str:
        """Return the same id for the same name, every time."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.account}/{self.opened.date()}/{name}"))


def event(account: str, kind: str, subject: str, at: datetime, data: Record) -> Record:
    """Return a CloudEvent of the shop. The same change has the same id; data that changes later is copied."""
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account}/{kind}/{subject}/{at.isoformat()}")),
        "source": f"/salesbinder/{account}",
        "type": f"salesbinder.{kind}",
        "subject": subject,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": json.loads(json.dumps(data)),
    }
