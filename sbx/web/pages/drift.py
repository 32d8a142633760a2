"""Where Xero differs: show it, compare now, and accept or send again what is selected."""

from collections.abc import Sequence

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import drift
from sbx.actions.drift import ACTS, MOST
from sbx.actions.refused import ActionRefused, one_of
from sbx.web.auth.gate import acting, require_operator, user_of
from sbx.web.pages.forms import text
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.setup_left import setup_left
from sbx.web.view.rendering import render

_ALL = "-all"
_SAID = {
    "reading": "The comparison will run after all other work of the account. This page shows its progress.",
    "resend": "SalesBinder's version is queued again. Compare again once it has been sent.",
    "adopt": "Xero's version is accepted. It is not reported again unless either side changes.",
    "nothing": "Nothing was done: the selection has changed meanwhile, or somebody else was first.",
}


async def drift_page(request: Request) -> Response:
    """``GET /accounts/{account}/drift``"""
    return await _page(request)


@acting
async def read(request: Request, form: FormData) -> Response:
    """``POST /accounts/{account}/drift/reading``"""
    services, account = services_of(request), request.path_params["account"]
    full = text(form, "full") == "yes"
    try:
        await drift.read(services.database, user_of(request), account, None, full=full)
    except ActionRefused as refused:
        if refused.code != "not_possible":
            raise
        return await _page(request, refused)
    return _back(request, "reading")


async def plan_page(request: Request) -> Response:
    """``GET /accounts/{account}/drift/plan?do=resend&difference=…``; ``do=resend-all`` takes all
    possible.
    """
    require_operator(request)
    do = request.query_params.get("do", "")
    act = one_of(do.removesuffix(_ALL), ACTS)
    async with services_of(request).database.connection() as connection:
        state = await drift.load(connection, user_of(request), request.path_params["account"])
    ids = drift.possible(state, act) if do.endswith(_ALL) else request.query_params.getlist("difference")
    rows, left = drift.chosen(state, act, _checked(ids))
    context = {"state": state, "connection": state.connection, "act": act, "rows": rows, "left": left}
    return render(request, "drift_plan.html", context)


@acting
async def perform(request: Request, form: FormData) -> Response:
    """``POST /accounts/{account}/drift``: do what the plan's page showed."""
    services, account = services_of(request), request.path_params["account"]
    act = one_of(text(form, "do"), ACTS)
    ids = _checked([one for one in form.getlist("difference") if isinstance(one, str)])
    _, result = await drift.perform(services.database, user_of(request), account, act, ids)
    return _back(request, act if result.done else "nothing")


async def _page(request: Request, refused: ActionRefused | None = None) -> Response:
    account, user = request.path_params["account"], user_of(request)
    async with services_of(request).database.connection() as connection:
        state = await drift.load(connection, user, account)
        left = await setup_left(connection, user, account)
    said = request.query_params.get("said", "")
    if said == "reading" and state.under_way is None:
        said = ""
    context = {
        "state": state,
        "connection": state.connection,
        "rows": state.differences[:MOST],
        "possible": {act: len(drift.possible(state, act)) for act in ACTS},
        "problem": refused,
        "done": _SAID.get(said, ""),
    } | left
    return render(request, "drift.html", context, 409 if refused else 200)


def _checked(ids: Sequence[str]) -> Sequence[str]:
    if not ids:
        message = "No difference is selected. Tick some in the list, then try again."
        raise Problem(400, "nothing_chosen", message, "difference")
    if len(ids) > MOST:
        raise Problem(
            400, "bad_request", f"At most {MOST} differences can be handled at a time.", "difference"
        )
    return ids


def _back(request: Request, said: str) -> Response:
    return RedirectResponse(f"/accounts/{request.path_params['account']}/drift?said={said}", 303)
