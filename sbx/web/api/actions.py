"""Retry and skip."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from log_projection.queries import Filters
from sbx.actions import retry as acts
from sbx.actions.retry import Plan, Result, Selection
from sbx.actions.scoped_log import VisibleLog
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import acting_body
from sbx.web.auth.gate import user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view import filters as parsing
from sinks.ledger.commands import Act

MOST_NAMED = 1000


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The request: ``entries`` or ``filters``, not both."""

    entries: list[str] | None = None
    filters: dict[str, str] | None = None
    note: str = ""
    dry_run: bool = False


async def retry(request: Request) -> Response:
    """``POST /api/v1/retry``: try failed entries again."""
    return await _act(request, "retry")


async def skip(request: Request) -> Response:
    """``POST /api/v1/skip``: end entries without doing anything in Xero, with a note."""
    return await _act(request, "skip")


async def _act(request: Request, act: Act) -> Response:
    body = await _body(request)
    filters = acts.wanted(_filters(body))
    services, user = services_of(request), user_of(request)
    async with services.database.connection() as connection:
        plan = await acts.plan(connection, VisibleLog(connection, user), act, filters)
    if body.dry_run:
        return json_answer(_planned(plan))
    words: dict[str, Any] = {"entries": body.entries} if body.entries else {"filters": body.filters or {}}
    chosen = Selection(filters, words)
    number, result = await acts.perform(services.database, user, act, chosen, body.note)
    return json_answer(_done(number, result))


async def _body(request: Request) -> Body:
    body = await acting_body(request, Body)
    if (body.entries is None) == (body.filters is None):
        raise Problem(400, "bad_request", "Give either 'entries' (ids) or 'filters'.", "entries")
    return body


def _filters(body: Body) -> Filters:
    if body.entries is None:
        return parsing.read_filters((body.filters or {}).items())
    if not 0 < len(body.entries) <= MOST_NAMED:
        raise Problem(400, "bad_request", f"'entries' must hold 1 to {MOST_NAMED} ids.", "entries")
    if any("\0" in entry_id for entry_id in body.entries):
        raise Problem(400, "bad_request", "An id cannot contain a NUL.", "entries")
    return Filters(entry_ids=tuple(sorted(set(body.entries))))


def _planned(plan: Plan) -> dict[str, Any]:
    return {
        "dry_run": True,
        "selected": plan.total,
        "possible": plan.possible,
        "causes": dict(plan.causes),
        **plan.cost,
    }


def _done(number: int, result: Result) -> dict[str, Any]:
    return {
        "dry_run": False,
        "act": number,
        "selected": result.selected,
        "done": result.done,
        "refused": result.refused,
    }
