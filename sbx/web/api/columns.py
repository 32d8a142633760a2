"""The columns of an entry, in the order of the view ``integrations_log.entries``; a test compares them."""

from typing import Any

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_NUMBER: dict[str, Any] = {"type": ["integer", "null"]}
_MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_WARNING: dict[str, Any] = {"type": "object", "properties": {"code": _TEXT, "text": _TEXT}}

COLUMNS: dict[str, dict[str, Any]] = {
    "entry_id": _TEXT,
    "account": _TEXT,
    "entity": _TEXT,
    "record_id": _TEXT,
    "record_number": _TEXT,
    "action": _TEXT,
    "state": _TEXT,
    "outcome": _TEXT,
    "reason_code": _TEXT,
    "reason": _TEXT,
    "remedy": _TEXT,
    "warnings": {"type": "array", "items": _WARNING},
    "party_name": _TEXT,
    "amount": _TEXT,
    "currency": _TEXT,
    "salesbinder_url": _TEXT,
    "attempts": _NUMBER,
    "next_attempt_at": _MOMENT,
    "queued_at": _MOMENT,
    "started_at": _MOMENT,
    "finished_at": _MOMENT,
    "xero_type": _TEXT,
    "xero_id": _TEXT,
    "xero_number": _TEXT,
    "xero_url": _TEXT,
    "event_id": _TEXT,
    "event_type": _TEXT,
    "event_time": _MOMENT,
    "topic": _TEXT,
    "partition": _NUMBER,
    "offset": _NUMBER,
    "triggered_by": _TEXT,
    "actor": _TEXT,
    "cause": _TEXT,
    "issue_id": _TEXT,
}
"""Name and JSON Schema."""
