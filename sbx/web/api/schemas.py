"""The JSON Schemas of bodies and answers, for ``openapi.py``."""

from collections.abc import Sequence
from typing import Any, get_args

from sbx.actions.source_report import State
from sbx.web.api.columns import COLUMNS, MOMENT, NUMBER, TEXT
from sbx.web.api.comparisons import BROKEN_OFF, COMPARISON, DOCUMENT, SIDES
from sbx.web.api.drift import DIFFERENCE, READING
from sinks.ledger.commands import CANDIDATE
from sources.diff.look import Shrunk

_FLAG: dict[str, Any] = {"type": "boolean", "default": False}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def schemas() -> dict[str, Any]:
    """Return all schemas, by name."""
    attempt = _object(
        **dict.fromkeys(
            ["attempt_id", "entry_id", "account", "step", "method", "path", "request", "answer", "error"],
            TEXT,
        ),
        **dict.fromkeys(("number", "status"), NUMBER),
        **dict.fromkeys(("started_at", "finished_at"), MOMENT),
    )
    step = _object(
        **dict.fromkeys(("entry_id", "account", "step", "outcome", "reason_code", "reason", "remedy"), TEXT),
        **dict.fromkeys(("triggered_by", "actor"), TEXT),
        at=MOMENT,
        detail={"type": ["object", "null"]},
        version=NUMBER,
    )
    issue = _object(
        **dict.fromkeys(("account", "reason_code", "reason", "remedy", "cause", "issue_id"), TEXT),
        entries=NUMBER,
        samples=_list({"type": "string"}),
        **dict.fromkeys(("muted_by", "mute_reason"), TEXT),
        **dict.fromkeys(("first_seen", "last_seen", "muted_until", "muted_at"), MOMENT),
    )
    values = {"type": "object", "additionalProperties": TEXT}
    candidates = _object(candidates=_list(_object(**dict.fromkeys(CANDIDATE, TEXT))))
    refused = _object(entry_id=TEXT, code=TEXT, message=TEXT)
    return {
        "Entry": _object(**COLUMNS),
        "Page": _object(entries=_list({"$ref": "#/components/schemas/Entry"}), next=TEXT, previous=TEXT),
        "Count": _object(
            **{
                state: _object(entries=NUMBER, at_least={"type": "boolean"})
                for state in ("all", "queued", "running", "completed", "failed")
            }
        ),
        "Attempts": _object(attempts=_list(attempt)),
        "Steps": _object(steps=_list(step)),
        "Issues": _object(issues=_list(issue)),
        "Mute": _object(
            until={"type": "string", "format": "date"}, reason={"type": "string", "maxLength": 500}
        ),
        "Muted": _object(issue_id=TEXT, muted=_FLAG),
        "Summary": _object(accounts=_list({"type": "object"})),
        "Replay": _object(
            state=TEXT,
            actor=TEXT,
            account=TEXT,
            cancelling={"type": "boolean"},
            selection={"type": "object"},
            ranges=_list({"type": "object"}),
            totals={"type": "object"},
            **dict.fromkeys(("replay_id", "offsets_read", "offsets"), NUMBER),
            **dict.fromkeys(("events", "done", "under_way", "queued", "failed"), NUMBER),
            **dict.fromkeys(("started_at", "updated_at", "finished_at"), MOMENT),
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
            act=NUMBER,
            selected=NUMBER,
            possible=NUMBER,
            causes={"type": "object", "additionalProperties": {"type": "integer"}},
            calls=NUMBER,
            minutes=NUMBER,
            accounts=_list(
                _object(
                    account=TEXT,
                    **{key: {"type": "boolean"} for key in ("connected", "paused", "enough_today")},
                    **dict.fromkeys(("actions", "calls", "minutes"), NUMBER),
                    day_left={"type": ["integer", "null"]},
                )
            ),
            done=_list({"type": "string"}),
            refused=_list(refused),
        ),
        "Settings": _object(account=TEXT, settings=values, written=_list({"type": "string"})),
        "SettingsChange": _object(settings=values),
        "SettingsChanged": _object(
            account=TEXT,
            changed={"type": "object", "additionalProperties": _object(old=TEXT, new=TEXT)},
        ),
        "Check": _object(
            account=TEXT,
            organisation=TEXT,
            fetched_at=MOMENT,
            findings=_list(
                _object(key=TEXT, value=TEXT, problem=TEXT, remedy=TEXT, severity=TEXT, code=TEXT)
            ),
            failures=_list({"type": "object"}),
        ),
        **_drift(),
        **_source(),
        **_comparison(),
        "Candidates": candidates,
        "Decision": _object(adopt=TEXT, send=_FLAG, dry_run=_FLAG),
        "Decided": _object(
            dry_run=_FLAG, act=NUMBER, done=_list({"type": "string"}), **candidates["properties"]
        ),
        "Problem": _object(error=_object(code=TEXT, message=TEXT, field={"type": "string"})),
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
        return MOMENT if name in moments else NUMBER if name in numbers else TEXT

    reading = _object(**{name: kind(name) for name in READING}) | {"type": ["object", "null"]}
    difference = _object(**{name: kind(name) for name in DIFFERENCE})
    return {
        "Drift": _object(account=TEXT, last=reading, under_way=reading, differences=_list(difference)),
        "Compare": _object(since=TEXT, full=_FLAG),
        "Comparing": _object(account=TEXT, under_way=reading),
        "Differences": _object(differences=_list({"type": "string"}), dry_run=_FLAG),
        "DriftActed": _object(
            dry_run=_FLAG, act=NUMBER, selected=NUMBER, possible=NUMBER, done=NUMBER,
            queued=_list({"type": "string"}),
        ),
    }  # fmt: skip


def _source() -> dict[str, Any]:
    amounts = {"type": "object", "additionalProperties": {"type": ["number", "null"]}}
    problem = _object(
        **{key: {"type": "string"} for key in ("code", "example", "remedy")}, count=NUMBER, since=MOMENT
    )
    source = _object(
        **dict.fromkeys(("account", "reason", "remedy", "trouble", "trouble_text"), TEXT),
        state={"enum": list(get_args(State))},
        **{key: {"type": "boolean"} for key in ("is_read", "needs_somebody")},
        **dict.fromkeys(("connected_at", "trouble_since", "held_until"), MOMENT),
        **dict.fromkeys(
            ("calls_last_minute", "details_wanted", "events_to_publish", "history_left", "problem_count"),
            NUMBER,
        ),
        stock={
            "type": "object",
            "additionalProperties": _object(
                rows=NUMBER, count=NUMBER, done={"type": "boolean"}, unseen=NUMBER
            ),
        },
        stock_seconds_left={"type": ["number", "null"]},
        layer_ages=amounts,
        latest_seconds=amounts,
        listed_latest_seconds=amounts,
        deep=_object(due=NUMBER, overdue_seconds=NUMBER),
        modified={
            "type": "object",
            "additionalProperties": _object(moved=NUMBER, unmoved=NUMBER, run=NUMBER),
        },
        shrunk={"enum": list(get_args(Shrunk))},
        unmeasured={"type": "object", "additionalProperties": TEXT},
        feed=_object(last_at=MOMENT, trouble=TEXT) | {"type": ["object", "null"]},
        comparison=_object(ended_at=MOMENT, error=TEXT),
        problems=_list(problem),
    ) | {"additionalProperties": False}
    return {"Source": source, "Sources": _object(sources=_list({"$ref": "#/components/schemas/Source"}))}


def _comparison() -> dict[str, Any]:
    moments = ("asked_at", "started_at", "finished_at", "first_seen_at")
    numbers = ("rows", "details", "calls", "xero_calls", "news")
    sums = ("net", "tax", "total", "paid", "refunded")
    side = _object(**dict.fromkeys(("number", "party", "status", *sums), TEXT)) | {"type": ["object", "null"]}

    def kind(name: str) -> dict[str, Any]:
        if name in SIDES:
            return side
        if name == "lists":
            states = ["read", "in_part", "odd", "refused"]
            return {"type": "object", "additionalProperties": {"enum": states}}
        if name == "unread":
            return {"type": "object", "additionalProperties": {"type": "string"}}
        if name == "fields":
            return _list({"type": "string"})
        if name == "known":
            return {"type": "boolean"}
        return MOMENT if name in moments else NUMBER if name in numbers else TEXT

    def row(names: Sequence[str]) -> dict[str, Any]:
        return _object(**{name: kind(name) for name in names}) | {"additionalProperties": False}

    run = row(COMPARISON) | {"type": ["object", "null"]}
    total = _object(documents=NUMBER, **{key: {"type": "string"} for key in sums})
    month = _object(
        **{key: {"type": "string"} for key in ("month", "kind", "currency")},
        **dict.fromkeys(("agreeing", "differing", "before_cutoff"), NUMBER),
        **dict.fromkeys(("shop", "expected", "xero"), total),
        agrees={"type": "boolean"},
    )
    return {
        "Comparison": _object(
            account=TEXT,
            last=run,
            under_way=run,
            error=row(BROKEN_OFF) | {"type": ["object", "null"]},
            obstacle=TEXT,
            months=_list(month),
            lines=_list(_object(text={"type": "string"}, agrees={"type": "boolean"})),
        ),
        "DifferingDocuments": _object(differences=_list(row(DOCUMENT)), next=TEXT),
    }
