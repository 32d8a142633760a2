"""Read, change and check an account's settings."""

from dataclasses import asdict

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from connections.settings import flat
from sbx.actions import settings
from sbx.actions.accounts import connected
from sbx.actions.settings import SettingsRefused
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import acting_body, no_parameters
from sbx.web.auth.gate import user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """Settings to change; others stay. Null or blank resets one to its default."""

    settings: dict[str, str | None]


async def show(request: Request) -> Response:
    """``GET /api/v1/accounts/{account}/settings``"""
    no_parameters(request)
    async with services_of(request).database.connection() as connection:
        found = await connected(connection, user_of(request), request.path_params["account"])
    values = flat(found.settings)
    return json_answer({"account": found.account, "settings": values, "written": sorted(found.written)})


async def change(request: Request) -> Response:
    """``PUT /api/v1/accounts/{account}/settings``: change all of the named ones, or None."""
    body = await acting_body(request, Body)
    services, account = services_of(request), request.path_params["account"]
    try:
        made = await settings.change(services.database, user_of(request), account, body.settings)
    except SettingsRefused as refused:
        first = next(iter(refused.errors))
        raise Problem(400, "bad_request", f"Nothing was changed: {refused}", first) from refused
    changed = {one.key: {"old": one.old, "new": one.new} for one in made}
    return json_answer({"account": account, "changed": changed})


async def check(request: Request) -> Response:
    """``GET /api/v1/accounts/{account}/check``: check by the known facts; Xero is not called."""
    no_parameters(request)
    account, user = request.path_params["account"], user_of(request)
    async with services_of(request).database.connection() as connection:
        state = await settings.load(connection, user, account)
    facts = state.connection.facts
    answer = {
        "account": account,
        "organisation": None if facts is None else facts.name,
        "fetched_at": None if facts is None else facts.fetched_at,
        "findings": [asdict(finding) for finding in state.findings],
        "failures": state.failures,
    }
    return json_answer(answer)
