"""What an event is about, and which of two snapshots of a record is the newer one."""

from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]
Stamp = tuple[datetime, datetime, int]
"""The earlier of ``modified`` and the event's time, then the event's time, then its position."""

EARLIEST: Stamp = (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), -1)


def time_of(event: Event) -> datetime:
    return datetime.fromisoformat(event["time"])


def stamp_of(record: Event, event: Event, position: int) -> Stamp:
    """The place of a snapshot among those of its record. Of equal times the later position is the newer."""
    time = time_of(event)
    modified = datetime.fromisoformat(record["modified"]) if record.get("modified") else time
    return min(modified, time), time, position


def entity_of(event: Event) -> str:
    return str(event["type"].split(".")[1])


def action_of(event: Event) -> str:
    return str(event["type"].split(".")[2])


def record_of(event: Event) -> Event:
    data = event["data"]
    record: Event = data.get("document") or data.get("customer") or data.get("supplier")
    return record
