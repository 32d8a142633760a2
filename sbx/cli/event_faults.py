"""Every fault of an event, not only the first: each is mended in a copy until the rest of it can be read."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from contracts.events.reader import ChangeEvent, InvalidEvent, event_to_kafka, read_event
from contracts.events.types import EVENT_TYPES

_MOST: Final = 20
"""Faults of one line that are told."""
_TRIED: Final = 60
_STAND_INS: Final[tuple[Any, ...]] = ("0", "2026-01-31T09:00:00Z", "USD", 0, True, {}, [])
"""Values of which one can stand where a faulty one was."""
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def blank_name(event: ChangeEvent) -> InvalidEvent | None:
    """Return the fault of a customer or supplier without a name: it can be read, and Xero takes none."""
    if event.entity not in ("customer", "supplier") or event.action not in ("created", "edited"):
        return None
    record = EVENT_TYPES[event.type].record
    name: str = getattr(event.data, record).name
    if name.strip():
        return None
    problem = f"a {event.entity} without a name cannot be in Xero"
    remedy = "Publish it with its name."
    return InvalidEvent("event_field_wrong", f"data.{record}.name", name, problem, remedy)


def all_faults(line: bytes, first: InvalidEvent) -> list[InvalidEvent]:
    """Return the faults of a line of which the first is known."""
    try:
        return _followed(json.loads(line), first)
    except (ValueError, RecursionError):  # no JSON, or nested more deeply than Python follows
        return [first]


def _followed(event: Any, first: InvalidEvent) -> list[InvalidEvent]:
    found = [first]
    mended: list[str] = []
    fault: InvalidEvent | None = first
    while fault is not None and len(found) < _MOST and len(mended) < _TRIED:
        following = _without(event, fault.field, mended)
        if following is None:
            break
        mended.append(fault.field)
        event, fault = following
        if fault is not None and not _follows(fault.field, mended):
            found.append(fault)
    return found


def _follows(field: str, mended: list[str]) -> bool:
    """Return whether a fault is one of a stand-in of ours: nobody wrote that."""
    if field in ("subject", "key"):
        return any(one == "subject" or one.endswith("id") for one in mended)
    return any(field.startswith((f"{one}.", f"{one}[")) for one in mended)


def _without(event: Any, field: str, mended: list[str]) -> tuple[Any, InvalidEvent | None] | None:
    """Return the event with a value that can be read at this field, and its next fault; None if no value
    can.
    """
    for changed in _mended(event, field):
        fault = _fault(changed)
        if fault is None or (fault.field != field and fault.field not in mended):
            return changed, fault
    return None


def _mended(event: Any, field: str) -> Iterator[Any]:
    steps = [name or int(index) for name, index in _STEP.findall(field)]
    for value in _STAND_INS if steps else ():
        changed = copy.deepcopy(event)
        holder = changed
        try:
            for step in steps[:-1]:
                holder = holder[step]
            holder[steps[-1]] = value
        except (KeyError, IndexError, TypeError):
            return
        yield changed


def _fault(event: Any) -> InvalidEvent | None:
    try:
        topic, key, value, headers = event_to_kafka(json.dumps(event).encode())
        return blank_name(read_event(topic, key, value, headers))
    except InvalidEvent as error:
        return error
