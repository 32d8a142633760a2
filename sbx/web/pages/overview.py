"""The overview, account by account: the page to start the day with."""

from collections import Counter
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from log_projection.losses import replays_of
from sbx.actions.accounts import delivering
from sbx.actions.scoped_log import VisibleLog
from sbx.actions.setup.checklist import in_words
from sbx.web import overview
from sbx.web.auth.gate import user_of
from sbx.web.services import services_of
from sbx.web.view.charts import HEIGHT, WIDTH
from sbx.web.view.rendering import render
from sbx.web.view.source import state_of, trouble_of

_LOST_SHOWN = 1000
_COMMANDS_SHOWN = 10
_FIRST = ("lost", "unread", "failing", "setup", "paused", "held", "unconnected", "settings", "well")


async def overview_page(request: Request) -> Response:
    """``GET /overview``"""
    user = user_of(request)
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user)
        position = await visible.position()
        found = await overview.standings(connection, user, datetime.now(UTC))
        workers = await delivering(connection)
        lost = await visible.lost_commands(_LOST_SHOWN)
        removed = await visible.removed_unread()
    replays = replays_of(lost)
    found.sort(key=lambda standing: (_FIRST.index(standing.condition), standing.account))
    context = {
        "standings": found,
        "workers": workers,
        "accounts_by_worker": sorted(Counter(one.worker for one in found if one.worker).items()),
        "lost": lost,
        "more_lost": len(lost) == _LOST_SHOWN,
        "replays": replays[:_COMMANDS_SHOWN],
        "more_replays": len(replays) > _COMMANDS_SHOWN,
        "removed": [one.in_words() for one in removed],
        "position": position,
        "size": (WIDTH, HEIGHT),
        "source_state": state_of,
        "setup_in_words": in_words,
        "source_trouble": trouble_of,
        "failed": sum(standing.counts["failed"] for standing in found),
        "waiting": sum(standing.counts["queued"] + standing.counts["running"] for standing in found),
    }
    return render(request, "overview.html", context)
