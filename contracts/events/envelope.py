"""CloudEvents 1.0 on Kafka: the envelope of a change event, in structured and in binary mode.

Source of the rules: CloudEvents 1.0.2, its JSON event format and its Kafka binding. In structured mode the
value is the whole event, in binary mode it is ``data`` and the attributes are headers ``ce_*``.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from contracts.events.fields import MAX_ID_LENGTH, YEARS
from contracts.events.invalid import CONTROL, InvalidEvent
from contracts.events.lenient import parse_leniently

MAX_VALUE_BYTES: Final = 1_000_000
STRUCTURED: Final = "application/cloudevents+json"
SOURCE_PREFIX: Final = "/salesbinder/"
ACCOUNT = re.compile(r"[a-z0-9-]{1,63}", re.ASCII)

Headers = Sequence[tuple[str, bytes | None]]
"""A record's headers; Kafka allows a header without a value."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes of an event as they came, unchecked, and its ``data`` as JSON bytes, else as base64."""

    specversion: Any = None
    id: Any = None
    source: Any = None
    type: Any = None
    subject: Any = None
    time: Any = None
    datacontenttype: Any = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: Any = None


class ParsedEnvelope(Envelope, frozen=True, kw_only=True):
    """The envelope of an event that only the lenient parser reads, with its ``data`` parsed."""

    parsed: Any = None


@dataclass(frozen=True, slots=True)
class Attributes:
    """The checked attributes. ``time`` is aware and keeps the offset it was written with."""

    id: str
    source: str
    account: str
    type: str
    subject: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A record whose attributes are checked, and its ``data``, which is not checked at all."""

    attributes: Attributes
    raw: bytes
    """JSON; blank if there is none."""
    parsed: Any
    """The same if only the lenient parser can read it, otherwise None."""


_envelope_decoder = msgspec.json.Decoder(Envelope)
_ATTRIBUTES: Final = tuple(name for name in Envelope.__struct_fields__ if name not in ("data", "data_base64"))


def open_record(value: bytes, headers: Headers) -> Opened:
    """Take the event out of a Kafka record's value and headers, and check all of it but its ``data``.

    Raises:
        InvalidEvent: the record is not a CloudEvent, its value not JSON, or an attribute is missing or wrong.
    """
    envelope = read_envelope(value, headers)
    parsed = envelope.parsed if isinstance(envelope, ParsedEnvelope) else None
    return Opened(check_attributes(envelope), bytes(envelope.data).strip(), parsed)


def read_envelope(value: bytes, headers: Headers) -> Envelope:
    """Take the envelope out of a Kafka record's value and headers.

    Raises:
        InvalidEvent: the record is not a CloudEvent, or its value not JSON.
    """
    contents = {name.lower(): raw for name, raw in headers}
    content_type = _text(contents.get("content-type")).partition(";")[0].strip().lower()
    if content_type.startswith("application/cloudevents") and content_type != STRUCTURED:
        raise InvalidEvent(
            "event_not_cloudevent",
            "content-type",
            content_type,
            "this CloudEvents format is not read here",
            f"Publish one event per record with content-type {STRUCTURED}.",
        )
    if content_type != STRUCTURED and any(name.startswith("ce_") for name in contents):
        attributes = {name: _attribute(contents.get(f"ce_{name}")) for name in _ATTRIBUTES}
        attributes["datacontenttype"] = content_type or None
        return Envelope(**attributes, data=msgspec.Raw(value))
    return _structured(value)


def _structured(value: bytes) -> Envelope:
    try:
        envelope = _envelope_decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _structured_leniently(value)
    return envelope if envelope.data_base64 is None else _from_base64(envelope)


def _structured_leniently(value: bytes) -> Envelope:
    event = parse_leniently(value)
    if not isinstance(event, dict):
        raise InvalidEvent(
            "event_not_cloudevent",
            "value",
            value[:80],
            "the value is JSON but not an object",
            "Publish a CloudEvent: an object with specversion, id, source, type, subject, time and data.",
        )
    attributes: dict[str, Any] = {name: event.get(name) for name in _ATTRIBUTES}
    if event.get("data_base64") is None:
        return ParsedEnvelope(**attributes, parsed=event.get("data"))
    raw = msgspec.Raw(b"{}") if event.get("data") is not None else msgspec.Raw()
    return _from_base64(Envelope(**attributes, data=raw, data_base64=event["data_base64"]))


def _from_base64(envelope: Envelope) -> Envelope:
    """Return the envelope with the ``data`` that ``data_base64`` holds.

    Source: section 3.1.1 of CloudEvents' JSON event format 1.0.2: one of the two members, not both.
    """
    if bytes(envelope.data) not in (b"", b"null"):
        raise _wrong(
            "data_base64",
            envelope.data_base64,
            "the event has data as well, and only one of the two may be there",
            "Publish the record in data or in data_base64.",
        )
    try:
        raw = base64.b64decode(envelope.data_base64, validate=True)
    except (TypeError, ValueError) as error:
        raise _wrong(
            "data_base64",
            envelope.data_base64,
            f"it is not base64 ({error})",
            "Publish the record's JSON in base64, or as it is in data.",
        ) from error
    return msgspec.structs.replace(envelope, data=msgspec.Raw(raw or b"null"))


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


def _attribute(raw: bytes | None) -> str | bytes | None:
    """Return an attribute in binary mode. Bytes that are not UTF-8 are left unchanged, and are not an
    attribute.
    """
    if raw is None:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def check_attributes(envelope: Envelope) -> Attributes:
    """Check all attributes but the meaning of ``type`` and ``subject``.

    Raises:
        InvalidEvent: one is missing or wrong.
    """
    if envelope.specversion is None:
        raise InvalidEvent(
            "event_not_cloudevent",
            "specversion",
            None,
            "the record is not a CloudEvent",
            "Publish CloudEvents 1.0: specversion in the object, or a ce_specversion header in binary mode.",
        )
    if envelope.specversion != "1.0":
        raise _wrong(
            "specversion", envelope.specversion, "this version is not known", 'Use specversion "1.0".'
        )
    _check_content_type(envelope.datacontenttype)
    source = _required(envelope, "source")
    account = account_of(source)
    if not account:
        raise _wrong(
            "source",
            source,
            "it names no SalesBinder account",
            "Use /salesbinder/{account}, the sub-domain in lower-case letters, digits and hyphens.",
        )
    return Attributes(
        id=_required(envelope, "id"),
        source=source,
        account=account,
        type=_required(envelope, "type"),
        subject=_required(envelope, "subject"),
        time=read_time(_required(envelope, "time")),
    )


def account_of(source: object) -> str:
    """Return the account that an event's ``source`` names, ``""`` when it names none."""
    if not isinstance(source, str) or not source.startswith(SOURCE_PREFIX):
        return ""
    account = source.removeprefix(SOURCE_PREFIX)
    return account if ACCOUNT.fullmatch(account) else ""


