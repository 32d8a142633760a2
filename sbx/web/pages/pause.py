"""Pause and resume: a page that explains the effect, then a button that does it."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import pause
from sbx.actions.accounts import connected
from sbx.actions.pause import HOLDS, Hold
from sbx.actions.refused import ActionRefused, one_of
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.gate import acting, require_operator, user_of
from sbx.web.pages.forms import text
from sbx.web.services import services_of
from sbx.web.setup_left import setup_left
from sbx.web.view.rendering import render


async def plan_page(request: Request) -> Response:
    """``GET /accounts/{account}/hold?do=pause``"""
    require_operator(request)
    return await _page(request, one_of(request.query_params.get("do", ""), HOLDS), "", "")


@acting
async def perform(request: Request, form: FormData) -> Response:
    """``POST /accounts/{account}/hold``"""
    account: str = request.path_params["account"]
    hold, note = one_of(text(form, "do"), HOLDS), text(form, "note")
    services, user = services_of(request), user_of(request)
    try:
        await pause.perform(services.database, user, hold, account, note)
    except ActionRefused as refused:
        if refused.field != "note":
            raise
        return await _page(request, hold, note, refused.message)
    return RedirectResponse("/overview", 303)


async def _page(request: Request, hold: Hold, note: str, error: str) -> Response:
    account: str = request.path_params["account"]
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        found = await connected(connection, user, account)
        left = await setup_left(connection, user, account)
        [counts] = await VisibleLog(connection, user).summary(account) or [{"queued": 0, "running": 0}]
    context = {"hold": hold, "connection": found, "counts": counts, "note": note, "error": error}
    return render(request, "hold.html", context | left, 400 if error else 200)
