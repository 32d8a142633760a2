"""Setting an account up, step by step: the checklist, and what each of its steps does."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions import facts, source
from sbx.actions.refused import ActionRefused, not_possible
from sbx.actions.settings import SettingsRefused
from sbx.actions.setup import setups
from sbx.actions.setup.checklist import StepName
from sbx.web.auth.gate import acting, require_operator, user_of
from sbx.web.pages.forms import text
from sbx.web.pages.setup_shown import shown
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view.rendering import render
from sbx.web.view.setup import chosen_of

SET: Final = "set:"
"""Before the key of a setting, in the form's names."""


class _Wrong(Exception):
    """A form that was not accepted: errors by field, and what was given."""

    def __init__(self, step: StepName, errors: Mapping[str, str], given: Mapping[str, str]) -> None:
        self.step = step
        self.errors = errors
        self.given = given
        super().__init__(step)


async def new_page(request: Request) -> Response:
    """``GET /setup``: begin with a new account."""
    require_operator(request)
    return _new(request, request.query_params.get("account", "").strip(), {})


@acting
async def begin_new(request: Request, form: FormData) -> Response:
    """``POST /setup``: the key is tried; only then the set-up begins."""
    account, key = source.account_name(text(form, "account")), text(form, "key")
    missing = {"account": "Give the account.", "key": "Give the API key."}
    errors = {name: said for name, said in missing.items() if not text(form, name)}
    if errors:
        return _new(request, account, errors)
    services, user = services_of(request), user_of(request)
    try:
        found = await source.connect(services.database, services.environment, user, account, key)
    except ActionRefused as refused:
        if refused.code == "not_found":
            raise
        return _new(request, account, {refused.field or "": refused.message})
    await _begin(request, account)
    return _back(account, found.refused)


async def setup_page(request: Request) -> Response:
    """``GET /accounts/{account}/setup``; ``?step=`` shows one that is done again."""
    account, user = request.path_params["account"], user_of(request)
    async with services_of(request).database.connection() as connection:
        try:
            found = await setups.load(connection, user, account)
        except ActionRefused:
            if not await setups.is_known(connection, user, account):
                raise
            return render(request, "setup_none.html", {"account": account})
    context = await shown(request, found, request.query_params.get("step"), {}, {})
    return render(request, "setup.html", context)


@acting
async def perform(request: Request, form: FormData) -> Response:
    """``POST /accounts/{account}/setup/{step}``"""
    account, step = request.path_params["account"], request.path_params["step"]
    do = _STEPS.get(step)
    if do is None:
        raise Problem(404, "not_found", "A set-up has no such step.")
    try:
        refused_lists = await do(request, account, form)
    except _Wrong as wrong:
        return await _page(request, wrong.step, wrong.errors, wrong.given)
    except ActionRefused as refused:
        if refused.code != "not_possible":
            raise
        return await _page(request, None, {"": refused.message}, {})
    return _back(account, refused_lists or ())


async def _begin(request: Request, account: str) -> None:
    services, user = services_of(request), user_of(request)
    async with services.database.connection() as connection:
        found = await setups.begin(connection, user, account)
        has_key = await source.known(connection, user, account) is not None
    if has_key and found.sample is None and not found.is_looking and found.left:
        await services.looks.begin(user, account)


async def _begin_known(request: Request, account: str, _form: FormData) -> None:
    """Begin for an account that is connected on one side at least: others begin with their key."""
    async with services_of(request).database.connection() as connection:
        if not await setups.is_known(connection, user_of(request), account):
            raise not_possible(f"nothing is known of '{account}'", "begin with its API key, on the overview")
    await _begin(request, account)


async def _key(request: Request, account: str, form: FormData) -> Sequence[str]:
    """Use another key; return the lists that it may not read."""
    key = text(form, "key")
    if not key:
        raise _Wrong("salesbinder", {"key": "Give the API key."}, {})
    services = services_of(request)
    await _load(request, account)
    try:
        found = await source.connect(services.database, services.environment, user_of(request), account, key)
    except ActionRefused as refused:
        if refused.code == "not_found":
            raise
        raise _Wrong("salesbinder", {"key": refused.message}, {}) from refused
    await _begin(request, account)
    return found.refused


async def _facts(request: Request, account: str, _form: FormData) -> None:
    await facts.ask(services_of(request).database, user_of(request), account)


async def _look(request: Request, account: str, _form: FormData) -> None:
    found = await _load(request, account)
    if not found.is_looking:
        await services_of(request).looks.begin(user_of(request), account)


async def _settings(request: Request, account: str, form: FormData) -> None:
    offered = setups.suggested(await _load(request, account))
    given = {name.removeprefix(SET): text(form, name) for name in form if name.startswith(SET)}
    chosen, errors = chosen_of(given, offered)
    if errors:
        raise _Wrong("settings", errors, given)
    try:
        await setups.choose_settings(services_of(request).database, user_of(request), account, chosen)
    except SettingsRefused as refused:
        raise _Wrong("settings", refused.errors, given) from refused


async def _start(request: Request, account: str, form: FormData) -> None:
    day = text(form, "day") or text(form, "moment")
    try:
        # A day begins at midnight, UTC, as everywhere on the page.
        moment = datetime.fromisoformat(day)
    except ValueError:
        said = f"“{day}” is not a day: give one such as 2026-01-31." if day else "Give the day."
        raise _Wrong("start", {"day": said}, {"day": day}) from None
    chosen = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    try:
        await setups.choose_start(services_of(request).database, user_of(request), account, chosen)
    except SettingsRefused as refused:
        raise _Wrong("start", {"day": " ".join(refused.errors.values())}, {"day": day}) from refused


async def _accept(request: Request, account: str, form: FormData) -> None:
    async with services_of(request).database.connection() as connection:
        await setups.accept_preview(connection, user_of(request), account, text(form, "seen"))


async def _switch_on(request: Request, account: str, _form: FormData) -> None:
    await setups.switch_on(services_of(request).database, user_of(request), account)


async def _tell(request: Request, account: str, _form: FormData) -> None:
    """Send what was made since the start date and before SalesBinder was connected."""
    found = await _load(request, account)
    if found.connection is None:
        raise not_possible("Xero is not connected yet", "do the steps before")
    since = found.connection.enabled_at
    await source.backfill(services_of(request).database, user_of(request), account, since)


_STEPS: Final[dict[str, Callable[[Request, str, FormData], Awaitable[Sequence[str] | None]]]] = {
    "begin": _begin_known,
    "salesbinder": _key,
    "facts": _facts,
    "look": _look,
    "settings": _settings,
    "start": _start,
    "preview": _accept,
    "switch_on": _switch_on,
    "history": _tell,
}


async def _load(request: Request, account: str) -> setups.Setup:
    async with services_of(request).database.connection() as connection:
        return await setups.load(connection, user_of(request), account)


async def _page(
    request: Request, step: StepName | None, errors: Mapping[str, str], given: Mapping[str, str]
) -> Response:
    found = await _load(request, request.path_params["account"])
    context = await shown(request, found, step, errors, given)
    return render(request, "setup.html", context, 409 if "" in errors else 400)


def _new(request: Request, account: str, errors: Mapping[str, str]) -> Response:
    context = {"account": account, "errors": errors}
    return render(request, "setup_new.html", context, 400 if errors else 200)


def _back(account: str, refused: Sequence[str] = ()) -> Response:
    """Lead to the next step; the page names the lists that the key may not read."""
    said = f"?refused={','.join(refused)}" if refused else ""
    return RedirectResponse(f"/accounts/{account}/setup{said}", 303)
