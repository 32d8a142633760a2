"""Refuse requests with impossible addresses before any page or the database sees them."""

import re
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.urls import split_address
from sbx.web.error_handlers import answer
from sbx.web.problems import Problem

_TOO_LONG = re.compile(r"(?:^|/)[0-9]{19,}(?:/|$)")
"""A number too large for ``bigint``."""


class SoundAddress:
    """ASGI middleware: answers 404 for such paths, 400 for such queries and hosts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        refusal = _refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)


def _refusal(scope: Scope) -> Response | None:
    request = Request(scope)
    if split_address(f"http://{request.headers.get('host', '')}/") is None:
        return PlainTextResponse("The Host header is not valid.\n", 400)
    path: str = scope["path"]
    if "\0" in path or _TOO_LONG.search(path):
        return answer(request, Problem(404, "not_found", "There is nothing at this address."))
    if b"\0" in unquote_to_bytes(scope["query_string"]):
        field = next((name for name, value in request.query_params.multi_items() if "\0" in value), None)
        return answer(
            request, Problem(400, "bad_request", "The address contains a NUL, which no value can.", field)
        )
    return None
