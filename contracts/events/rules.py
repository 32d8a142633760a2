"""Rules of change events that are no matter of one field's type: between fields, and for numbers anywhere."""

from typing import Any

import msgspec

from contracts.events import records
from contracts.events.fields import Day, Instant, JsonNumber, Number, is_sensible
from contracts.events.invalid import InvalidEvent, shown
from contracts.events.records import EventData
from contracts.events.types import CONTEXTS, EventType

_CHECKED_BY_TYPE = frozenset({str, bool, type(None), Number, Day, Instant})
_MAX_DEPTH = 64
"""Levels of lists and objects; no real value is nested deeper."""


def check(kind: EventType, data: EventData, subject: str) -> None:
    """Check all that is no matter of one field's type.

    Raises:
        InvalidEvent: a rule is broken.
    """
    _check_numbers(data, "data")
    _check_data(kind, data, subject)


def _check_numbers(record: Any, path: str, depth: int = 0) -> None:
    """Refuse JSON numbers that are ``NaN`` or 1e15 or more in known fields, also as texts."""
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if type(value) in _CHECKED_BY_TYPE:
            continue
        where = f"{path}.{name}"
        _check_number(value, where, depth + 1)
        if type(value) is JsonNumber:
            if name == "document_number":
                raise _unfit(where, value, "it must be text or a whole number")
            setattr(record, name, str(value))


def _check_number(value: Any, path: str, depth: int) -> None:
    kind = type(value)
    if kind in _CHECKED_BY_TYPE:
        return
    if depth > _MAX_DEPTH:
        raise InvalidEvent(
            "event_field_wrong",
            path[:80],
            None,
            "lists and objects in it are nested too deeply",
            f"Publish values that are at most {_MAX_DEPTH} levels deep.",
        )
    if kind is int or kind is JsonNumber:
        if not (is_sensible(value) if kind is int else value.is_sensible):
            raise _unfit(path, value, "a number must be finite and below 1,000,000,000,000,000")
    elif kind in (tuple, list):
        for index, each in enumerate(value):
            _check_number(each, f"{path}[{index}]", depth + 1)
    elif kind is dict:
        for name, each in value.items():
            _check_number(each, f"{path}.{name}", depth + 1)
    elif isinstance(value, msgspec.Struct):
        _check_numbers(value, path, depth)


def _unfit(field: str, value: object, problem: str) -> InvalidEvent:
    return InvalidEvent(
        "event_amount_invalid",
        field,
        value,
        problem,
        "Write it as text where it is a text, else as a plain number.",
    )


def _check_data(kind: EventType, data: EventData, subject: str) -> None:
    """Check the rules between fields."""
    record = getattr(data, kind.record)
    if record.id != subject:
        raise InvalidEvent(
            "event_subject_mismatch",
            "subject",
            subject,
            f"the record's id, data.{kind.record}.id, is {shown(record.id)}",
            "Publish the event with the id of its record as subject.",
            expected=shown(record.id),
        )
    context = CONTEXTS[kind.entity]
    if record.context_id is not None and record.context_id != context:
        raise InvalidEvent(
            "event_field_wrong",
            f"data.{kind.record}.context_id",
            record.context_id,
            f"a record of type {kind.entity} has the context_id {context}",
            "Publish the record under the event type that fits its context_id.",
        )
    if isinstance(record, records.Document) and record.customer.id != record.customer_id:
        raise InvalidEvent(
            "event_field_wrong",
            "data.document.customer.id",
            record.customer.id,
            f"data.document.customer_id is {shown(record.customer_id)}, another account",
            "Publish the document with the account record that it belongs to.",
        )
    if isinstance(data, records.TransactionData):
        of_document = data.transaction.document_id
        if of_document not in (None, "", subject):
            raise InvalidEvent(
                "event_field_wrong",
                "data.transaction.document_id",
                of_document,
                f"the transaction belongs to another document than {shown(subject)}",
                "Publish the transaction with the document that it was made on.",
            )
