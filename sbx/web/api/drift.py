"""Where Xero differs: read, compare, accept or send again."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from log_projection.queries import Row
from sbx.actions import drift
from sbx.actions.drift import MOST, Act
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import acting_body, no_parameters
from sbx.web.auth.gate import user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view.filters import read_moment

READING = (
    "actor", "since", "asked_at", "started_at", "finished_at", "error", "calls", "calls_expected", "read",
    "compared",
)  # fmt: skip
DIFFERENCE = (
    "id", "kind", "number", "entity", "record_id", "transaction_id", "field", "ours", "xeros", "information",
    "changed_at", "changed_by", "changed_by_at", "first_seen_at", "last_seen_at", "xero_id", "xero_status",
    "xero_url", "resent_at", "proposal", "note", "why",
)  # fmt: skip


class Compare(msgspec.Struct, forbid_unknown_fields=True):
    """The scope of a comparison: changes in Xero since the last time, since a given time, or everything."""

    since: str | None = None
    full: bool = False


class Chosen(msgspec.Struct, forbid_unknown_fields=True):
    """Differences by their ids."""

    differences: list[str]
    dry_run: bool = False


async def show(request: Request) -> Response:
    """``GET /api/v1/accounts/{account}/drift``"""
    no_parameters(request)
    account: str = request.path_params["account"]
    async with services_of(request).database.connection() as connection:
        state = await drift.load(connection, user_of(request), account)
    answer = {
        "account": account,
        "last": _reading(state.last),
        "under_way": _reading(state.under_way),
        "differences": [_shown(row) for row in state.differences],
    }
    return json_answer(answer)


async def compare(request: Request) -> Response:
    """``POST /api/v1/accounts/{account}/drift/reading``"""
    body = await acting_body(request, Compare)
    if body.since is not None and body.full:
        raise Problem(400, "bad_request", "'since' and 'full' cannot be combined: give one of them.", "since")
    since = read_moment("since", body.since)
    account: str = request.path_params["account"]
    database, user = services_of(request).database, user_of(request)
    _, found = await drift.read(database, user, account, since, full=body.full)
    return json_answer({"account": account, "under_way": _reading(found)})


async def resend(request: Request) -> Response:
    """``POST /api/v1/accounts/{account}/drift/resend``"""
    return await _act(request, "resend")


async def adopt(request: Request) -> Response:
    """``POST /api/v1/accounts/{account}/drift/adopt``"""
    return await _act(request, "adopt")


async def _act(request: Request, act: Act) -> Response:
    body = await acting_body(request, Chosen)
    if not 0 < len(body.differences) <= MOST:
        raise Problem(400, "bad_request", f"'differences' must hold 1 to {MOST} ids.", "differences")
    account: str = request.path_params["account"]
    database, user = services_of(request).database, user_of(request)
    if body.dry_run:
        async with database.connection() as connection:
            state = await drift.load(connection, user, account)
        rows, left = drift.chosen(state, act, body.differences)
        return json_answer({"dry_run": True, "selected": len(rows) + left, "possible": len(rows)})
    number, result = await drift.perform(database, user, account, act, body.differences)
    answer = {"selected": result.selected, "done": result.done, "queued": result.queued}
    return json_answer({"dry_run": False, "act": number, **answer})


def _reading(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {name: row[name] for name in READING}


def _shown(row: Row) -> dict[str, Any]:
    return {name: row[name] for name in DIFFERENCE}
