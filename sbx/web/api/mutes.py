"""Mute issues until a day."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sbx.actions import mutes
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import acting_body, no_parameters
from sbx.web.auth.gate import check_api_act, user_of
from sbx.web.services import services_of


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """Until when (that day included), and why."""

    until: str
    reason: str


async def mute(request: Request) -> Response:
    """``POST /api/v1/issues/{issue_id}/mute``"""
    body = await acting_body(request, Body)
    issue_id: str = request.path_params["issue_id"]
    database, user = services_of(request).database, user_of(request)
    await mutes.mute(database, user, issue_id, body.until, body.reason)
    return json_answer({"issue_id": issue_id, "muted": True})


async def unmute(request: Request) -> Response:
    """``POST /api/v1/issues/{issue_id}/unmute``"""
    check_api_act(request)
    no_parameters(request)
    issue_id: str = request.path_params["issue_id"]
    await mutes.unmute(services_of(request).database, user_of(request), issue_id)
    return json_answer({"issue_id": issue_id, "muted": False})
