"""Nobody takes all of the page: how much of it one user may have at once. More are told to come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Literal

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sbx.web.problems import Problem

Kind = Literal["request", "export", "stream"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How many of a kind one user may have at once, how many more may wait, and for how long."""

    at_once: int
    waiting: int = 0
    seconds: float = 0.0


LIMITS: Final[dict[Kind, Limit]] = {
    "request": Limit(at_once=4, waiting=60, seconds=5.0),
    "export": Limit(at_once=2),
    "stream": Limit(at_once=40),
}
"""Less than the connections of their pools, so that others get theirs. A stream is a tab of a browser."""
_WHAT: Final[dict[Kind, str]] = {"request": "requests", "export": "exports", "stream": "live updates"}
_RETRY_AFTER: Final[dict[Kind, str]] = {"request": "2", "export": "10", "stream": "10"}


@dataclass(slots=True)
class _Share:
    free: asyncio.Semaphore
    users: int = 0
    """How many have a turn or wait for one."""


@dataclass(slots=True)
class Turns:
    """Who has how much of this process."""

    _shares: dict[tuple[Kind, str], _Share] = field(default_factory=dict)

    @asynccontextmanager
    async def hold(self, kind: Kind, user: str) -> AsyncIterator[None]:
        """Have a turn while the block runs.

        Raises:
            Problem: 503, to come again later; nobody else is told so.
        """
        limit = LIMITS[kind]
        share = self._shares.setdefault((kind, user), _Share(asyncio.Semaphore(limit.at_once)))
        if share.users >= limit.at_once + limit.waiting:
            raise _too_busy(kind)
        share.users += 1
        try:
            await _wait(share, kind, limit.seconds)
            try:
                yield
            finally:
                share.free.release()
        finally:
            share.users -= 1
            if not share.users:
                del self._shares[kind, user]


def kind_of(path: str) -> Kind:
    """Return what a request to this path is."""
    if path.endswith((".csv", ".jsonl")):
        return "export"
    return "stream" if path in ("/live", "/api/v1/stream") else "request"


async def _wait(share: _Share, kind: Kind, seconds: float) -> None:
    if not share.free.locked():
        await share.free.acquire()
        return
    try:
        async with asyncio.timeout(seconds):
            await share.free.acquire()
    except TimeoutError:
        raise _too_busy(kind) from None


def _too_busy(kind: Kind) -> Problem:
    message = (
        f"You have too many {_WHAT[kind]} under way at once. Nobody else is held up; try again in a moment."
    )
    return Problem(503, "too_busy", message, headers={"Retry-After": _RETRY_AFTER[kind]})


BODY_SECONDS: Final = 30.0
"""How long the body of a request may take."""


class BodyDeadline:
    """ASGI middleware: ends a request whose body does not come in time (408)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        until = asyncio.get_running_loop().time() + BODY_SECONDS
        whole = False

        async def receive_in_time() -> Message:
            nonlocal whole
            if whole:  # what comes now is the end of the connection, which is waited for
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The request took too long.", {"Connection": "close"}) from None
            whole = not message.get("more_body", False)
            return message

        await self._app(scope, receive_in_time if scope["type"] == "http" else receive, send)
