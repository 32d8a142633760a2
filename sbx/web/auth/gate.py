"""Authentication: every address behind the gate needs a session or a token, and every form our token."""

import ipaddress
from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import quote, urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.urls import split_address
from sbx.web.auth import sessions
from sbx.web.auth.sessions import User
from sbx.web.database import Database
from sbx.web.form_tokens import is_form_token
from sbx.web.overload import Turns, kind_of
from sbx.web.problems import Problem, is_api

SESSION_COOKIE = "sbx_session"
VISIT_COOKIE = "sbx_visit"
"""Cookie of a browser that is not signed in yet: the sign-in form is tied to it."""
_SAFE = ("GET", "HEAD")


class Gate:
    """ASGI middleware: finds the user, or answers that there is none. Runs inside the error handlers."""

    def __init__(self, app: ASGIApp, database: Database, turns: Turns) -> None:
        self._app = app
        self._database = database
        self._turns = turns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        request = Request(scope, receive)
        user = await self._user(request)
        if user is None:
            response = _nobody(request)
            await response(scope, receive, send)
            return
        request.state.user = replace(user, address=address_of(request))
        async with self._turns.hold(kind_of(request.url.path), user.name):
            await self._app(scope, receive, send)

    async def _user(self, request: Request) -> User | None:
        token = _bearer(request)
        session = cookie_of(request, SESSION_COOKIE)
        if token is not None and is_api(request.url.path):
            async with self._database.connection() as connection:
                return await sessions.user_of_token(connection, token)
        if session is None:
            return None
        async with self._database.connection() as connection:
            user = await sessions.user_of_session(connection, session)
        if user is not None:
            request.state.session = session
        return user


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _nobody(request: Request) -> Response:
    if is_api(request.url.path):
        raise Problem(
            401,
            "not_signed_in",
            "Send a valid token: 'Authorization: Bearer …'. 'sbx users token' creates one.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if request.method in _SAFE:
        back, wanted = _within(request.url.path, request.url.query), {}
    else:
        # The form was not processed: go back to its page, so that it can be sent again.
        page = split_address(request.headers.get("referer", ""))
        ours = page is not None and page.netloc == request.headers.get("host")
        back = _within(page.path, page.query) if page is not None and ours else "/"
        wanted = {"ended": "yes"}
    if back != "/":
        wanted["next"] = back
    return RedirectResponse(
        "/sign-in" + (f"?{urlencode(wanted, quote_via=quote, safe='/')}" if wanted else ""), 303
    )


def _within(path: str, query: str) -> str:
    return path + (f"?{query}" if query else "")


def user_of(request: Request) -> User:
    """Return who is asking; only behind the gate."""
    user: User = request.state.user
    return user


def check_origin(request: Request) -> None:
    """Refuse a form sent from another site's page.

    Raises:
        Problem: 403.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    sent_by = split_address(origin)
    if sent_by is None or sent_by.netloc != request.headers.get("host"):
        raise _forged()


async def checked_form(request: Request, cookie: str | None) -> FormData:
    """Return the request's form, after checking that it comes from our own page in this browser.

    Raises:
        Problem: 403.
    """
    check_origin(request)
    form = await request.form(max_files=0, max_fields=1000)
    given = form.get("form_token")
    if not cookie or not isinstance(given, str) or not is_form_token(given, cookie):
        raise _forged()
    return form


FormEndpoint = Callable[[Request, FormData], Awaitable[Response]]


def acting_for_all(endpoint: FormEndpoint) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a page that changes something: for any signed-in user, with our form."""

    async def guarded(request: Request) -> Response:
        form = await checked_form(request, getattr(request.state, "session", None))
        return await endpoint(request, form)

    return guarded


def acting(endpoint: FormEndpoint) -> Callable[[Request], Awaitable[Response]]:
    """Wrap the same for operators."""

    async def permitted(request: Request, form: FormData) -> Response:
        require_operator(request)
        return await endpoint(request, form)

    return acting_for_all(permitted)


def check_api_act(request: Request) -> None:
    """Wrap an API call that changes something: with a token, or from our own page with its token in a header.

    Raises:
        Problem: 403.
    """
    session = getattr(request.state, "session", None)
    if session is not None:
        check_origin(request)
        if not is_form_token(request.headers.get("x-form-token", ""), session):
            raise _forged()
    require_operator(request)


def require_operator(request: Request) -> None:
    """Refuse users who may not act.

    Raises:
        Problem: 403.
    """
    if not user_of(request).may_act:
        message = (
            "Your role is viewer: you can look but not act. Ask the person who set up your user for the "
            "operator role."
        )
        raise Problem(403, "not_allowed", message)


def cookie_name(name: str, port: int | None) -> str:
    """Return the cookie's name at an address with this port: ``sbx_session_8321``.

    A browser sends a host's cookies to all of its ports, so that two pages on one machine would overwrite
    each other's.
    """
    return name if port is None else f"{name}_{port}"


def cookie_of(request: Request, name: str) -> str | None:
    """Return the value of a cookie that ``set_cookie`` has set; None if there is none."""
    return request.cookies.get(cookie_name(name, request.url.port))


def set_cookie(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    """Set a cookie that scripts cannot read and other sites' forms do not send."""
    secure = request.url.scheme == "https"
    own = cookie_name(name, request.url.port)
    response.set_cookie(own, value, max_age=seconds, httponly=True, samesite="lax", secure=secure)


def delete_cookie(request: Request, response: Response, name: str) -> None:
    """Delete a cookie that ``set_cookie`` has set."""
    response.delete_cookie(cookie_name(name, request.url.port), httponly=True, samesite="lax")


def is_loopback(request: Request) -> bool:
    """Return True if the request comes from this machine."""
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def address_of(request: Request) -> str:
    """Return the address that the request comes from."""
    return request.client.host if request.client else ""


def _forged() -> Problem:
    message = (
        "This form is not from this page, or your session has changed. Go back, reload the page and try "
        "again."
    )
    return Problem(403, "form_refused", message)
