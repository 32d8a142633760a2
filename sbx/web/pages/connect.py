"""Connect an account to Xero: by client credentials, or by allowing access in the browser."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runtime.secrets import mask_head
from sbx.actions import connect
from sbx.actions.connect import Wanted
from sbx.actions.setup import setups
from sbx.web.auth.gate import acting, require_operator, user_of
from sbx.web.pages.connect_forms import forms_of, redirect_uri
from sbx.web.pages.forms import text
from sbx.web.pages.setup_shown import shown
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.setup_left import setup_left
from sbx.web.view.rendering import render
from sinks.xero.tenants import CredentialsUnusable

_NOT_OURS = (
    "This response from Xero does not belong to a request made here: it was already used, came after 15 "
    "minutes, or you have signed in again since. Nothing was changed. Start again."
)


async def connect_page(request: Request) -> Response:
    """``GET /connect``, with ``?account=`` for a known one."""
    require_operator(request)
    return await _page(request, Wanted(request.query_params.get("account", "").strip(), "", "", ""))


@acting
async def by_secret(request: Request, form: FormData) -> Response:
    """``POST /connect``: client credentials."""
    wanted = _wanted(form)
    if not (wanted.account and wanted.client_id and wanted.client_secret):
        return await _page(request, wanted, "Give the account, the client id and the secret.")
    services = services_of(request)
    try:
        await connect.by_secret(services.database, services.environment, user_of(request), wanted)
    except CredentialsUnusable as error:
        return await _page(request, wanted, _said(error))
    return await _connected(request, wanted.account)


@acting
async def ask(request: Request, form: FormData) -> Response:
    """``POST /connect/browser``: a page that leads to Xero. Not a redirect: forms stay on the site."""
    wanted = _wanted(form)
    services = services_of(request)
    wanted_id = wanted.client_id or services.environment.xero_app_client_id or ""
    wanted = Wanted(wanted.account, wanted.tenant_id, wanted_id, wanted.client_secret)
    if not (wanted.account and wanted.client_id):
        return await _page(request, wanted, "Give the account and the client id of the app.")
    back = redirect_uri(request)
    address = await connect.ask(
        services.database, services.environment, user_of(request), request.state.session, wanted, back
    )
    context = {"wanted": wanted, "address": address, "redirect_uri": back}
    return render(request, "connect_ask.html", context)


async def callback(request: Request) -> Response:
    """``GET /connect/callback``: Xero's response. Its ``state`` ties it to our request."""
    require_operator(request)
    services, given = services_of(request), request.query_params
    asked = await connect.taken_up(
        services.database, services.environment, request.state.session, given.get("state", "")
    )
    if asked is None:
        raise Problem(400, "bad_request", _NOT_OURS, "state")
    wanted = asked[0]
    if not given.get("code"):
        told = f"{given.get('error', 'no code')} {given.get('error_description', '')}".strip()
        return await _page(
            request, wanted, f"Xero did not grant access: {mask_head(told, 1_000)}. Nothing was changed."
        )
    user = user_of(request)
    try:
        await connect.by_agreement(services.database, services.environment, user, asked, given["code"])
    except CredentialsUnusable as error:
        return await _page(request, wanted, _said(error))
    return await _connected(request, wanted.account)


async def _page(request: Request, wanted: Wanted, error: str = "") -> Response:
    services, user = services_of(request), user_of(request)
    async with services.database.connection() as connection:
        found = await connect.known(connection, user, wanted.account) if wanted.account else None
        left = await setup_left(connection, user, wanted.account)
        begun = await setups.load(connection, user, wanted.account) if error and left else None
    if begun is not None:
        given = {"client_id": wanted.client_id, "tenant_id": wanted.tenant_id}
        return render(request, "setup.html", await shown(request, begun, "xero", {"": error}, given), 400)
    context = forms_of(request, wanted, found) | {"error": error} | left
    return render(request, "connect.html", context, 400 if error else 200)


def _wanted(form: FormData) -> Wanted:
    names = ("account", "tenant_id", "client_id", "client_secret")
    account, tenant_id, client_id, client_secret = (text(form, name) for name in names)
    return Wanted(account, tenant_id, client_id, client_secret)


def _said(error: CredentialsUnusable) -> str:
    return f"{error.problem}. {error.remedy[:1].upper()}{error.remedy[1:]}. Nothing was changed."


async def _connected(request: Request, account: str) -> Response:
    """Lead back to the account's set-up, or to its settings once it is set up."""
    async with services_of(request).database.connection() as connection:
        left = await setup_left(connection, user_of(request), account)
    return RedirectResponse(
        f"/accounts/{account}/setup" if left else f"/accounts/{account}/settings?done=connected", 303
    )
