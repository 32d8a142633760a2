"""Acts: who did what, on the page, through the API and on the command line."""

from starlette.requests import Request
from starlette.responses import Response

from sbx.actions import audit
from sbx.actions.audit import WantedActs
from sbx.web.auth.gate import user_of
from sbx.web.services import services_of
from sbx.web.view import filters as reading
from sbx.web.view.rendering import render

PAGE = 100


async def acts_page(request: Request) -> Response:
    """``GET /acts?actor=&act=&account=&since=&until=&before=``"""
    given = {name: value.strip() for name, value in request.query_params.items() if value.strip()}
    wanted = WantedActs(
        given.get("actor"),
        audit.known_kind(given.get("act")),
        given.get("account"),
        reading.read_moment("since", given.get("since")),
        reading.read_moment("until", given.get("until")),
        reading.read_number("before", given["before"], 0, 0, 2**62) if "before" in given else None,
    )
    async with services_of(request).database.connection() as connection:
        rows = await audit.acts(connection, user_of(request), wanted, PAGE + 1)
    shown = [row | {"on": audit.on_what(row), "came": audit.came_of(row)} for row in rows[:PAGE]]
    older = given | {"before": str(shown[-1]["id"])} if len(rows) > PAGE else None
    return render(request, "acts.html", {"acts": shown, "kinds": audit.KINDS, "given": given, "older": older})
