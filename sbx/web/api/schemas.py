"""The JSON Schemas of bodies and answers, for ``openapi.py``."""

from typing import Any

from sbx.web.api.columns import COLUMNS
from sbx.web.api.drift import DIFFERENCE, READING
from sinks.ledger.commands import CANDIDATE

_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_NUMBER: dict[str, Any] = {"type": ["integer", "null"]}
_FLAG: dict[str, Any] = {"type": "boolean", "default": False}
_MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def schemas() -> dict[str, Any]:
    """Return all schemas, by name."""
    attempt = _object(
        **dict.fromkeys(
            ["attempt_id", "entry_id", "account", "step", "method", "path", "request", "answer", "error"],
            _TEXT,
        ),
        **dict.fromkeys(("number", "status"), _NUMBER),
        **dict.fromkeys(("started_at", "finished_at"), _MOMENT),
    )
    issue = _object(
        **dict.fromkeys(("account", "reason_code", "reason", "remedy", "cause", "issue_id"), _TEXT),
        entries=_NUMBER,
        samples=_list({"type": "string"}),
        **dict.fromkeys(("muted_by", "mute_reason"), _TEXT),
        **dict.fromkeys(("first_seen", "last_seen", "muted_until", "muted_at"), _MOMENT),
    )
    values = {"type": "object", "additionalProperties": _TEXT}
    candidates = _object(candidates=_list(_object(**dict.fromkeys(CANDIDATE, _TEXT))))
    refused = _object(entry_id=_TEXT, code=_TEXT, message=_TEXT)
    return {
        "Entry": _object(**COLUMNS),
        "Page": _object(entries=_list({"$ref": "#/components/schemas/Entry"}), next=_TEXT, previous=_TEXT),
        "Attempts": _object(attempts=_list(attempt)),
        "Issues": _object(issues=_list(issue)),
        "Mute": _object(
            until={"type": "string", "format": "date"}, reason={"type": "string", "maxLength": 500}
        ),
        "Muted": _object(issue_id=_TEXT, muted=_FLAG),
        "Summary": _object(accounts=_list({"type": "object"})),
        "Replay": _object(
            state=_TEXT,
            actor=_TEXT,
            account=_TEXT,
            cancelling={"type": "boolean"},
            selection={"type": "object"},
            ranges=_list({"type": "object"}),
            totals={"type": "object"},
            **dict.fromkeys(("replay_id", "offsets_read", "offsets"), _NUMBER),
            **dict.fromkeys(("events", "done", "under_way", "queued", "failed"), _NUMBER),
            **dict.fromkeys(("started_at", "updated_at", "finished_at"), _MOMENT),
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
            act=_NUMBER,
            selected=_NUMBER,
            possible=_NUMBER,
            causes={"type": "object", "additionalProperties": {"type": "integer"}},
            calls=_NUMBER,
            minutes=_NUMBER,
            accounts=_list(
                _object(
                    account=_TEXT,
                    **{key: {"type": "boolean"} for key in ("connected", "paused", "enough_today")},
                    **dict.fromkeys(("actions", "calls", "minutes"), _NUMBER),
                    day_left={"type": ["integer", "null"]},
                )
            ),
            done=_list({"type": "string"}),
            refused=_list(refused),
        ),
        "Settings": _object(account=_TEXT, settings=values, written=_list({"type": "string"})),
        "SettingsChange": _object(settings=values),
        "SettingsChanged": _object(
            account=_TEXT,
            changed={"type": "object", "additionalProperties": _object(old=_TEXT, new=_TEXT)},
        ),
        "Check": _object(
            account=_TEXT,
            organisation=_TEXT,
            fetched_at=_MOMENT,
            findings=_list(
                _object(key=_TEXT, value=_TEXT, problem=_TEXT, remedy=_TEXT, severity=_TEXT, code=_TEXT)
            ),
            failures=_list({"type": "object"}),
        ),
        **_drift(),
        "Candidates": candidates,
        "Decision": _object(adopt=_TEXT, send=_FLAG, dry_run=_FLAG),
        "Decided": _object(
            dry_run=_FLAG, act=_NUMBER, done=_list({"type": "string"}), **candidates["properties"]
        ),
        "Problem": _object(error=_object(code=_TEXT, message=_TEXT, field={"type": "string"})),
    }


def _drift() -> dict[str, Any]:
    moments = (
        "since",
        "asked_at",
        "started_at",
        "finished_at",
        "changed_at",
        "changed_by_at",
        "first_seen_at",
        "last_seen_at",
        "resent_at",
    )
    numbers = ("calls", "calls_expected", "read", "compared")

    def kind(name: str) -> dict[str, Any]:
        if name == "information":
            return {"type": "boolean"}
        return _MOMENT if name in moments else _NUMBER if name in numbers else _TEXT

    reading = _object(**{name: kind(name) for name in READING}) | {"type": ["object", "null"]}
    difference = _object(**{name: kind(name) for name in DIFFERENCE})
    return {
        "Drift": _object(account=_TEXT, last=reading, under_way=reading, differences=_list(difference)),
        "Compare": _object(since=_TEXT, full=_FLAG),
        "Comparing": _object(account=_TEXT, under_way=reading),
        "Differences": _object(differences=_list({"type": "string"}), dry_run=_FLAG),
        "DriftActed": _object(
            dry_run=_FLAG, act=_NUMBER, selected=_NUMBER, possible=_NUMBER, done=_NUMBER,
            queued=_list({"type": "string"}),
        ),
    }  # fmt: skip
