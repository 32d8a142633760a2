"""The shapes of bodies and answers, in JSON Schema, for ``openapi.py``."""

from typing import Any

from sinks.operators import CANDIDATE
from web.api.columns import COLUMNS


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def schemas() -> dict[str, Any]:
    """All of them, by name."""
    text = {"type": ["string", "null"]}
    number = {"type": ["integer", "null"]}
    flag = {"type": "boolean", "default": False}
    moment = {"type": ["string", "null"], "format": "date-time"}
    attempt = _object(
        **dict.fromkeys(
            ["attempt_id", "entry_id", "account", "step", "method", "path", "request", "answer", "error"],
            text,
        ),
        **dict.fromkeys(("number", "status"), number),
        **dict.fromkeys(("started_at", "finished_at"), moment),
    )
    issue = _object(
        **dict.fromkeys(("account", "reason_code", "reason", "remedy", "cause", "issue_id"), text),
        entries=number,
        samples=_list({"type": "string"}),
        **dict.fromkeys(("muted_by", "mute_reason"), text),
        **dict.fromkeys(("first_seen", "last_seen", "muted_until", "muted_at"), moment),
    )
    values = {"type": "object", "additionalProperties": text}
    candidates = _object(candidates=_list(_object(**dict.fromkeys(CANDIDATE, text))))
    refused = _object(entry_id=text, code=text, message=text)
    return {
        "Entry": _object(**COLUMNS),
        "Page": _object(entries=_list({"$ref": "#/components/schemas/Entry"}), next=text, previous=text),
        "Attempts": _object(attempts=_list(attempt)),
        "Issues": _object(issues=_list(issue)),
        "Mute": _object(
            until={"type": "string", "format": "date"}, reason={"type": "string", "maxLength": 500}
        ),
        "Muted": _object(issue_id=text, muted=flag),
        "Summary": _object(accounts=_list({"type": "object"})),
        "Replay": _object(
            state=text,
            actor=text,
            account=text,
            cancelling={"type": "boolean"},
            selection={"type": "object"},
            ranges=_list({"type": "object"}),
            totals={"type": "object"},
            **dict.fromkeys(("replay_id", "offsets_read", "offsets"), number),
            **dict.fromkeys(("events", "done", "under_way", "queued", "failed"), number),
            **dict.fromkeys(("started_at", "updated_at", "finished_at"), moment),
        ),
        "Replays": _object(replays=_list({"$ref": "#/components/schemas/Replay"})),
        "Act": _object(
            entries=_list({"type": "string"}),
            filters={"type": "object", "additionalProperties": {"type": "string"}},
            note={"type": "string", "maxLength": 500},
            dry_run={"type": "boolean", "default": False},
        ),
        "Acted": _object(
            dry_run={"type": "boolean"},
            act=number,
            selected=number,
            possible=number,
            least_calls=number,
            causes={"type": "object", "additionalProperties": {"type": "integer"}},
            done=_list({"type": "string"}),
            refused=_list(refused),
        ),
        "Settings": _object(account=text, settings=values, written=_list({"type": "string"})),
        "SettingsChange": _object(settings=values),
        "SettingsChanged": _object(
            account=text,
            changed={"type": "object", "additionalProperties": _object(old=text, new=text)},
        ),
        "Check": _object(
            account=text,
            organisation=text,
            fetched_at=moment,
            findings=_list(_object(key=text, value=text, problem=text, remedy=text, severity=text)),
            failures=_list({"type": "object"}),
        ),
        "Candidates": candidates,
        "Decision": _object(adopt=text, send=flag, dry_run=flag),
        "Decided": _object(
            dry_run=flag, act=number, done=_list({"type": "string"}), **candidates["properties"]
        ),
        "Problem": _object(error=_object(code=text, message=text, field={"type": "string"})),
    }
