"""Decide about a call whose response was lost: a page that says what the decision means, then a button."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import decide
from sbx.actions.scoped_log import no_entry
from sbx.web.auth.gate import acting, require_operator, user_of
from sbx.web.pages.forms import text
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view.rendering import render
from sinks.ledger import commands


async def plan_page(request: Request) -> Response:
    """``GET /entries/{entry_id}/decide?adopt=…`` or ``?send=yes``"""
    require_operator(request)
    adopt = _adopt(request.query_params.get("adopt", ""), request.query_params.get("send", ""))
    entry_id: str = request.path_params["entry_id"]
    async with services_of(request).database.connection() as connection:
        question = await decide.question(connection, user_of(request), entry_id, adopt)
    if question.entry is None:
        raise no_entry()
    context = {
        "entry": question.entry,
        "chosen": None if adopt is None else question.candidate(adopt),
        "others": len(question.candidates) - (adopt is not None),
        "numbered": question.candidates[0]["kind"] in commands.NUMBERED,
        "candidates": question.candidates,
    }
    return render(request, "decide.html", context)


@acting
async def perform(request: Request, form: FormData) -> Response:
    """``POST /entries/{entry_id}/decide``"""
    adopt = _adopt(text(form, "adopt"), text(form, "send"))
    entry_id: str = request.path_params["entry_id"]
    database, user = services_of(request).database, user_of(request)
    await decide.decide(database, user, entry_id, adopt)
    return RedirectResponse(f"/entries/{entry_id}?decided", 303)


def _adopt(adopt: str, send: str) -> str | None:
    """Return the candidate's id; None if it is to be sent again.

    Raises:
        Problem: 400, neither or both are given.
    """
    if bool(adopt) == bool(send):
        message = "Choose which one it is ('adopt', its id in Xero), or that it is none of them ('send')."
        raise Problem(400, "bad_request", message, "adopt")
    return adopt or None
