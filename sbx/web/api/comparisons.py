"""SalesBinder, what should be in Xero by the settings, and Xero: the last comparison."""

import base64
import binascii
from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from log_projection.queries import Row
from sbx.actions import reconcile
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import no_parameters
from sbx.web.auth.gate import user_of
from sbx.web.comparison_csv import as_csv
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view.filters import read_number
from sources.reconcile.months import Month
from sources.reconcile.runs import Place

COMPARISON = (
    "run_id", "actor", "asked_at", "started_at", "finished_at", "phase", "waits_for", "rows", "details",
    "calls", "xero_calls", "news", "lists", "unread",
)  # fmt: skip
BROKEN_OFF = ("run_id", "actor", "finished_at", "error")
SIDES = ("salesbinder", "expected", "xero")
DOCUMENT = (
    "kind", "number", "party", "record_id", "date", "currency", *SIDES, "fields", "reason", "title",
    "text", "remedy", "known", "entry_id", "first_seen_at", "salesbinder_url", "xero_id", "xero_url",
)  # fmt: skip
LIMIT = 100
_DAYS = ("since", "until")


async def show(request: Request) -> Response:
    """``GET /api/v1/accounts/{account}/reconcile``: the last comparison, month by month."""
    no_parameters(request)
    async with services_of(request).database.connection() as connection:
        report = await reconcile.load(connection, user_of(request), request.path_params["account"])
    answer = {
        "account": report.connection.account,
        "last": _named(COMPARISON, report.last),
        "under_way": _named(COMPARISON, report.under_way),
        "error": _named(BROKEN_OFF, report.error),
        "obstacle": None if report.obstacle is None else report.obstacle.message,
        "months": [_month(each) for each in report.months],
        "lines": [{"text": text, "agrees": agrees} for text, agrees in report.lines],
    }
    return json_answer(answer)


async def differences(request: Request) -> Response:
    """``GET /api/v1/accounts/{account}/reconcile/differences``: by day of issue, a page at a time."""
    _only(request, (*_DAYS, "limit", "cursor"))
    parameters = request.query_params
    since, until = _days(request)
    limit = read_number("limit", parameters.get("limit"), LIMIT, 1, reconcile.MOST)
    after = _place(parameters.get("cursor"))
    async with services_of(request).database.connection() as connection:
        found = reconcile.results(
            connection,
            user_of(request),
            request.path_params["account"],
            since,
            until,
            only_differing=True,
            limit=limit + 1,
            after=after,
        )
        rows = [row async for row in found]
    shown = rows[:limit]
    more = _cursor(shown[-1]) if len(rows) > limit else None
    return json_answer({"differences": [_named(DOCUMENT, row) for row in shown], "next": more})


async def export(request: Request) -> Response:
    """``GET /api/v1/accounts/{account}/reconcile.csv``: every document with all three sides."""
    _only(request, _DAYS)
    return await as_csv(request, *_days(request))


def _named(names: Iterable[str], row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {name: row[name] for name in names}


def _month(month: Month) -> dict[str, Any]:
    return {**msgspec.structs.asdict(month), "agrees": month.agrees}


def _only(request: Request, names: Iterable[str]) -> None:
    allowed = tuple(names)
    for name in request.query_params:
        if name not in allowed:
            raise Problem(400, "bad_request", f"There is no '{name}' here, only {', '.join(allowed)}.", name)


def _days(request: Request) -> tuple[date | None, date | None]:
    since, until = (_day(name, request.query_params.get(name)) for name in _DAYS)
    if since is not None and until is not None and until < since:
        raise Problem(400, "bad_request", f"'until' {until} is before 'since' {since}.", "until")
    return since, until


def _day(name: str, value: str | None) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise Problem(400, "bad_request", f"'{value}' is not a day. Write 2026-01-31.", name) from error


def _cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(reconcile.place_of(row))).decode().rstrip("=")


def _place(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    try:
        day, *rest = msgspec.json.decode(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=tuple[str, str, str, str]
        )
        if day != "infinity":
            date.fromisoformat(day)
        if any("\0" in each for each in rest):
            raise ValueError
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        message = "'cursor' is not one: take it from 'next' of an answer."
        raise Problem(400, "bad_request", message, "cursor") from error
    kind, number, record_id = rest
    return day, kind, number, record_id
