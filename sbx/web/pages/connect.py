"""Connect an account to Xero: by client credentials, or by allowing access in the browser."""

from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from runtime.secrets import mask_head
from sbx.actions import connect
from sbx.actions.connect import Wanted
from sbx.actions.refused import ActionRefused
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

_SECRET, _BROWSER = "secret", "agree"
"""The two forms, as their fields' ids begin."""
_GIVE = {
    "account": "Give the account.",
    "client_id": "Give the client id of the app.",
    "client_secret": "Give the client secret.",
}
_NO_ERRORS: Mapping[str, str] = {}
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
    if missing := _missing(wanted, "account", "client_id", "client_secret"):
        return await _page(request, wanted, missing, _SECRET)
    services = services_of(request)
    try:
        await connect.by_secret(services.database, services.environment, user_of(request), wanted)
    except CredentialsUnusable as error:
        return await _page(request, wanted, {"": _said(error)}, _SECRET)
    except ActionRefused as refused:
        return await _page(request, wanted, _at_its_field(refused), _SECRET)
    return await _connected(request, wanted.account)


@acting
async def ask(request: Request, form: FormData) -> Response:
    """``POST /connect/browser``: a page that leads to Xero. Not a redirect: forms stay on the site."""
    wanted = _wanted(form)
    services = services_of(request)
    wanted_id = wanted.client_id or services.environment.xero_app_client_id or ""
    wanted = Wanted(wanted.account, wanted.tenant_id, wanted_id, wanted.client_secret)
    if missing := _missing(wanted, "account", "client_id"):
        return await _page(request, wanted, missing, _BROWSER)
    back = redirect_uri(request)
    try:
        address = await connect.ask(
            services.database, services.environment, user_of(request), request.state.session, wanted, back
        )
    except ActionRefused as refused:
        return await _page(request, wanted, _at_its_field(refused), _BROWSER)
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
        said = f"Xero did not grant access: {mask_head(told, 1_000)}. Nothing was changed."
        return await _page(request, wanted, {"": said}, _BROWSER)
    user = user_of(request)
    try:
        await connect.by_agreement(services.database, services.environment, user, asked, given["code"])
    except CredentialsUnusable as error:
        return await _page(request, wanted, {"": _said(error)}, _BROWSER)
    return await _connected(request, wanted.account)


async def _page(
    request: Request, wanted: Wanted, errors: Mapping[str, str] = _NO_ERRORS, form: str = ""
) -> Response:
    """Show the forms with what was typed, but for secrets.

    Args:
        errors: by field; ``""`` concerns all.
        form: the one of the two that was sent.
    """
    services, user = services_of(request), user_of(request)
    sound = wanted.account and "account" not in errors
    async with services.database.connection() as connection:
        found = await connect.known(connection, user, wanted.account) if sound else None
        left = await setup_left(connection, user, wanted.account) if sound else {}
        begun = await setups.load(connection, user, wanted.account) if errors and left else None
    if begun is not None:
        given = {"client_id": wanted.client_id, "tenant_id": wanted.tenant_id, "form": form}
        return render(request, "setup.html", await shown(request, begun, "xero", errors, given), 400)
    context = forms_of(request, wanted, found, form) | {"errors": errors} | left
    return render(request, "connect.html", context, 400 if errors else 200)


def _missing(wanted: Wanted, *names: str) -> dict[str, str]:
    return {name: _GIVE[name] for name in names if not getattr(wanted, name)}


def _at_its_field(refused: ActionRefused) -> dict[str, str]:
    """Return a refusal of what was typed as errors by field.

    Raises:
        ActionRefused: it is none.
    """
    if refused.code != "bad_request":
        raise refused
    return {refused.field or "": refused.message}


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
