"""A SalesBinder account as the source: connect it, see how it is read, its address for webhooks."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from connections.store import load_connection
from runtime.secrets import SecretKeyError
from sbx.actions import source
from sbx.actions.accounts import connected
from sbx.actions.refused import ActionRefused
from sbx.web.auth.gate import acting, require_operator, user_of
from sbx.web.pages.forms import text
from sbx.web.services import services_of
from sbx.web.setup_left import setup_left
from sbx.web.view.rendering import render
from sbx.web.view.source import kinds_of, layers_of, refused_lists, state_of, trouble_of
from sources.store.hooks import Hook
from sources.store.overview import Overview

_LOCAL = ("localhost", "127.0.0.1", "::1")
_SAID = {
    "connected": "Connected. What is there already is read once, silently; after that, changes are sent on.",
    "hook": "This is the new address. The one before is refused within seconds: change it in SalesBinder.",
}


async def source_page(request: Request) -> Response:
    """``GET /accounts/{account}/source``"""
    account, user, services = request.path_params["account"], user_of(request), services_of(request)
    hook, unreadable = None, False
    async with services.database.connection() as connection:
        found = await source.known(connection, user, account)
        if found is None:
            await connected(connection, user, account)
            left = await setup_left(connection, user, account)
            return render(request, "source_none.html", {"account": account} | left)
        if user.may_act:
            try:
                hook = await source.hook(connection, services.environment, user, account)
            except SecretKeyError:
                unreadable = True
        xero = await load_connection(connection, account)
        left = await setup_left(connection, user, account)
    known = {"xero": xero, "unreadable": unreadable} | left
    return render(request, "source.html", _shown(request, found, hook) | known)


def _shown(request: Request, found: Overview, hook: Hook | None) -> dict[str, object]:
    given = request.query_params
    return {
        "found": found,
        "state": state_of(found),
        "trouble": trouble_of(found),
        "layers": layers_of(found),
        "kinds": kinds_of(found),
        "rows": sum(each.rows for each in found.stock.values()),
        "total": _total(found),
        "hook": hook,
        "hook_address": "" if hook is None else f"{_base(request)}/hooks/{hook.token}",
        "reachable": request.url.scheme == "https" and request.url.hostname not in _LOCAL,
        "done": _SAID.get(given.get("done", ""), ""),
        "refused": refused_lists(given.get("refused", "")),
    }


def _total(found: Overview) -> int | None:
    counts = [each.count for each in found.stock.values()]
    return None if None in counts else sum(count or 0 for count in counts)


async def connect_page(request: Request) -> Response:
    """``GET /connect/salesbinder``, with ``?account=`` for a known one."""
    require_operator(request)
    return await _form(request, request.query_params.get("account", "").strip(), {})


@acting
async def connect(request: Request, form: FormData) -> Response:
    """``POST /connect/salesbinder``: the key is tried first; it is never shown again."""
    account, key = source.account_name(text(form, "account")), text(form, "key")
    missing = {"account": "Give the account.", "key": "Give the API key."}
    errors = {name: said for name, said in missing.items() if not text(form, name)}
    if errors:
        return await _form(request, account, errors)
    services = services_of(request)
    try:
        found = await source.connect(services.database, services.environment, user_of(request), account, key)
    except ActionRefused as refused:
        if refused.code == "not_found":
            raise
        return await _form(request, account, {refused.field or "": refused.message})
    said = {"done": "connected"} | ({"refused": ",".join(found.refused)} if found.refused else {})
    return RedirectResponse(f"/accounts/{account}/source?{urlencode(said, safe=',')}", 303)


@acting
async def renew_hook(request: Request, _form: FormData) -> Response:
    """``POST /accounts/{account}/source/hook``"""
    account, services = request.path_params["account"], services_of(request)
    await source.renew_hook(services.database, services.environment, user_of(request), account)
    return RedirectResponse(f"/accounts/{account}/source?done=hook#webhooks", 303)


async def _form(request: Request, account: str, errors: Mapping[str, str]) -> Response:
    async with services_of(request).database.connection() as connection:
        found = await source.known(connection, user_of(request), account) if account else None
    context = {"account": account, "found": found, "errors": errors}
    return render(request, "source_connect.html", context, 400 if errors else 200)


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
