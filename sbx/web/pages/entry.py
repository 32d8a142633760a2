"""One entry: its history, and that of its whole document."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from log_projection.losses import explained
from log_projection.queries import Row
from log_projection.story import Record
from sbx.actions import decide
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.gate import user_of
from sbx.web.services import services_of
from sbx.web.view.rendering import render

_HISTORY = 200


async def entry_page(request: Request) -> Response:
    """``GET /entries/{entry_id}``"""
    entry_id = request.path_params["entry_id"]
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user_of(request))
        position = await visible.position()
        entry = await visible.existing(entry_id)
        steps = await visible.steps(entry_id)
        attempts = await visible.attempts(entry_id)
        same = Record(entry["account"], entry["entity"], entry["record_id"])
        whole = await visible.story(same)
        lost = await visible.lost_commands(1, entry_id) if entry["state"] == "queued" else []
        candidates = await decide.candidates(connection, entry)
    context = {
        "entry": entry,
        "attempts": attempts,
        "whole": whole,
        "history": [] if whole is None else whole.entries[-_HISTORY:],
        "story": story(entry, steps, attempts),
        "position": position,
        "lost": explained(lost[0]) if lost else None,
        "undecided": decide.is_undecided(entry),
        "candidates": candidates,
        "decided": "decided" in request.query_params,
    }
    return render(request, "entry.html", context)


def story(entry: Row, steps: list[Row], attempts: list[Row]) -> list[dict[str, Any]]:
    """Return the story of an entry, oldest first: ``at``, ``what``, the ``step``, and of a call its
    ``attempt``.
    """
    calls = {attempt["attempt_id"]: attempt for attempt in attempts}
    told: list[dict[str, Any]] = []
    if entry["event_time"]:
        # By another machine's clock, so it always comes first.
        told.append({"at": entry["event_time"], "what": "changed", "step": None, "attempt": None})
    for step in steps:
        attempt = calls.get(step["detail"]["attempt_id"]) if step["step"] == "call" else None
        told.append({"at": step["at"], "what": step["step"], "step": step, "attempt": attempt})
    return told
