"""Read change events from Kafka records and check them.

``read_event`` is the only way in. An accepted event can be mapped without further checks; a refused one
raises ``InvalidEvent``, which names the field, the value, the problem and the remedy.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from contracts.commands import Action, Entity
from contracts.events import records
from contracts.events.envelope import (
    MAX_VALUE_BYTES,
    STRUCTURED,
    Attributes,
    Headers,
    Opened,
    open_record,
)
from contracts.events.fields import (
    MAX_ID_LENGTH,
    JsonNumber,
    NotADate,
    NotANumber,
    decode_field,
    encode_field,
)
from contracts.events.header import peek
from contracts.events.identity import recover_identity
from contracts.events.invalid import InvalidEvent
from contracts.events.lenient import parse_leniently
from contracts.events.records import EventData
from contracts.events.rules import check
from contracts.events.types import EVENT_TYPES, TOPIC_ENTITIES, EventType

__all__ = ["EVENT_TYPES", "ChangeEvent", "EventType", "InvalidEvent", "event_to_kafka", "read_event"]


_decoders = {
    kind.data: msgspec.json.Decoder(kind.data, dec_hook=decode_field, float_hook=JsonNumber)
    for kind in EVENT_TYPES.values()
}
_content_encoder = msgspec.json.Encoder(enc_hook=encode_field, order="deterministic")


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """A checked change event. ``time`` keeps the offset it was written with."""

    id: str
    source: str
    account: str
    type: str
    entity: Entity
    action: Action
    subject: str
    time: datetime
    data: EventData
    content_hash: str
    """SHA-256 (hex) of type, source, subject, time as an instant and the known fields of ``data``.

    The same for both CloudEvents modes, any order of keys and any way to write a number. Fields that later
    versions have learnt to read are left out: an event has the same hash in all of them, or its replay after
    an update would be taken for another event under a used id.
    """


def read_event(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> ChangeEvent:
    """Read the change event that a record of a ``salesbinder.*`` topic holds.

    Raises:
        InvalidEvent: it breaks a rule of the contract; the exception says which and how to mend it.
    """
    try:
        return _sound(topic, key, value, headers)
    except InvalidEvent as wrong:
        wrong.identify(recover_identity(topic, key, value, headers))
        raise


def _sound(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> ChangeEvent:
    try:
        return _read(topic, key, value, headers)
    except RecursionError as error:
        raise InvalidEvent(
            "event_not_json",
            "value",
            (value or b"")[:80],
            "lists and objects in it are nested too deeply",
            "Publish only the fields of the contract, which are a few levels deep.",
        ) from error


def _read(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> ChangeEvent:
    if value is None:
        raise InvalidEvent(
            "event_empty",
            "value",
            None,
            "a record without a value says nothing",
            "Publish the change that was meant; only of a record that was deleted, its deleted event.",
        )
    if len(value) > MAX_VALUE_BYTES:
        raise InvalidEvent(
            "event_too_large",
            "value",
            len(value),
            f"so many bytes, and a change event has at most {MAX_VALUE_BYTES:,}",
            "Publish only the fields of the contract, without pictures or other attachments.",
        )
    opened = open_record(value, headers)
    attributes = opened.attributes
    kind = _kind(attributes.type, topic)
    expected = f"{attributes.account}/{attributes.subject}"
    if key != expected.encode():
        raise InvalidEvent(
            "event_key_mismatch",
            "key",
            key,
            f"the key must be {expected}, because the order of events hangs on it",
            "Publish the event with the key {account}/{subject}.",
            expected=expected,
        )
    data = _data(kind, opened)
    check(kind, data, attributes.subject)
    return ChangeEvent(
        id=attributes.id,
        source=attributes.source,
        account=attributes.account,
        type=attributes.type,
        entity=kind.entity,
        action=kind.action,
        subject=attributes.subject,
        time=attributes.time,
        data=data,
        content_hash=_content_hash(attributes, data),
    )


def _types_like(name: str) -> list[str]:
    """Return the types of the same record; all of them if it names no existing one."""
    record = name.rpartition(".")[0] + "."
    return [known for known in EVENT_TYPES if known.startswith(record)] or list(EVENT_TYPES)


def _kind(name: str, topic: str) -> EventType:
    kind = EVENT_TYPES.get(name)
    if kind is None:
        raise InvalidEvent(
            "event_unknown_type",
            "type",
            name,
            "this type of event is not known",
            "Use one of: " + ", ".join(_types_like(name)) + ".",
            topic=topic,
        )
    if kind.topic != topic:
        raise InvalidEvent(
            "event_unknown_type",
            "type",
            name,
            f"events of this type belong on {kind.topic}, not on {topic}",
            f"Publish the event to {kind.topic}.",
            topic=topic,
        )
    return kind


def _data(kind: EventType, opened: Opened) -> EventData:
    parsed = opened.parsed
    if parsed is None and opened.raw in (b"", b"null"):
        raise InvalidEvent(
            "event_field_missing",
            "data",
            None,
            "it is required",
            "Publish the event with its record in data.",
        )
    if parsed is None:
        try:
            return _decoders[kind.data].decode(opened.raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            parsed = parse_leniently(opened.raw)
    return _data_leniently(kind, parsed)


def _data_leniently(kind: EventType, parsed: Any) -> EventData:
    """Read it the slow way, to accept blank numbers and dates, and to find the exact fault."""
    parsed = _without_blanks(parsed)
    try:
        return msgspec.convert(parsed, kind.data, dec_hook=decode_field)
    except msgspec.ValidationError as error:
        raise _field_problem(error, parsed) from error


def _without_blanks(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_blanks(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without_blanks(each)
        for name, each in value.items()
        if not (each == "" and name in records.BLANK_MEANS_ABSENT)
    }


_MISSING = re.compile(r"missing required field `(\w+)`")
_IN_WORDS = {
    "array": "a list",
    "object": "an object",
    "str": "a text",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_JSON_TYPE = re.compile(rf"`({'|'.join(_IN_WORDS)})`")
_PATH_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")


def _field_problem(error: msgspec.ValidationError, parsed: Any) -> InvalidEvent:
    """Turn msgspec's words ("Expected `str`, got `int` - at `$.document.name`") into a named problem."""
    message, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`")
    missing = _MISSING.search(message)
    if missing:
        field = f"data{path}.{missing[1]}"
        return InvalidEvent(
            "event_field_missing", field, None, "it is required", f"Publish the event with {field}."
        )
    field, value = f"data{path}", _value_at(parsed, path)
    if value is None:
        return InvalidEvent(
            "event_field_missing", field, None, "it is required", f"Publish the event with {field}."
        )
    problem = _JSON_TYPE.sub(lambda found: _IN_WORDS[found[1]], message[:1].lower() + message[1:])
    if isinstance(error.__cause__, NotANumber):
        return InvalidEvent(
            "event_amount_invalid", field, value, problem, "Write it as a decimal number, such as 110.50."
        )
    if isinstance(error.__cause__, NotADate):
        return InvalidEvent(
            "event_time_invalid", field, value, problem, "Write it as YYYY-MM-DD or an ISO date-time."
        )
    if field.endswith(".currency"):
        problem = "it is not an ISO 4217 currency code such as USD"
    elif "length <=" in message:
        problem = f"it has more than {MAX_ID_LENGTH} characters"
    elif "length >= 1" in message or "matching regex" in message:
        problem = "it must be text that is not blank, of the form that the contract gives"
    return InvalidEvent(
        "event_field_wrong", field, value, problem, f"Publish {field} as the contract describes it."
    )


def _value_at(parsed: Any, path: str) -> Any:
    value = parsed
    for name, index in _PATH_STEP.findall(path):
        if name and isinstance(value, dict):
            value = value.get(name)
        elif index and isinstance(value, list):
            value = value[int(index)]
    return value


def _content_hash(attributes: Attributes, data: EventData) -> str:
    instant = attributes.time.astimezone(UTC)
    content = (attributes.type, attributes.source, attributes.subject, instant, _as_first_read(data))
    return hashlib.sha256(_content_encoder.encode(content)).hexdigest()


def _as_first_read(data: EventData) -> EventData:
    """Return ``data`` without the fields that the first version did not know. Blank fields of an account
    record are left out, too: that version did not distinguish blank from absent.
    """
    replace = msgspec.structs.replace
    match data:
        case records.CustomerData(customer=record):
            return replace(data, customer=_without_nulls(record))
        case records.SupplierData(supplier=record):
            return replace(data, supplier=_without_nulls(record))
        case records.DocumentData(document=document) | records.TransactionData(document=document):
            lines = document.document_items
            if any(line.quantity_partially_received is not None for line in lines):
                lines = tuple(replace(line, quantity_partially_received=None) for line in lines)
            party = _without_nulls(document.customer)
            return replace(data, document=replace(document, document_items=lines, customer=party))
    return data


def _without_nulls(record: records.AccountRecord) -> records.AccountRecord:
    nulls = {name: msgspec.UNSET for name in records.TOLD_FIELDS if getattr(record, name) is None}
    return msgspec.structs.replace(record, **nulls) if nulls else record


def event_to_kafka(
    event_json: Mapping[str, Any] | bytes,
) -> tuple[str, bytes, bytes, list[tuple[str, bytes]]]:
    """Turn one event (its JSON text, or the object) into the record to publish: topic, key, value, headers.

    The value is the event in structured mode; JSON text is published as it stands.

    Raises:
        InvalidEvent: consumers would refuse the event.
    """
    value = event_json.strip() if isinstance(event_json, bytes) else _dump(event_json)
    topic, key = _route(value)
    read_event(topic, key, value, _HEADERS)
    return topic, key, value, list(_HEADERS)


def _route(value: bytes) -> tuple[str, bytes]:
    """Return topic and key of an event that may be wrong in every way; ``read_event`` then finds the
    fault.
    """
    said = peek(value, _HEADERS)
    if said is None:
        return "", b""
    return _TOPICS[said.entity], f"{said.account}/{said.subject}".encode()


_TOPICS = {entity: topic for topic, entity in TOPIC_ENTITIES.items()}
_HEADERS: Final = (("content-type", STRUCTURED.encode()),)


def _dump(event: Mapping[str, Any]) -> bytes:
    return json.dumps(event, default=_decimal).encode()


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
