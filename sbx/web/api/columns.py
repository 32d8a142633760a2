"""The columns of an entry, in the order of the view ``integrations_log.entries``; a test compares them."""

from typing import Any

TEXT: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": ["integer", "null"]}
MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_WARNING: dict[str, Any] = {"type": "object", "properties": {"code": TEXT, "text": TEXT}}

COLUMNS: dict[str, dict[str, Any]] = {
    "entry_id": TEXT,
    "account": TEXT,
    "entity": TEXT,
    "record_id": TEXT,
    "record_number": TEXT,
    "action": TEXT,
    "state": TEXT,
    "outcome": TEXT,
    "reason_code": TEXT,
    "reason": TEXT,
    "remedy": TEXT,
    "warnings": {"type": "array", "items": _WARNING},
    "party_name": TEXT,
    "amount": TEXT,
    "currency": TEXT,
    "salesbinder_url": TEXT,
    "attempts": NUMBER,
    "next_attempt_at": MOMENT,
    "queued_at": MOMENT,
    "started_at": MOMENT,
    "finished_at": MOMENT,
    "xero_type": TEXT,
    "xero_id": TEXT,
    "xero_number": TEXT,
    "xero_url": TEXT,
    "event_id": TEXT,
    "event_type": TEXT,
    "event_time": MOMENT,
    "topic": TEXT,
    "partition": NUMBER,
    "offset": NUMBER,
    "triggered_by": TEXT,
    "actor": TEXT,
    "cause": TEXT,
    "issue_id": TEXT,
    "reference": TEXT,
}
"""Name and JSON Schema."""
