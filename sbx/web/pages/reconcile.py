"""SalesBinder, what should be in Xero, and Xero: month by month, and what differs; compare now; as CSV."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import reconcile
from sbx.actions.reconcile import MOST
from sbx.actions.refused import ActionRefused
from sbx.web.auth.gate import acting, user_of
from sbx.web.comparison_csv import as_csv
from sbx.web.services import services_of
from sbx.web.setup_left import setup_left
from sbx.web.view.rendering import render


async def reconcile_page(request: Request) -> Response:
    """``GET /accounts/{account}/reconcile``"""
    return await _page(request)


@acting
async def compare(request: Request, _form: FormData) -> Response:
    """``POST /accounts/{account}/reconcile``: compare now."""
    services, account = services_of(request), request.path_params["account"]
    try:
        await reconcile.ask(services.database, user_of(request), account)
    except ActionRefused as refused:
        if refused.code != "not_possible":
            raise
        return await _page(request, refused)
    return RedirectResponse(f"/accounts/{account}/reconcile", 303)


async def export(request: Request) -> Response:
    """``GET /accounts/{account}/reconcile.csv``: every document with all three sides."""
    return await as_csv(request)


async def _page(request: Request, refused: ActionRefused | None = None) -> Response:
    account, user = request.path_params["account"], user_of(request)
    async with services_of(request).database.connection() as connection:
        report = await reconcile.load(connection, user, account)
        found = reconcile.results(connection, user, account, only_differing=True, limit=MOST)
        rows = [row async for row in found]
        left = await setup_left(connection, user, account)
    early = sum(each.before_cutoff for each in report.months)
    differing = sum(each.differing for each in report.months)
    context = {
        "report": report,
        "connection": report.connection,
        "rows": [row for row in rows if row["reason"] != "before_cutoff"],
        "differing": differing,
        "early": early,
        "problem": refused,
    } | left
    return render(request, "reconcile.html", context, 409 if refused else 200)
