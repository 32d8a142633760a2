"""Issues that need attention: current failures, grouped by cause; muted ones apart."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import mutes
from sbx.actions.refused import ActionRefused
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.gate import acting, user_of
from sbx.web.services import services_of
from sbx.web.view import filters as reading
from sbx.web.view.rendering import render

_AFFECTED = 5
"""How many documents an issue lists individually."""
_PAGE = 25
"""Issues per page, largest first."""


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
        await mutes.mute(database, user, issue_id, until, reason)
    except ActionRefused as refused:
        if refused.code != "bad_request":
            raise
        given = {"until": until, "reason": reason, "field": refused.field or ""}
        return await _page(request, {"issue": issue_id, "message": refused.message, **given})
    return RedirectResponse("/issues", 303)


@acting
async def unmute(request: Request, _form: FormData) -> Response:
    """``POST /issues/{issue_id}/unmute``"""
    database, issue_id = services_of(request).database, request.path_params["issue_id"]
    await mutes.unmute(database, user_of(request), issue_id)
    return RedirectResponse("/issues", 303)


async def _page(request: Request, error: dict[str, str]) -> Response:
    pairs = request.query_params.multi_items()
    filters, user = reading.read_filters(pairs, others=("page",)), user_of(request)
    page = reading.read_number("page", request.query_params.get("page"), 1, 1, reading.LAST_PAGE)
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user)
        position = await visible.position()
        totals = await visible.issue_totals(filters.account)
        mutes_by_id = await mutes.standing(connection, user)
        behind = (page - 1) * _PAGE
        found = await visible.issues(
            filters.account, without=mutes_by_id.keys(), limit=_PAGE + 1, offset=behind
        )
        # Muted issues are few, because somebody has muted each of them.
        muted = await visible.issues(filters.account, ids=mutes_by_id.keys()) if page == 1 else []
        summary = await visible.summary()
        shown = [issue["issue_id"] for issue in (*found[:_PAGE], *muted) if issue["issue_id"]]
        documents = await visible.failed_of(shown, _AFFECTED)
    context = {
        "issues": found[:_PAGE],
        "muted": muted,
        "mutes": mutes_by_id,
        "documents": documents,
        "error": error,
        "position": position,
        "given": reading.given_filters(pairs),
        "accounts": [row["account"] for row in summary],
        "totals": totals,
        "page": page,
        "more": len(found) > _PAGE,
    }
    return render(request, "issues.html", context, 400 if error else 200)
