"""What needs somebody: standing failures, a group for each cause; what is muted stands apart."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from log_projection.queries import Filters
from web import filters as reading
from web import mutes
from web.auth.gate import acting, address_of, user_of
from web.problems import Problem
from web.services import services_of
from web.views import render
from web.visible import VisibleLog

_AFFECTED = 5
"""Documents that an issue names one by one."""
_DETAILED = 30
"""Issues, the largest first, that name them."""


async def issues_page(request: Request) -> Response:
    """``GET /issues``"""
    return await _page(request, {})


@acting
async def mute(request: Request, form: FormData) -> Response:
    """``POST /issues/{issue_id}/mute``"""
    issue_id: str = request.path_params["issue_id"]
    until, reason = str(form.get("until", "")), str(form.get("reason", ""))
    database, user = services_of(request).database, user_of(request)
    try:
        await mutes.mute(database, user, address_of(request), issue_id, until, reason)
    except Problem as problem:
        if problem.status != 400:
            raise
        return await _page(request, {"issue": issue_id, "message": problem.message})
    return RedirectResponse("/issues", 303)


@acting
async def unmute(request: Request, _form: FormData) -> Response:
    """``POST /issues/{issue_id}/unmute``"""
    database, issue_id = services_of(request).database, request.path_params["issue_id"]
    await mutes.unmute(database, user_of(request), address_of(request), issue_id)
    return RedirectResponse("/issues", 303)


async def _page(request: Request, error: dict[str, str]) -> Response:
    pairs = request.query_params.multi_items()
    filters, user = reading.read_filters(pairs), user_of(request)
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user)
        position = await visible.position()
        found = await visible.issues(filters.account)
        muted = await mutes.standing(connection, user)
        summary = await visible.summary()
        documents = {}
        for issue in found[:_DETAILED]:
            of_it = Filters(issue=issue["issue_id"], state="failed")
            documents[issue["issue_id"]] = [row async for row in visible.entries(of_it, limit=_AFFECTED)]
    context = {
        "issues": [issue for issue in found if issue["issue_id"] not in muted],
        "muted": [issue for issue in found if issue["issue_id"] in muted],
        "mutes": muted,
        "documents": documents,
        "error": error,
        "position": position,
        "given": reading.given_filters(pairs),
        "accounts": [row["account"] for row in summary],
        "entries": sum(issue["entries"] for issue in found),
    }
    return render(request, "issues.html", context, 400 if error else 200)
