"""Who is signed in: their sessions and tokens, each of which they can end."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import audit
from sbx.web.auth import sessions
from sbx.web.auth.gate import acting_for_all, address_of, user_of
from sbx.web.pages.forms import text
from sbx.web.services import services_of
from sbx.web.view.rendering import render


async def you_page(request: Request) -> Response:
    """``GET /you``"""
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        context = {
            "sessions": await sessions.of_user(connection, user.name, request.state.session),
            "tokens": await sessions.tokens(connection, user.name),
        }
    return render(request, "you.html", context)


@acting_for_all
async def end_session(request: Request, form: FormData) -> Response:
    """``POST /you/session``: one's own; that of this browser signs out."""
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        number = await audit.begin(connection, user, address_of(request), "end_session", {}, "")
        await sessions.end_one(connection, user.name, text(form, "session"))
        await audit.end(connection, number, {})
    return RedirectResponse("/you", 303)


@acting_for_all
async def revoke(request: Request, form: FormData) -> Response:
    """``POST /you/token``: one's own."""
    user, label = user_of(request), text(form, "label")
    async with services_of(request).database.connection() as connection:
        number = await audit.begin(connection, user, address_of(request), "revoke", {"label": label}, "")
        ended = await sessions.revoke(connection, user.name, label)
        await audit.end(connection, number, {"ended": ended})
    return RedirectResponse("/you", 303)
