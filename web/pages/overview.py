"""How it goes, account by account: the page to begin a day with."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from web import overview
from web.auth.gate import user_of
from web.charts import HEIGHT, WIDTH
from web.services import services_of
from web.views import render
from web.visible import VisibleLog

_FIRST = ("lost", "failing", "paused", "held", "unconnected", "well")


async def overview_page(request: Request) -> Response:
    """``GET /overview``"""
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        position = await VisibleLog(connection, user).position()
        found = await overview.standings(connection, user, datetime.now(UTC))
        workers = await overview.delivering(connection)
    found.sort(key=lambda standing: (_FIRST.index(standing.condition), standing.account))
    context = {
        "standings": found,
        "workers": workers,
        "position": position,
        "size": (WIDTH, HEIGHT),
        "failed": sum(standing.counts["failed"] for standing in found),
        "waiting": sum(standing.counts["queued"] + standing.counts["running"] for standing in found),
    }
    return render(request, "overview.html", context)
