"""Retry and skip: first a page that shows what would be done, then a button that does it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from log_projection.queries import Filters
from sbx.actions import retry
from sbx.actions.refused import ActionRefused, one_of
from sbx.actions.retry import Selection
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.gate import acting, require_operator, user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view import filters as reading
from sbx.web.view.rendering import render
from sinks.ledger.commands import ACTS, Act

MOST_NAMED = 200
_ALL = "-all"
_OTHERS = (reading.SORT, "do", "entry", "position", "note", "form_token")


async def plan_page(request: Request) -> Response:
    """``GET /plan?do=retry&entry=…`` for named entries, ``do=retry-all`` with filters for all that
    match.
    """
    require_operator(request)
    return await _plan(request, *_selection(request.query_params.multi_items()), "", "")


@acting
async def perform(request: Request, form: FormData) -> Response:
    """``POST /act``: do what the plan's page showed."""
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    act, selection = _selection(pairs)
    note = next((value for name, value in pairs if name == "note"), "")
    chosen = Selection(retry.wanted(selection.filters), selection.words)
    try:
        number, _ = await retry.perform(services_of(request).database, user_of(request), act, chosen, note)
    except ActionRefused as refused:
        if refused.field != "note":
            raise
        return await _plan(request, act, selection, note, refused.message)
    return RedirectResponse(f"/acts/{number}", 303)


async def _plan(request: Request, act: Act, selection: Selection, note: str, error: str) -> Response:
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user_of(request))
        plan = await retry.plan(connection, visible, act, retry.wanted(selection.filters))
    context = {"plan": plan, "selection": selection, "note": note, "error": error}
    return render(request, "plan.html", context, 400 if error else 200)


async def act_page(request: Request) -> Response:
    """``GET /acts/{number}``: the result."""
    number: int = request.path_params["number"]
    async with services_of(request).database.connection() as connection:
        act = await retry.load(connection, user_of(request), number)
        if act is None:
            raise Problem(404, "not_found", "You have no such act.")
        visible = VisibleLog(connection, user_of(request))
        position = await visible.position()
        rows = await retry.followed(connection, visible, act)
        accounts = {row["account"] for row in rows}
        held = [row for row in await visible.summary() if row["held"] and row["account"] in accounts]
    counted = Counter(row["state"] for row in rows)
    context = {"act": act, "rows": rows, "counted": counted, "held": held, "position": position}
    return render(request, "act.html", context)


def _selection(pairs: Sequence[tuple[str, str]]) -> tuple[Act, Selection]:
    """Return the act and its selection.

    Raises:
        Problem: 400, nothing is selected, or a value is invalid.
    """
    words = dict(pairs)
    do = words.get("do", "")
    act = one_of(do.removesuffix(_ALL), ACTS)
    position = words.get("position")
    until = reading.read_number("position", position, 0, 0, 2**62) if position else None
    if do.endswith(_ALL):
        filters = reading.read_filters(pairs, others=_OTHERS)
        named: tuple[str, ...] = ()
    else:
        named = tuple(sorted({value for name, value in pairs if name == "entry"}))
        if not named:
            raise Problem(
                400, "nothing_chosen", "No entry is selected. Tick some in the list, then try again."
            )
        if len(named) > MOST_NAMED:
            message = f"At most {MOST_NAMED} entries can be named; use filters to choose more."
            raise Problem(400, "bad_request", message, "entry")
        filters = Filters(entry_ids=named)
    told = {"entries": list(named)} if named else {"filters": reading.given_filters(pairs)}
    return act, Selection(replace(filters, not_after=until), {"do": do, **told})
