"""The Starlette application, and the connection class that sends every answer in one piece."""

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from . import admin_api
from .api import Api
from .strict import StrictBodies
from .world import World


def build(world: World, strict: StrictBodies | None = None) -> Starlette:
    """Return all endpoints over one world."""
    api = Api(world, strict)

    async def admin(request: Request) -> Response:
        return await admin_api.handle(world, request)

    return Starlette(
        routes=[
            Route("/api.xro/2.0/{path:path}", api.accounting, methods=["GET", "PUT", "POST", "DELETE"]),
            Route("/connect/token", api.identity_token, methods=["POST"]),
            Route("/connect/revocation", api.identity_revoke, methods=["POST"]),
            Route("/identity/connect/authorize", api.identity_authorize),
            Route("/connect/authorize", api.identity_authorize),
            Route("/connections", api.connections),
            Route("/Connections", api.connections),
            Route("/connections/{connection_id}", api.connections, methods=["DELETE"]),
            Route("/Connections/{connection_id}", api.connections, methods=["DELETE"]),
            Route("/_fake/{name}", admin, methods=["GET", "POST", "DELETE"]),
        ]
    )


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
