"""Read the header of a change event, in a tenth of the time that reading all of it takes."""

from typing import NamedTuple

from contracts.commands import Action, Entity
from contracts.events.envelope import Headers, account_of, read_envelope
from contracts.events.invalid import InvalidEvent
from contracts.events.types import EVENT_TYPES


class EventHeader(NamedTuple):
    """The header of a change event, unchecked."""

    id: str
    source: str
    account: str
    entity: Entity
    action: Action
    subject: str


def peek(value: bytes | None, headers: Headers) -> EventHeader | None:
    """Return a record's header without reading its ``data``, for records known to be valid from another
    source. None if ``read_event`` has to read it.
    """
    try:
        envelope = read_envelope(value or b"", headers)
    except InvalidEvent:
        return None
    kind = EVENT_TYPES.get(envelope.type) if isinstance(envelope.type, str) else None
    account = account_of(envelope.source)
    if (
        kind is None
        or not account
        or not isinstance(envelope.id, str)
        or not isinstance(envelope.subject, str)
    ):
        return None
    return EventHeader(envelope.id, envelope.source, account, kind.entity, kind.action, envelope.subject)
