"""Connections of clients: closed where nothing moves any more, and so many from one source only."""

import asyncio
import ipaddress
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sbx.web.auth.throttle import network_of

HEAD_SECONDS: Final = 15.0
"""How long a client may take until the head of a request is there."""
STALLED_SECONDS: Final = 60.0
"""How long a client may leave an answer unread: exports and streams end then."""
MOST_OF_A_SOURCE: Final = 200
"""Connections from one address, or from one /64 of IPv6; proxies that are trusted have no limit."""


class BoundedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with time limits where it has none."""

    source = ""
    _head: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin: the first request must come soon, and there must not be too many of this source."""
        super().connection_made(transport)
        self._await_head()
        self.source = self._source()
        if not self.source:
            return
        same = sum(getattr(each, "source", "") == self.source for each in self.connections)
        if same > 2 * MOST_OF_A_SOURCE:
            transport.abort()
        elif same > MOST_OF_A_SOURCE:
            self.app = _too_busy

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        super().data_received(data)
        if self._awaits_head:
            self._await_head()
        else:
            _cancel(self._head)
            self._head = None

    def pause_writing(self) -> None:
        """Wait for the client to read, but not for ever."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALLED_SECONDS, self._abort)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        _cancel(self._stall)
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        _cancel(self._head)
        _cancel(self._stall)
        super().connection_lost(exc)

    @property
    def _awaits_head(self) -> bool:
        cycle: Any = self.cycle  # none before the first request
        return cycle is None or bool(cycle.response_complete)

    def _await_head(self) -> None:
        if self._head is None:  # what comes in drops has no more time than what comes at once
            self._head = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head = None
        if self._awaits_head:
            self._abort()

    def _abort(self) -> None:
        self.transport.abort()

    def _source(self) -> str:
        """Return where the client is; blank for a proxy, which stands for many, and for a socket without."""
        address = self.client[0] if self.client else ""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return ""
        application: Any = self.config.app
        trusted = application.state.services.environment.web_trusted_proxies
        return "" if any(found in ipaddress.ip_network(each) for each in trusted) else network_of(address)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


async def _too_busy(scope: Scope, receive: Receive, send: Send) -> None:
    answer = PlainTextResponse(
        "Too many connections come from your address.\n", 503, {"Retry-After": "5", "Connection": "close"}
    )
    await answer(scope, receive, send)
