"""Answers too long for memory: exports, and the live stream."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from log_projection import queries
from log_projection.paging import Cursor
from log_projection.queries import Filters, Row, cursor
from sbx.actions.filters import read_order
from sbx.actions.scoped_log import VisibleLog
from sbx.actions.spreadsheets import plain_cell
from sbx.web.api.columns import COLUMNS
from sbx.web.auth.gate import user_of
from sbx.web.live import follow
from sbx.web.services import services_of
from sbx.web.view import filters as parsing

_CHUNK = 500
_END_OF_LINE = "\r\n"  # RFC 4180


async def as_csv(request: Request) -> Response:
    """``GET /api/v1/entries.csv``: all that match."""
    head = _csv_line(COLUMNS).encode()
    return await _export(request, "text/csv; charset=utf-8", "csv", _csv_row, head)


async def as_json_lines(request: Request) -> Response:
    """``GET /api/v1/entries.jsonl``: all that match, one JSON object per line."""
    return await _export(request, "application/jsonl", "jsonl", lambda row: queries.encode_row(row) + b"\n")


async def live(request: Request) -> Response:
    """``GET /api/v1/stream``: entries as they change, as server-sent events ``entry``.

    The id of an event is a position in the log: with ``Last-Event-ID``, the stream continues
    after it; without, it starts with changes from now on.
    """
    filters = parsing.read_filters(request.query_params.multi_items(), others=("after",))
    given = request.headers.get("last-event-id") or request.query_params.get("after")
    after = parsing.read_number("after", given, -1, 0, 2**62)
    if after < 0:
        async with services_of(request).streams.connection() as connection:
            after = await VisibleLog(connection, user_of(request)).position()
    return EventSourceResponse(_changes(request, filters, after), ping=15)


async def _changes(request: Request, filters: Filters, after: int) -> AsyncIterator[ServerSentEvent]:
    services = services_of(request)
    async for news in follow(services.streams, services.feed, user_of(request), filters, after):
        if news.too_many:
            yield ServerSentEvent("{}", event="reload", id=str(news.position))
        for position, row in news.rows:
            yield ServerSentEvent(queries.encode_row(row).decode(), event="entry", id=str(position))


async def _export(
    request: Request, media_type: str, ending: str, encode: Callable[[Row], bytes], head: bytes = b""
) -> Response:
    filters = parsing.read_filters(request.query_params.multi_items(), others=(parsing.SORT,))
    order = read_order(request.query_params.get(parsing.SORT) or None)
    services, user = services_of(request), user_of(request)
    # Asked before the answer begins, so that an unavailable database is still a 503, not a torn file.
    async with services.exports.connection() as connection:
        await VisibleLog(connection, user).position()

    async def body() -> AsyncIterator[bytes]:
        yield head
        last: Cursor | None = None
        while True:
            # For one page at a time: a slow reader would otherwise keep a connection all the while.
            async with services.exports.connection() as connection:
                found = VisibleLog(connection, user).entries(filters, limit=_CHUNK, order=order, after=last)
                rows = [row async for row in found]
            yield b"".join(map(encode, rows))
            if len(rows) < _CHUNK:
                return
            before, last = last, cursor(rows[-1], order)
            if last == before:
                return  # times that Python cannot hold are read as the nearest, and stand behind that again

    headers = {"Content-Disposition": f'attachment; filename="integrations-log.{ending}"'}
    return StreamingResponse(body(), headers=headers, media_type=media_type)


def _csv_row(row: Row) -> bytes:
    return _csv_line([_csv_value(row[name]) for name in COLUMNS]).encode()


def _csv_line(values: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=_END_OF_LINE).writerow(values)
    return buffer.getvalue()


def _csv_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return plain_cell(" ".join(str(warning["text"]) for warning in value))
    return plain_cell(value) if isinstance(value, str) else str(value)
