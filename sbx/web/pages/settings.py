"""An account's settings and its connection."""

from collections.abc import Mapping

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import facts, settings
from sbx.actions.settings import SettingsRefused
from sbx.web.auth.gate import acting, user_of
from sbx.web.pages.forms import text
from sbx.web.services import services_of
from sbx.web.setup_left import setup_left
from sbx.web.view.rendering import render
from sbx.web.view.settings_form import TABLES, groups, tables

_SET, _WAS, _NEW, _NEW_VALUE = "set:", "was:", "new:", "new-value:"
_SAID = {
    "settings": "Saved. This applies to everything that has not been sent yet.",
    "same": "Nothing was changed.",
    "facts": "Refresh requested. Reload the page in a moment: the result is shown under Connection.",
    "connected": "Connected. Waiting entries are being sent.",
}


async def settings_page(request: Request) -> Response:
    """``GET /accounts/{account}/settings``"""
    return await _page(request, done=_SAID.get(request.query_params.get("done", ""), ""))


@acting
async def change(request: Request, form: FormData) -> Response:
    """``POST /accounts/{account}/settings``: the values that differ from those that the page had
    shown.
    """
    wanted = _wanted(form)
    if not wanted:
        return _back(request, "same")
    services, account = services_of(request), request.path_params["account"]
    try:
        made = await settings.change(services.database, user_of(request), account, wanted)
    except SettingsRefused as refused:
        return await _page(request, given=wanted, errors=refused.errors)
    return _back(request, "settings" if made else "same")


@acting
async def ask_anew(request: Request, _form: FormData) -> Response:
    """``POST /accounts/{account}/facts``"""
    services, account = services_of(request), request.path_params["account"]
    await facts.ask(services.database, user_of(request), account)
    return _back(request, "facts")


async def _page(
    request: Request,
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    done: str = "",
) -> Response:
    account, user = request.path_params["account"], user_of(request)
    async with services_of(request).database.connection() as connection:
        state = await settings.load(connection, user, account)
        left = await setup_left(connection, user, account)
    given, errors = given or {}, errors or {}
    shown_groups = groups(state.connection, given, errors)
    shown_tables = tables(state.connection, given, errors)
    keys = {field.key for _, fields in shown_groups for field in fields}
    keys |= {row.key for table in shown_tables for row in table.rows}
    context = {
        "state": state,
        "connection": state.connection,
        "groups": shown_groups,
        "tables": shown_tables,
        "pairing": {table.name: table.choices for table in shown_tables},
        "errors": errors,
        "given": given,
        "others": {key: text for key, text in errors.items() if key not in keys},
        "done": done,
    } | left
    return render(request, "settings.html", context, 400 if errors else 200)


def _wanted(form: FormData) -> dict[str, str]:
    """Return settings whose values differ from those shown on the page, and new table entries."""
    wanted: dict[str, str] = {}
    for name in form:
        if name.startswith(_SET):
            key, value = name.removeprefix(_SET), text(form, name)
            if value != text(form, _WAS + key):
                wanted[key] = value
    for table, *_ in TABLES:
        entry, value = text(form, _NEW + table), text(form, _NEW_VALUE + table)
        if entry and value:
            wanted[f"{table}.{entry}"] = value
    return wanted


def _back(request: Request, done: str) -> Response:
    return RedirectResponse(f"/accounts/{request.path_params['account']}/settings?done={done}", 303)
