"""The Starlette application."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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
