"""The OpenAPI 3.1 description of the API; a test keeps it true."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sbx.actions.filters import CHOICES, SORTS
from sbx.web.api.answers import json_answer
from sbx.web.api.schemas import schemas
from sbx.web.view import filters

_DAY = {"type": "string", "format": "date"}
_SAID = {
    "account": "SalesBinder's sub-domain.",
    "issue": "An issue's id: failures with one cause.",
    "number": "A document's full number.",
    "record": "A record's SalesBinder id.",
    "text": "Words of the party's name, number, reference or reason, each by its beginning, without case "
    "and accents; an amount (19.95) or a range (10..20, >100); the beginning of an id. All must match.",
    "since": "Queued at or after: a day (UTC) or a time with a UTC offset.",
    "until": "Queued before: a day (UTC, that day included) or a time with a UTC offset.",
    "period": "Queued within: a period of the calendar, in UTC.",
    "reason": "A reason code.",
    "id": "An entry's id.",
    "topic": "The event's topic.",
    "partition": "The event's partition.",
    "offset": "The event's offset, or a range such as 120-180 or 120-.",
}


async def openapi(_request: Request) -> Response:
    """``GET /api/v1/openapi.json``"""
    return json_answer(description())


def description() -> dict[str, Any]:
    """Return the whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Integrations Log",
            "version": "1",
            "description": "What happened to every change on its way from SalesBinder to Xero. Amounts are "
            "strings, times RFC 3339 in UTC. Errors: {error: {code, message, field?}}.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}, {"session": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "From 'sbx users token'."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "sbx_session",
                    "description": "Where the page's address has a port, its name ends in it: "
                    "sbx_session_8321.",
                },
            },
            "schemas": schemas(),
            "responses": {"Problem": {"description": "It could not be done.", "content": _json("Problem")}},
        },
    }


