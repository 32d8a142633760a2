"""Find out whose event was refused, as far as it can be read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from contracts.events.envelope import (
    ACCOUNT,
    Envelope,
    Headers,
    ParsedEnvelope,
    account_of,
    read_envelope,
    read_time,
)
from contracts.events.invalid import InvalidEvent, PartialEvent, clean
from contracts.events.lenient import parse_leniently
from contracts.events.types import EVENT_TYPES, TOPIC_ENTITIES


def recover_identity(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> PartialEvent:
    """Read as much as possible of a refused record, so that the log can show it. Never raises.

    The event's own attributes take precedence over its key.
    """
    account, _, record_id = clean((key or b"").decode("utf-8", "replace")).partition("/")
    envelope = Envelope()
    data: Any = None
    try:
        envelope = read_envelope(value or b"", headers)
        data = _parsed_data(envelope)
    except (InvalidEvent, RecursionError):
        pass  # the key alone then says whose event it was; the caller already knows the fault
    kind = EVENT_TYPES.get(name := _clean_text(envelope.type))
    return PartialEvent(
        account=account_of(envelope.source) or (account if ACCOUNT.fullmatch(account) else ""),
        record_id=_clean_text(envelope.subject) or _data_id(data) or record_id,
        record_number=_number_of(data),
        event_id=_clean_text(envelope.id),
        type=name,
        entity=kind.entity if kind else TOPIC_ENTITIES.get(topic, ""),
        action=kind.action if kind else "",
        time=_time_or_none(envelope.time),
    )


def _clean_text(value: object) -> str:
    return clean(value).strip() if isinstance(value, str) else ""


def _record_of(data: Any) -> Mapping[str, Any]:
    for name in ("document", "customer", "supplier"):
        if isinstance(data, dict) and isinstance(data.get(name), dict):
            record: dict[str, Any] = data[name]
            return record
    return {}


def _data_id(data: Any) -> str:
    return _clean_text(_record_of(data).get("id"))


def _number_of(data: Any) -> str:
    number = _record_of(data).get("document_number")
    is_number = isinstance(number, int | str) and not isinstance(number, bool)
    return clean(str(number)).strip() if is_number else ""


def _time_or_none(value: object) -> datetime | None:
    try:
        return read_time(value).astimezone(UTC) if isinstance(value, str) else None
    except InvalidEvent:
        return None


def _parsed_data(envelope: Envelope) -> Any:
    """Return the event's ``data``, of any JSON type.

    Raises:
        InvalidEvent: it is not JSON at all.
    """
    if isinstance(envelope, ParsedEnvelope):
        return envelope.parsed
    return parse_leniently(bytes(envelope.data))
