"""Decide what happened to a call whose response was lost."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sbx.actions import decide as decisions
from sbx.actions.scoped_log import VisibleLog
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import acting_body, no_parameters
from sbx.web.auth.gate import user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """The decision: ``adopt`` is the chosen candidate's id in Xero, ``send`` says that it is none."""

    adopt: str | None = None
    send: bool = False
    dry_run: bool = False


async def candidates(request: Request) -> Response:
    """``GET /api/v1/entries/{entry_id}/candidates``: empty if there is nothing to decide."""
    no_parameters(request)
    async with services_of(request).database.connection() as connection:
        entry = await VisibleLog(connection, user_of(request)).existing(request.path_params["entry_id"])
        found = await decisions.candidates(connection, entry)
    return json_answer({"candidates": found})


async def decide(request: Request) -> Response:
    """``POST /api/v1/entries/{entry_id}/decision``"""
    body = await acting_body(request, Body)
    if body.send == bool(body.adopt):
        message = "Give either 'adopt', the id in Xero of the one that it is, or 'send': true."
        raise Problem(400, "bad_request", message, "adopt")
    entry_id: str = request.path_params["entry_id"]
    services, user = services_of(request), user_of(request)
    adopt = body.adopt or None
    if body.dry_run:
        async with services.database.connection() as connection:
            question = await decisions.question(connection, user, entry_id, adopt)
        return json_answer({"dry_run": True, "candidates": question.candidates})
    number, queued = await decisions.decide(services.database, user, entry_id, adopt)
    return json_answer({"dry_run": False, "act": number, "done": queued})
