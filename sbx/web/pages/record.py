"""One record: its current state, its objects in Xero, and its whole history."""

from starlette.requests import Request
from starlette.responses import Response

from log_projection.story import Record
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.gate import user_of
from sbx.web.problems import Problem
from sbx.web.services import services_of
from sbx.web.view.rendering import render


async def record_page(request: Request) -> Response:
    """``GET /records/{account}/{entity}/{record_id}``"""
    parameters = request.path_params
    record = Record(parameters["account"], parameters["entity"], parameters["record_id"])
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user_of(request))
        position = await visible.position()
        story = await visible.story(record)
    if story is None:
        message = "Nothing is known about such a record, or it belongs to an account that you cannot see."
        raise Problem(404, "not_found", message)
    return render(request, "record.html", {"story": story, "record": record, "position": position})
