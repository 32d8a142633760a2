"""Read entries, attempts, issues and counts."""

from starlette.requests import Request
from starlette.responses import Response

from log_projection.queries import Filters
from sbx.actions import mutes
from sbx.actions.filters import CHOICES, read_order
from sbx.actions.replay.start import visible as visible_replay
from sbx.actions.scoped_log import VisibleLog
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import no_parameters
from sbx.web.auth.gate import user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view import filters as parsing

LIMIT = 100
MOST = 500


async def entries(request: Request) -> Response:
    """``GET /api/v1/entries``: newest first, or in another order, with cursors to the pages beside it."""
    parameters = request.query_params
    others = (*parsing.CURSORS, parsing.SORT, "limit")
    filters = parsing.read_filters(parameters.multi_items(), others)
    order = read_order(parameters.get(parsing.SORT) or None)
    limit = parsing.read_number("limit", parameters.get("limit"), LIMIT, 1, MOST)
    after, before = parsing.read_cursors(parameters, order)
    async with services_of(request).database.connection() as connection:
        page = await VisibleLog(connection, user_of(request)).page(filters, limit, after, before, order)
    rows = page.rows
    return json_answer(
        {
            "entries": rows,
            "next": parsing.encode_cursor(rows[-1], order) if rows and page.older else None,
            "previous": parsing.encode_cursor(rows[0], order) if rows and page.newer else None,
        }
    )


async def count(request: Request) -> Response:
    """``GET /api/v1/entries/count``: how many match, whatever their state, and by state."""
    filters = parsing.read_filters(request.query_params.multi_items())
    async with services_of(request).database.connection() as connection:
        hits = await VisibleLog(connection, user_of(request)).hits(filters)
    counted = {state: hits.of(state) for state in ("all", *CHOICES["state"])}
    return json_answer(
        {state: {"entries": entries, "at_least": more} for state, (entries, more) in counted.items()}
    )


async def entry(request: Request) -> Response:
    """``GET /api/v1/entries/{entry_id}``"""
    no_parameters(request)
    async with services_of(request).database.connection() as connection:
        found = await VisibleLog(connection, user_of(request)).existing(request.path_params["entry_id"])
    return json_answer(found)


async def attempts(request: Request) -> Response:
    """``GET /api/v1/entries/{entry_id}/attempts``: the calls made for it, oldest first."""
    no_parameters(request)
    entry_id = request.path_params["entry_id"]
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user_of(request))
        await visible.existing(entry_id)
        return json_answer({"attempts": await visible.attempts(entry_id)})


async def steps(request: Request) -> Response:
    """``GET /api/v1/entries/{entry_id}/steps``: everything that happened to it, oldest first."""
    no_parameters(request)
    entry_id = request.path_params["entry_id"]
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user_of(request))
        await visible.existing(entry_id)
        return json_answer({"steps": await visible.steps(entry_id)})


async def issues(request: Request) -> Response:
    """``GET /api/v1/issues``: failures by cause, largest first; ``next`` is the next ``page``."""
    parameters = request.query_params
    account = _account_only(request, others=("limit", "page")).account
    limit = parsing.read_number("limit", parameters.get("limit"), LIMIT, 1, MOST)
    page = parsing.read_number("page", parameters.get("page"), 1, 1, parsing.LAST_PAGE)
    async with services_of(request).database.connection() as connection:
        found, more = await mutes.issues(connection, user_of(request), account, limit, page)
    return json_answer({"issues": found, "next": page + 1 if more else None})


async def summary(request: Request) -> Response:
    """``GET /api/v1/summary``: counts, ages and holds, one object per account."""
    account = _account_only(request).account
    async with services_of(request).database.connection() as connection:
        return json_answer({"accounts": await VisibleLog(connection, user_of(request)).summary(account)})


async def replays(request: Request) -> Response:
    """``GET /api/v1/replays``: all, newest first."""
    no_parameters(request)
    async with services_of(request).database.connection() as connection:
        return json_answer({"replays": await VisibleLog(connection, user_of(request)).replays()})


async def replay(request: Request) -> Response:
    """``GET /api/v1/replays/{replay_id}``"""
    no_parameters(request)
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user_of(request))
        number = parsing.read_number("replay_id", request.path_params["replay_id"], 0, 0, 2**62)
        return json_answer(await visible_replay(visible, number))


def _account_only(request: Request, others: tuple[str, ...] = ()) -> Filters:
    allowed = ("account", *others)
    for name in request.query_params:
        if name not in allowed:
            raise Problem(400, "bad_request", f"There is no '{name}' here, only {', '.join(allowed)}.", name)
    return parsing.read_filters(request.query_params.multi_items(), others)
