"""The last comparison of SalesBinder and Xero as CSV, for the page and the API."""

from collections.abc import AsyncIterator
from datetime import date

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from log_projection.queries import Row
from sbx.actions import reconcile
from sbx.web.auth.gate import user_of
from sbx.web.services import services_of

_CHUNK = 500


async def as_csv(request: Request, since: date | None = None, until: date | None = None) -> Response:
    """Return every document issued from one day to another, both counted, with all three sides.

    Raises:
        ActionRefused: there is no such account.
    """
    services, user = services_of(request), user_of(request)
    account: str = request.path_params["account"]
    # Asked before the answer begins, so that a refusal is one.
    async with services.exports.connection() as connection:
        await reconcile.load(connection, user, account)

    async def body() -> AsyncIterator[bytes]:
        # Spreadsheets take a file without a byte order mark for another encoding than UTF-8.
        yield ("\ufeff" + reconcile.csv_lines([])).encode()
        rows: list[Row] = []
        while not rows or len(rows) == _CHUNK:
            last = reconcile.place_of(rows[-1]) if rows else None
            # For one page at a time: a slow reader would keep a connection all the while.
            async with services.exports.connection() as connection:
                found = reconcile.results(connection, user, account, since, until, limit=_CHUNK, after=last)
                rows = [row async for row in found]
            yield reconcile.csv_lines(rows, head=False).encode()
            if not rows:
                return

    headers = {"Content-Disposition": f'attachment; filename="{account}-reconciliation.csv"'}
    return StreamingResponse(body(), headers=headers, media_type="text/csv; charset=utf-8")
