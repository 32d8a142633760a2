"""Replays: each an entry of its own, with how far it came and what came of it."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from log_projection.queries import Row
from sbx.actions import audit
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.gate import acting, address_of, user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view.rendering import render
from sinks.replay import replay

SHOWN = 100


async def replays_page(request: Request) -> Response:
    """``GET /replays``: the newest; the page says how many there are besides."""
    async with services_of(request).database.connection() as connection:
        found = await VisibleLog(connection, user_of(request)).replays()
    return render(request, "replays.html", {"replays": found[:SHOWN], "more": len(found[SHOWN:])})


async def replay_page(request: Request) -> Response:
    """``GET /replays/{replay_id}``"""
    async with services_of(request).database.connection() as connection:
        found = await one_replay(VisibleLog(connection, user_of(request)), request.path_params["replay_id"])
    return render(request, "replay.html", {"replay": found})


@acting
async def cancel(request: Request, _form: FormData) -> Response:
    """``POST /replays/{replay_id}/cancel``: it ends behind the batch that it is at."""
    replay_id: int = request.path_params["replay_id"]
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        await one_replay(VisibleLog(connection, user), replay_id)
        number = await audit.begin(
            connection, user, address_of(request), "cancel replay", {"replay": replay_id}, ""
        )
        state = await replay.cancel(connection, replay_id)
        await audit.end(connection, number, {"state": state})
    if state is None:
        raise Problem(409, "ended", f"Replay {replay_id} has ended already.")
    return RedirectResponse(f"/replays/{replay_id}", 303)


async def one_replay(log: VisibleLog, replay_id: int) -> Row:
    """The replay of this number.

    Raises:
        Problem: 404, there is none, or the user does not see it.
    """
    found = await log.replays(replay_id)
    if not found:
        message = "There is no such replay, or it is not of an account that you see."
        raise Problem(404, "not_found", message)
    return found[0]
