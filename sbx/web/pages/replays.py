"""Replays: one row each, with progress and result."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions.replay import start as replays
from sbx.actions.replay.waiting import with_waiting
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.gate import acting, user_of
from sbx.web.services import services_of
from sbx.web.view.rendering import render

SHOWN = 100


async def replays_page(request: Request) -> Response:
    """``GET /replays``: the newest; the page says how many more there are."""
    async with services_of(request).database.connection() as connection:
        found = await with_waiting(connection, await VisibleLog(connection, user_of(request)).replays())
    return render(request, "replays.html", {"replays": found[:SHOWN], "more": len(found[SHOWN:])})


async def replay_page(request: Request) -> Response:
    """``GET /replays/{replay_id}``"""
    async with services_of(request).database.connection() as connection:
        log = VisibleLog(connection, user_of(request))
        wanted = (await replays.visible(log, request.path_params["replay_id"]))["replay_id"]
        listed = await with_waiting(connection, await log.replays())
    found = next(one for one in listed if one["replay_id"] == wanted)
    return render(request, "replay.html", {"replay": found})


@acting
async def cancel(request: Request, _form: FormData) -> Response:
    """``POST /replays/{replay_id}/cancel``: it ends after the current batch."""
    replay_id: int = request.path_params["replay_id"]
    await replays.cancel(services_of(request).database, user_of(request), replay_id)
    return RedirectResponse(f"/replays/{replay_id}", 303)
