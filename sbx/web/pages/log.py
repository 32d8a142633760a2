"""The log: a page of entries, and the stream that keeps it current."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import psycopg
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from log_projection.queries import Filters, Hits, Row
from runtime.trouble import about_the_database
from sbx.actions.filters import CHOICES, SORTS, read_order
from sbx.actions.scoped_log import NEWEST_FIRST, Page, VisibleLog
from sbx.web import saved_views
from sbx.web.auth.gate import user_of
from sbx.web.live import News, follow
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view import filters as reading
from sbx.web.view.rendering import fragment, render

PAGE = 50
_NOTHING = Page([], newer=False, older=False)
_STATES = ("queued", "running", "completed", "failed")


async def log_page(request: Request) -> Response:
    """``GET /``"""
    pairs = request.query_params.multi_items()
    named = request.query_params.get(reading.VIEW, "").strip()
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        try:
            pairs = await saved_views.opened(connection, user.name, pairs)
            filters = reading.read_filters(pairs, others=(*reading.CURSORS, reading.SORT))
            order = read_order(dict(pairs).get(reading.SORT) or None)
            after, before = reading.read_cursors(request.query_params, order)
            problem = None
        except Problem as wrong:
            # Shown above the form, so that the input can be corrected in place.
            filters, order, after, before, problem = Filters(), NEWEST_FIRST, None, None, wrong
        visible = VisibleLog(connection, user)
        position = await visible.position()
        page = _NOTHING if problem else await visible.page(filters, PAGE, after, before, order)
        if before is not None and not page.newer:
            # Only the first page is before it, which is shown completely and updates live.
            page = await visible.page(filters, PAGE, order=order)
        summary = await visible.summary()
        narrowed = _is_narrowed(filters) and not problem
        counts = _counts(await visible.hits(filters)) if narrowed else _tallied(summary, filters.account)
        replaying = await visible.replays(running=True)
        views = await saved_views.names(connection, user.name)
    given, rows = reading.given_filters(pairs), page.rows
    sort = next((name for name, one in SORTS.items() if one == order))
    context = {
        "rows": rows,
        "given": given,
        "problem": problem,
        "next_cursor": reading.encode_cursor(rows[-1], order) if rows and page.older else None,
        "previous_cursor": reading.encode_cursor(rows[0], order) if rows and page.newer else None,
        "first_page": not page.newer,
        "is_live": not (page.newer or problem) and order == NEWEST_FIRST,
        "sort": sort,
        "shown": given | ({} if order == NEWEST_FIRST else {reading.SORT: sort}),
        "counts": counts,
        "narrowed": narrowed,
        "views": views,
        "view": named if named in views else "",
        "with_account": _with_account(summary, filters),
        "position": position,
        "accounts": [row["account"] for row in summary],
        "replaying": replaying,
        "held": [row for row in summary if row["held"] and filters.account in (None, row["account"])],
        "reasons": CHOICES["reason"],
    }
    return render(request, "log.html", context, problem.status if problem else 200)


async def live(request: Request) -> Response:
    """``GET /live``: changes of a first page with these filters, as rendered rows."""
    filters = reading.read_filters(request.query_params.multi_items(), others=("after",))
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    after = reading.read_number("after", given, 0, 0, 2**62)
    return EventSourceResponse(_rows(request, filters, after), ping=15)


async def _rows(request: Request, filters: Filters, after: int) -> AsyncIterator[ServerSentEvent]:
    services, user = services_of(request), user_of(request)
    async for news in follow(services.streams, services.feed, user, filters, after):
        try:
            async with services.streams.connection() as connection:
                summary = await VisibleLog(connection, user).summary()
        except psycopg.Error as error:
            if not about_the_database(error):
                raise
            return  # the browser comes again behind the last message that it has
        message = _message(news, user.may_act, _with_account(summary, filters))
        message["tally"] = tally(summary, filters.account)
        data = msgspec.json.encode(message).decode()
        yield ServerSentEvent(data, event="news", id=str(news.position), retry=2000)


def _message(news: News, may_act: bool, with_account: bool) -> dict[str, Any]:
    rows = [
        {
            "id": row["entry_id"],
            "at": row["queued_at"].isoformat(),
            "html": fragment("rows.html", "entry_row", row, may_act, with_account),
        }
        for _, row in news.rows
    ]
    return {"reload": news.too_many, "rows": rows, "gone": news.gone}


def _is_narrowed(filters: Filters) -> bool:
    """Return True if more is asked than an account and a state, of which the numbers are known."""
    return replace(filters, account=None, state=None) != Filters()


def _counts(hits: Hits) -> dict[str, tuple[int, bool]]:
    """Return how many match, by state, and whether there are more."""
    return {state: hits.of(state) for state in ("all", *_STATES)}


def _tallied(summary: list[Row], account: str | None) -> dict[str, tuple[int, bool]]:
    return {state: (entries, False) for state, entries in tally(summary, account).items()}


def _with_account(summary: list[Row], filters: Filters) -> bool:
    """Return True if rows must name their account."""
    return filters.account is None and len(summary) > 1


def tally(summary: list[Row], account: str | None) -> dict[str, int]:
    """Return how many entries are in each state, of the account or of all."""
    rows = [row for row in summary if account in (None, row["account"])]
    counted = {state: sum(row[state] for row in rows) for state in _STATES}
    return counted | {"all": sum(counted.values())}
