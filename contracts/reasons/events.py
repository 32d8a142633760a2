"""Reasons why an event cannot be read and becomes a dead letter."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason

_AGAIN = "correct it in the program that publishes it, and publish the change again with the same id."
_DEAD = (
    "The event is kept as a dead letter, byte for byte, and this entry stays as a record of it; everything "
    "else continues. The change published again gets its own entry."
)


def _event(
    code: ReasonCode, sentence: str, cause: str, remedy: str = _AGAIN, *, by: tuple[str, ...] = ()
) -> Reason:
    return Reason(code, "event", sentence, cause, remedy, "us", _DEAD, by)


REASONS = (
    _event(
        "event_not_json",
        "the event is not JSON: {problem}.",
        "Events are CloudEvents in JSON; this one cannot even be parsed.",
    ),
    _event(
        "event_empty",
        "the message has no content.",
        "A message without a value, which Kafka uses to mark a deletion, says nothing about the record.",
        "publish the intended change with the same id; publish a deleted event only for a record that was "
        "deleted in SalesBinder.",
    ),
    _event(
        "event_not_cloudevent",
        "the event is not a CloudEvent 1.0: {field} is {value}; {problem}.",
        "The envelope says what the event is about, so it must be complete.",
        by=("field",),
    ),
    _event(
        "event_unknown_type",
        "the event's type '{value}' is not known, or does not belong on the topic {topic}.",
        "The type decides what is done in Xero, and each type has its own topic.",
        by=("value", "topic"),
    ),
    _event(
        "event_field_missing",
        "the event has no {field}.",
        "Without this field it is not clear what to send to Xero.",
        by=("field",),
    ),
    _event(
        "event_field_wrong",
        "the event's {field} is {value}; {problem}.",
        "The field does not have the agreed format.",
        by=("field",),
    ),
    _event(
        "event_amount_invalid",
        "the event's {field} is {value}, which is not an amount; {problem}.",
        "Amounts, quantities and rates must be plain decimal numbers of a reasonable size.",
        by=("field",),
    ),
    _event(
        "event_time_invalid",
        "the event's {field} is {value}; {problem}.",
        "Times are RFC 3339 with a UTC offset, dates YYYY-MM-DD. Without an offset, the time would be a "
        "guess.",
        by=("field",),
    ),
    _event(
        "event_key_mismatch",
        "the message's key is {value}; it must be {expected}.",
        "The key keeps the changes of one record in order, so it must be account/record.",
    ),
    _event(
        "event_subject_mismatch",
        "the event's subject is {value}, but the id of its record is {expected}.",
        "Subject and data must refer to the same record.",
    ),
    _event(
        "event_too_large",
        "the event has {value} bytes; the limit is 1,000,000.",
        "An event of that size is not a single document.",
        "publish the change again with the same id and shorter texts; split a document of that size in "
        "SalesBinder.",
    ),
    _event(
        "command_unreadable",
        "a message on the topic {topic} is not one of our commands: {problem}.",
        "Something else wrote to the topic, or the program is older than the message.",
        "update the program, then replay the events from that time.",
        by=("topic",),
    ),
    Reason(
        "record_unreadable",
        "event",
        "{place} cannot be read at all: {problem}.",
        "A batch of messages is damaged, is compressed in a way that Kafka's clients do not know, or is too "
        "large to unpack safely. Its contents, and the accounts they belong to, cannot be determined.",
        "find out who wrote to the topic {topic} at that time, and have the changes published again with "
        "the same ids; changes that already came through are not done twice.",
        "us",
        "The position is kept as a dead letter, and the batch itself stays on its topic; everything after "
        "it continues.",
        ("topic", "problem"),
    ),
)
