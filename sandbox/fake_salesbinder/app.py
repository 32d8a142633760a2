"""The Starlette application: carries answers to the wire, and does what faults do to connections."""

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sandbox.serving import drop

from . import admin_api, api
from .faults import Fault
from .world import World

_METHODS = ["GET", "POST", "PUT", "DELETE"]
_PIECES = 20


def build(world: World) -> Starlette:
    """Return all endpoints over one world."""

    async def admin(request: Request) -> Response:
        return await admin_api.handle(world, request)

    async def call(request: Request) -> Response:
        asked = api.Request(
            request.method,
            request.url.path,
            request.url.query,
            dict(request.headers),
            await request.body(),
            request.client.host if request.client else "",
        )
        answer = api.answer(world, asked)
        for fault in answer.faults:
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
        return drop(request) if answer.status == 0 else _response(request, answer)

    return Starlette(
        routes=[
            Route("/_fake/{name}", admin, methods=["GET", "POST", "DELETE"]),
            Route("/{path:path}", call, methods=_METHODS),
        ]
    )


def _response(request: Request, answer: api.Answer) -> Response:
    for fault in answer.faults:
        if fault.kind == "trickle":
            return _streamed(answer, _trickle(answer.body, fault))
        if fault.kind == "broken_off":
            return _streamed(answer, _broken_off(request, answer.body, fault))
    return Response(answer.body, answer.status, answer.headers)


def _streamed(answer: api.Answer, pieces: AsyncIterator[bytes]) -> Response:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    return StreamingResponse(pieces, answer.status, headers)


async def _trickle(body: bytes, fault: Fault) -> AsyncIterator[bytes]:
    size = max(1, -(-len(body) // _PIECES))
    starts = range(0, len(body), size)
    for start in starts:
        await asyncio.sleep(fault.seconds / len(starts))
        yield body[start : start + size]


async def _broken_off(request: Request, body: bytes, fault: Fault) -> AsyncIterator[bytes]:
    yield body[: int(len(body) * fault.fraction)]
    await asyncio.sleep(0.02)  # until the first part is on its way
    drop(request)
    await asyncio.sleep(0.02)  # until the server knows that nobody listens any more
