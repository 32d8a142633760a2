"""Serves the fakes: their socket, and a connection that sends each answer in one piece or drops it."""

import asyncio
import os
import socket
import sys
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one."""
    listener = socket.create_server((host, port), backlog=512)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return listener


def drop(request: Request) -> Response:
    """Return a response that is never sent: the connection is closed under it."""
    connection = request.scope["state"]["connection"]
    connection.abort()
    return Response(status_code=204)


def exit_with_parent() -> None:
    """Exit when the parent dies, in whichever way: its death closes our stdin."""
    sys.stdin.buffer.read()
    os._exit(0)


class OneSendTransport:
    """Joins everything written in one step of the event loop into one send. Sending head and body separately
    may cost a keep-alive call a delayed ACK (44 ms).
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send `data` at the end of this step."""
        if not self._parts:
            asyncio.get_running_loop().call_soon(self._flush)
        self._parts.append(data)

    def _flush(self) -> None:
        if self._parts and not self._transport.is_closing():
            self._transport.write(b"".join(self._parts))
        self._parts.clear()

    def close(self) -> None:
        """Send the rest, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close now, and send nothing more."""
        self._parts.clear()
        self._transport.abort()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class FakeProtocol(HttpToolsProtocol):
    """uvicorn's protocol on this transport, which faults can reach to drop the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        joined: Any = OneSendTransport(transport)
        self.app_state = {**self.app_state, "connection": joined}
        super().connection_made(joined)
