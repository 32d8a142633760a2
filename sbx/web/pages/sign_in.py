"""Sign in and out."""

from math import ceil

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runtime.secrets import new_key
from sbx.actions.users import LOCAL
from sbx.web.auth import sessions, throttle
from sbx.web.auth.gate import (
    SESSION_COOKIE,
    VISIT_COOKIE,
    acting_for_all,
    address_of,
    checked_form,
    cookie_of,
    delete_cookie,
    is_loopback,
    set_cookie,
)
from sbx.web.auth.passwords import TooMany
from sbx.web.form_tokens import form_token
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view.rendering import render

_BROWSER_COOKIE = "sbx_browser"
"""Cookie of a browser in which somebody has signed in: it only keeps strangers from making them wait."""
_SOON_SECONDS = 2


async def sign_in_page(request: Request) -> Response:
    """``GET /sign-in``"""
    ended = "ended" in request.query_params
    return _form(request, next_page=request.query_params.get("next", ""), ended=ended)


async def sign_in(request: Request) -> Response:
    """``POST /sign-in``: name and password."""
    form = await checked_form(request, _visit(request))
    name, password = _text(form, "name").strip().lower(), _text(form, "password")
    next_page = _text(form, "next")
    services = services_of(request)
    async with services.database.connection() as connection:
        browser = cookie_of(request, _BROWSER_COOKIE)
        source = await throttle.source_of(connection, name, address_of(request), browser)
        wait = ceil(await throttle.admit(connection, name, source))
        if wait:
            message = (
                f"Too many wrong passwords from here. Try again in {wait} "
                f"{'second' if wait == 1 else 'seconds'}, or have a link made with 'sbx users link'."
            )
            return _form(request, name, next_page, message, 429, wait)
        kept = await sessions.password_hash(connection, name)
    # Without a connection in hand: a burst of sign-ins must not take them all.
    try:
        right = await services.passwords.matches(password, kept, is_known=source.is_known)
    except TooMany:
        message = "Too many people are signing in at once. Try again in a moment."
        return _form(request, name, next_page, message, 503, _SOON_SECONDS)
    if not right:
        return _form(request, name, next_page, "The name or the password is not right.", 403)
    async with services.database.connection() as connection:
        await throttle.forgive(connection, name, source)
        known = await throttle.remember(connection, name, browser, new_key())
        key = await sessions.start(connection, name)
    response = _signed_in(request, key, next_page)
    set_cookie(request, response, _BROWSER_COOKIE, known, throttle.BROWSER_SECONDS)
    return response


async def link_page(request: Request) -> Response:
    """``GET /sign-in/once?key=…``: a button that redeems the link.

    Programs fetch links that people send to each other, to look for viruses or to show what is behind: a
    ``GET`` must not use it up.
    """
    visit = _visit(request) or new_key()
    context = {"key": request.query_params.get("key", ""), "visit_token": form_token(visit)}
    response = render(request, "sign_in_once.html", context)
    set_cookie(request, response, VISIT_COOKIE, visit, 3600)
    return response


async def sign_in_once(request: Request) -> Response:
    """``POST /sign-in/once``: the button, which works once."""
    form = await checked_form(request, _visit(request))
    key = _text(form, "key")
    async with services_of(request).database.connection() as connection:
        name = await sessions.redeem_link(connection, key)
        if name is None or (name == LOCAL and not is_loopback(request)):
            message = (
                "This link was already used or has expired. 'sbx users link' prints a new one; users with a "
                "password sign in below."
            )
            return _form(request, error=message, status=403)
        session = await sessions.start(connection, name)
    return _signed_in(request, session, "")


@acting_for_all
async def sign_out(request: Request, _form: FormData) -> Response:
    """``POST /sign-out``"""
    async with services_of(request).database.connection() as connection:
        await sessions.end(connection, request.state.session)
    response = RedirectResponse("/sign-in", 303)
    delete_cookie(request, response, SESSION_COOKIE)
    return response


def _signed_in(request: Request, key: str, next_page: str) -> Response:
    # Only one of our own paths: an address that begins with // or /\ leads to another host.
    inside = next_page.startswith("/") and next_page[1:2] not in ("/", "\\")
    response = RedirectResponse(next_page if inside else "/", 303)
    set_cookie(request, response, SESSION_COOKIE, key, sessions.SESSION_SECONDS)
    delete_cookie(request, response, VISIT_COOKIE)
    return response


def _form(
    request: Request,
    name: str = "",
    next_page: str = "",
    error: str = "",
    status: int = 200,
    retry_after: int | None = None,
    ended: bool = False,
) -> Response:
    visit = _visit(request) or new_key()
    context = {
        "name": name,
        "next": next_page,
        "error": error,
        "ended": ended,
        "visit_token": form_token(visit),
    }
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    response = render(request, "sign_in.html", context, status, headers)
    set_cookie(request, response, VISIT_COOKIE, visit, 3600)
    return response


def _visit(request: Request) -> str | None:
    return cookie_of(request, VISIT_COOKIE)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str) or "\0" in value:
        raise Problem(400, "bad_request", f"'{name}' must be a text.", name)
    return value
