"""Reasons for which an event cannot be read and becomes a dead letter."""

from contracts.reasons.codes import ReasonCode
from contracts.reasons.reason import Reason

_AGAIN = "correct it where it is published, and publish the change again with the id that it had."
_DEAD = (
    "The event is kept as a dead letter, byte for byte, and this entry stays as a note of it; everything "
    "else goes on. The change that is published again is an entry of its own."
)


def _event(
    code: ReasonCode, sentence: str, cause: str, remedy: str = _AGAIN, *, by: tuple[str, ...] = ()
) -> Reason:
    return Reason(code, "event", sentence, cause, remedy, "us", _DEAD, by)


REASONS = (
    _event(
        "event_not_json",
        "the event is not JSON: {problem}.",
        "Events are CloudEvents in JSON; this one cannot even be taken apart.",
    ),
    _event(
        "event_empty",
        "the message has no content.",
        "A message without a value, which Kafka uses to mark a deletion, says nothing about the record.",
        "publish the change that was meant, with the id that it had; only for a record that was deleted in "
        "SalesBinder, a deleted event.",
    ),
    _event(
        "event_not_cloudevent",
        "the event is not a CloudEvent 1.0: {field} is {value}; {problem}.",
        "The envelope tells what the event is about, so it must be complete.",
        by=("field",),
    ),
    _event(
        "event_unknown_type",
        "the event's type '{value}' is not one that we know, or does not belong on the topic {topic}.",
        "The type decides what is done in Xero, and each type has its topic.",
        by=("value", "topic"),
    ),
    _event(
        "event_field_missing",
        "the event lacks {field}.",
        "Without this field it is not clear what to send to Xero.",
        by=("field",),
    ),
    _event(
        "event_field_wrong",
        "the event's {field} is {value}; {problem}.",
        "The field has another form than agreed.",
        by=("field",),
    ),
    _event(
        "event_amount_invalid",
        "the event's {field} is {value}, which is no amount; {problem}.",
        "Amounts, quantities and rates must be plain decimal numbers of a sensible size.",
        by=("field",),
    ),
    _event(
        "event_time_invalid",
        "the event's {field} is {value}; {problem}.",
        "Times are RFC 3339 with an offset, dates YYYY-MM-DD. Without an offset the moment is a guess.",
        by=("field",),
    ),
    _event(
        "event_key_mismatch",
        "the message's key is {value}; it must be {expected}.",
        "The key keeps the changes of one record in their order, so it must be account/record.",
    ),
    _event(
        "event_subject_mismatch",
        "the event's subject is {value}, but the id of its record is {expected}.",
        "Subject and data must speak of the same record.",
    ),
    _event(
        "event_too_large",
        "the event has {value} bytes; at most 1,000,000 are taken.",
        "An event of that size is not one document.",
        "publish the change again with the id that it had and with shorter texts; a document of that size is "
        "to be split in SalesBinder.",
    ),
    _event(
        "command_unreadable",
        "a message on the topic {topic} is not a command of ours: {problem}.",
        "Something else wrote to the topic, or the program is older than the message.",
        "update the program, then replay the events of that time.",
        by=("topic",),
    ),
    Reason(
        "record_unreadable",
        "event",
        "{place} cannot be read at all: {problem}.",
        "A batch of messages is damaged, is compressed in a way that Kafka's clients do not know, or is "
        "larger than is safe to unpack. What it holds, and of which account, nobody can say from here.",
        "find out who wrote to the topic {topic} at that time, and have the changes published again with the "
        "ids that they had; what had come through before is not done twice.",
        "us",
        "The place is kept as a dead letter, the batch itself stays on its topic; everything behind it "
        "goes on.",
        ("topic", "problem"),
    ),
)
