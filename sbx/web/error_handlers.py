"""Errors of requests, in one shape for pages and API."""

from typing import Any

import msgspec
import psycopg
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from runtime.spells import Spell
from runtime.trouble import about_the_database, about_the_schema, in_words
from sbx.actions.refused import ActionRefused
from sbx.web.problems import Problem, is_api
from sbx.web.view.rendering import render

_CODES = {404: "not_found", 405: "method_not_allowed", 408: "too_slow", 413: "too_large"}
_MESSAGES = {
    404: "There is nothing at this address.",
    405: "This address does not accept that method.",
    413: "The request is too large.",
}

_SOON = {"Retry-After": "5"}
_SPELL = Spell()
log = structlog.stdlib.get_logger(__name__)


def answer(request: Request, problem: Problem) -> Response:
    """Return the problem as a page or as JSON, depending on the address."""
    if is_api(request.url.path):
        error: dict[str, Any] = {"code": problem.code, "message": problem.message}
        if problem.field is not None:
            error["field"] = problem.field
        body = msgspec.json.encode({"error": error})
        return Response(body, problem.status, problem.headers, "application/json")
    return render(request, "problem.html", {"problem": problem}, problem.status, problem.headers)


def on_problem(request: Request, error: Exception) -> Response:
    """Handle a ``Problem``."""
    assert isinstance(error, Problem)
    return answer(request, error)


_REFUSED = {"bad_request": 400, "not_found": 404, "not_possible": 409, "not_undecided": 409, "ended": 409}


def on_refused(request: Request, error: Exception) -> Response:
    """Handle an ``ActionRefused``."""
    assert isinstance(error, ActionRefused)
    return answer(request, Problem(_REFUSED[error.code], error.code, error.message, error.field))


def on_http(request: Request, error: Exception) -> Response:
    """Handle a refusal by Starlette itself."""
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, "refused")
    message = _MESSAGES.get(error.status_code, error.detail)
    return answer(request, Problem(error.status_code, code, message, headers=error.headers))


def on_database(request: Request, error: Exception) -> Response:
    """Handle a database that is unavailable, has a missing or outdated schema, or cannot hold a value."""
    if about_the_schema(error):
        words = in_words(error)
        _SPELL.trouble(error)
        what = words.problem[0].upper() + words.problem[1:]
        message = f"{what}. Nothing is lost. The remedy: {words.remedy}."
        return answer(request, Problem(503, "database_not_migrated", message, headers=_SOON))
    if isinstance(error, psycopg.DataError | psycopg.errors.ProgramLimitExceeded):
        log.warning(
            "a request contains a value that the database cannot hold",
            path=request.url.path,
            error=str(error),
        )
        message = "A value in this request is impossible: a NUL, or a number or length out of all bounds."
        return answer(request, Problem(400, "bad_request", message))
    if not about_the_database(error):
        raise error
    _SPELL.trouble(error)
    what = "accepts no changes" if in_words(error).kind == "read_only" else "is not responding"
    message = (
        f"The database {what} at the moment. Nothing is lost; this page will work again as soon as the "
        f"database does."
    )
    return answer(request, Problem(503, "database_away", message, headers=_SOON))


def on_key(request: Request, error: Exception) -> Response:
    """Handle a stored secret for which the key is missing."""
    message = str(error)
    log.error("a stored secret cannot be read", path=request.url.path, error=message)
    return answer(request, Problem(503, "secret_key_missing", f"{message[:1].upper()}{message[1:]}."))


def on_fault(request: Request, _error: Exception) -> Response:
    """Handle our own bugs, which the server logs with their traceback."""
    message = "Something went wrong on our side. The log of the web process has the details."
    return answer(request, Problem(500, "our_error", message))
