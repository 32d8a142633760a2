"""The signed-in user: their sessions and tokens, each of which they can end."""

from contextlib import suppress

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import audit, users
from sbx.actions.refused import ActionRefused
from sbx.web.auth import sessions
from sbx.web.auth.gate import acting_for_all, user_of
from sbx.web.pages.forms import text
from sbx.web.services import services_of
from sbx.web.view.rendering import render


async def you_page(request: Request) -> Response:
    """``GET /you``"""
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        context = {
            "sessions": await sessions.of_user(connection, user.name, request.state.session),
            "tokens": await users.tokens(connection, user.name),
        }
    return render(request, "you.html", context)


@acting_for_all
async def end_session(request: Request, form: FormData) -> Response:
    """``POST /you/session``: the user's own; ending this browser's session signs out."""
    user = user_of(request)
    async with (
        services_of(request).database.connection() as connection,
        audit.recorded(connection, user, "end_session", {}),
    ):
        await sessions.end_one(connection, user.name, text(form, "session"))
    return RedirectResponse("/you", 303)


@acting_for_all
async def revoke(request: Request, form: FormData) -> Response:
    """``POST /you/token``: the user's own."""
    user, label = user_of(request), text(form, "label")
    async with services_of(request).database.connection() as connection:
        with suppress(ActionRefused):  # it has ended already
            await users.revoke(connection, user, user.name, label)
    return RedirectResponse("/you", 303)
