"""What needs somebody: standing failures, a group for each cause."""

from starlette.requests import Request
from starlette.responses import Response

from web import filters as reading
from web.auth.gate import user_of
from web.services import services_of
from web.views import render
from web.visible import VisibleLog


async def issues_page(request: Request) -> Response:
    """``GET /issues``"""
    pairs = request.query_params.multi_items()
    filters = reading.read_filters(pairs)
    async with services_of(request).database.connection() as connection:
        visible = VisibleLog(connection, user_of(request))
        issues = await visible.issues(filters.account)
        summary = await visible.summary()
    context = {
        "issues": issues,
        "given": reading.given_filters(pairs),
        "accounts": [row["account"] for row in summary],
        "entries": sum(issue["entries"] for issue in issues),
    }
    return render(request, "issues.html", context)