def _check_content_type(value: object) -> None:
    if value is None:
        return
    media_type = value.partition(";")[0].strip().lower() if isinstance(value, str) else ""
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise _wrong("datacontenttype", value, "data of this type is not read", "Use application/json.")


def _required(envelope: Envelope, name: str) -> str:
    value = getattr(envelope, name)
    if value is None or value == "":
        raise InvalidEvent(
            "event_field_missing",
            name,
            value,
            "it is required",
            f"Publish the event with the attribute {name}.",
        )
    if not isinstance(value, str) or CONTROL.search(value) or not value.strip():
        raise _wrong(
            name, value, "it must be text without control characters", f"Write {name} as plain text."
        )
    if len(value) > MAX_ID_LENGTH:
        raise _wrong(name, value, f"it has more than {MAX_ID_LENGTH} characters", f"Write a shorter {name}.")
    return value


def _wrong(field: str, value: object, problem: str, remedy: str) -> InvalidEvent:
    return InvalidEvent("event_field_wrong", field, value, problem, remedy)


def read_time(text: str) -> datetime:
    """Read an RFC 3339 time; the offset is kept.

    Raises:
        InvalidEvent: it is not a time, has no offset, or lies outside the years that make sense.
    """
    try:
        time = msgspec.convert(text, datetime)
        problem = "" if time.tzinfo else "the offset is missing"
    except msgspec.ValidationError:
        problem = "it is not a time"
    if problem or time.year not in YEARS:
        raise InvalidEvent(
            "event_time_invalid",
            "time",
            text,
            problem or f"the year is not one from {YEARS.start} to {YEARS.stop - 1}",
            "Write the time as RFC 3339 with an offset, such as 2026-03-02T09:05:00+00:00.",
        )
    return time