def _paths() -> dict[str, Any]:
    every = _filters()
    sort = _parameter(
        "sort",
        {"type": "string", "enum": list(SORTS), "default": "-time"},
        "The order; a minus turns it round. Entries without an amount, or a number, come last.",
    )
    cursor = _parameter("cursor", {"type": "string"}, "From 'next' of an answer: the page after it.")
    before = _parameter("before", {"type": "string"}, "From 'previous' of an answer: the page before it.")
    limit = _parameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": 500, "default": 100},
        "Return at most this many.",
    )
    page = _parameter("page", {"type": "integer", "minimum": 1, "default": 1}, "From 'next' of an answer.")
    account = [one for one in every if one["name"] == "account"]
    entry_id = _in_path("entry_id", "An entry's id.")
    issue_id = _in_path("issue_id", _SAID["issue"])
    replay_id = _in_path("replay_id", "A replay's number.")
    of_account = _in_path("account", _SAID["account"])
    after = _parameter("after", {"type": "integer"}, "A position: continue after it, like Last-Event-ID.")
    resume = {
        **_parameter("Last-Event-ID", {"type": "string"}, "The id of the last event received."),
        "in": "header",
    }
    issued = [
        _parameter("since", _DAY, "Issued on this day or later."),
        _parameter("until", _DAY, "Issued on this day or before."),
    ]
    return {
        "/entries": _get("Entries, a page at a time", _json("Page"), [*every, sort, cursor, before, limit]),
        "/entries/count": _get(
            "How many entries match, whatever their state, and by state; at_least: there are more",
            _json("Count"),
            every,
        ),
        "/entries.csv": _get("All entries that match, as CSV", {"text/csv": {}}, [*every, sort]),
        "/entries.jsonl": _get(
            "All entries that match, one JSON object per line",
            {"application/jsonl": {}},
            [*every, sort],
        ),
        "/entries/{entry_id}": _get("One entry", _json("Entry"), [entry_id]),
        "/entries/{entry_id}/attempts": _get("The calls made for an entry", _json("Attempts"), [entry_id]),
        "/entries/{entry_id}/steps": _get(
            "Everything that happened to an entry, oldest first", _json("Steps"), [entry_id]
        ),
        "/entries/{entry_id}/candidates": _get(
            "The candidates in Xero for an entry in needs_review; empty if there is nothing to decide",
            _json("Candidates"),
            [entry_id],
        ),
        "/entries/{entry_id}/decision": _post(
            "Decide which candidate an entry in needs_review is, or that it is sent again; for operators",
            "Decision",
            "Decided",
            [entry_id],
        ),
        "/issues": _get(
            "Current failures by cause, largest first, a page at a time",
            _json("Issues"),
            [*account, limit, page],
        ),
        "/issues/{issue_id}/mute": _post(
            "Mute an issue until a day, that day included; for operators", "Mute", "Muted", [issue_id]
        ),
        "/issues/{issue_id}/unmute": _post("Unmute an issue; for operators", None, "Muted", [issue_id]),
        "/summary": _get("Counts, ages and holds of each account", _json("Summary"), account),
        "/replays": _get("Replays with their totals, newest first", _json("Replays"), []),
        "/replays/{replay_id}": _get("One replay, as it stands now", _json("Replay"), [replay_id]),
        "/stream": _get(
            "Entries as they change, as server-sent events 'entry'; 'reload' if too many",
            {"text/event-stream": {}},
            [*every, after, resume],
        ),
        "/retry": _post("Retry failed entries; for operators"),
        "/skip": _post("Skip failed or named waiting entries, with a note; for operators"),
        "/accounts/{account}/settings": {
            **_get("An account's settings", _json("Settings"), [of_account]),
            "put": {
                "summary": "Change the named settings, all or none; null resets one; for operators",
                "parameters": [of_account],
                "requestBody": {"required": True, "content": _json("SettingsChange")},
                "responses": _with_problems(
                    {"description": "What was changed.", "content": _json("SettingsChanged")}
                ),
            },
        },
        "/accounts/{account}/check": _get(
            "Check the settings against the known facts of the organisation", _json("Check"), [of_account]
        ),
        "/accounts/{account}/drift": _get(
            "Where Xero differs from what was last synced, and the comparisons that found it",
            _json("Drift"),
            [of_account],
        ),
        "/accounts/{account}/drift/reading": _post(
            "Compare with Xero now; for operators", "Compare", "Comparing", [of_account]
        ),
        "/accounts/{account}/drift/resend": _post(
            "Send SalesBinder's version again for these differences; for operators",
            "Differences",
            "DriftActed",
            [of_account],
        ),
        "/accounts/{account}/drift/adopt": _post(
            "Accept Xero's version for these differences; for operators",
            "Differences",
            "DriftActed",
            [of_account],
        ),
        "/accounts/{account}/reconcile": _get(
            "The last comparison of SalesBinder and Xero, month by month, and the one under way",
            _json("Comparison"),
            [of_account],
        ),
        "/accounts/{account}/reconcile.csv": _get(
            "Every document of the last comparison with all three sides, as CSV",
            {"text/csv": {}},
            [of_account, *issued],
        ),
        "/accounts/{account}/reconcile/differences": _get(
            "What differs, by day of issue, a page at a time",
            _json("DifferingDocuments"),
            [of_account, *issued, cursor, limit],
        ),
        "/accounts/{account}/source": _get(
            "How the account is read from SalesBinder", _json("Source"), [of_account]
        ),
        "/sources": _get("How each account is read from SalesBinder", _json("Sources"), []),
        "/openapi.json": _get("This description", {"application/json": {}}, []),
    }


def _filters() -> list[dict[str, Any]]:
    found = []
    for name in filters.NAMES:
        schema: dict[str, Any] = {"type": "string"}
        if name in CHOICES:
            schema["enum"] = list(CHOICES[name])
        found.append(_parameter(name, schema, _SAID.get(name, f"Only this {name}.")))
    return found


def _parameter(name: str, schema: dict[str, Any], said: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": said}


def _in_path(name: str, said: str) -> dict[str, Any]:
    return {**_parameter(name, {"type": "string"}, said), "in": "path", "required": True}


def _get(summary: str, content: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    good = {"description": summary, "content": content}
    return {"get": {"summary": summary, "parameters": parameters, "responses": _with_problems(good)}}


def _post(
    summary: str, body: str | None = "Act", answer: str = "Acted", parameters: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": list(parameters),
        "responses": _with_problems({"description": "The plan, or the result.", "content": _json(answer)}),
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _json(body)}
    return {"post": operation}


def _with_problems(good: dict[str, Any]) -> dict[str, Any]:
    return {"200": good, "default": {"$ref": "#/components/responses/Problem"}}


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
