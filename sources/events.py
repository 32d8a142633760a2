"""Change events of the reader: their envelope, their ids, and the pipeline's own check of each. Pure."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from contracts.commands import Action, Entity
from contracts.events.envelope import SOURCE_PREFIX, STRUCTURED
from contracts.events.fields import encode_field
from contracts.events.invalid import InvalidEvent
from contracts.events.reader import ChangeEvent, read_event
from contracts.events.types import EVENT_TYPES
from sources.problems import refused

_NAMESPACE: Final = uuid.UUID("5b1de7c6-6f0e-5a52-9d2b-8f6f8ec1b0a4")
_PLACEHOLDER: Final = str(_NAMESPACE)
"""As long as an id: an event that is checked with it is not longer with its own."""
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
HEADERS: Final = (("content-type", STRUCTURED.encode()),)
_encoder = msgspec.json.Encoder(enc_hook=encode_field)


@dataclass(frozen=True, slots=True)
class Event:
    """A change event as it is published."""

    id: str
    topic: str
    key: bytes
    value: bytes
    type: str
    time: datetime


def made_event(
    account: str,
    entity: Entity,
    action: Action,
    subject: str,
    time: datetime,
    data: Mapping[str, Any],
    identity: tuple[str, ...] = (),
) -> Event:
    """Return the event of a change; it would be accepted by the pipeline.

    The id is made of the whole content, as consumers compare it, and of ``identity``, what distinguishes two
    changes that look the same. So the same change is the same event, and no id stands for two contents.

    Raises:
        Unreadable: consumers would refuse the event; it names the field.
    """
    name = f"salesbinder.{entity}.{action}"
    event = _envelope(account, name, subject, time, data)
    content = _check(account, name, subject, event).content_hash
    own_id = str(uuid.uuid5(_NAMESPACE, "\n".join((content, *identity))))
    value = _encoder.encode({**event, "id": own_id})
    return Event(own_id, EVENT_TYPES[name].topic, f"{account}/{subject}".encode(), value, name, time)


def checked(account: str, entity: Entity, subject: str, data: Mapping[str, Any]) -> ChangeEvent:
    """Return a record as the pipeline will read it, from the data of an event that tells it.

    Raises:
        Unreadable: consumers would refuse it; it names the field.
    """
    name = f"salesbinder.{entity}.created"
    event = _envelope(account, name, subject, _EPOCH, data)
    return _check(account, name, subject, event)


def _envelope(
    account: str, name: str, subject: str, time: datetime, data: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": _PLACEHOLDER,
        "source": f"{SOURCE_PREFIX}{account}",
        "type": name,
        "subject": subject,
        "time": time.astimezone(UTC).isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def _check(account: str, name: str, subject: str, event: Mapping[str, Any]) -> ChangeEvent:
    key = f"{account}/{subject}".encode()
    try:
        return read_event(EVENT_TYPES[name].topic, key, _encoder.encode(event), HEADERS)
    except InvalidEvent as wrong:
        raise refused(wrong) from wrong


def derived_id(*parts: str) -> str:
    """Return the id of a transaction that SalesBinder does not list: a refund of a payment that is gone.

    Never equal to an id of SalesBinder's, whose ids are random UUIDs (version 4; these are version 5).
    """
    return str(uuid.uuid5(_NAMESPACE, "\n".join(("transaction", *parts))))
