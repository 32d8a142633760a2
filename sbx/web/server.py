"""The web process: a socket, the application on it, and a clean shutdown."""

import socket

import uvicorn

from runtime.environment import Environment
from runtime.probes import Pulse
from sbx.web.app import build
from sbx.web.connections import BoundedProtocol
from sbx.web.services import Services

GRACE_SECONDS = 3
KEPT_SECONDS = 75
"""How long a connection may rest before we close it: longer than proxies keep theirs, so that none of them
sends a request on one that is just being closed.
"""


class Server(uvicorn.Server):
    """Ends the live streams first: otherwise they would keep the process until its grace period is over."""

    pulse: Pulse | None = None

    async def on_tick(self, counter: int) -> bool:
        """Note that the serving loop runs: it calls this ten times per second, so that a blocked loop is
        noticed.
        """
        if self.pulse is not None:
            self.pulse.beat()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down cleanly."""
        services: Services = self.config.app.state.services  # type: ignore[union-attr]
        services.feed.close()
        await super().shutdown(sockets)


def new_server(environment: Environment) -> Server:
    """Return a server of the application."""
    config = uvicorn.Config(
        build(environment),
        http=BoundedProtocol,
        log_config=None,  # the process has set up its logs
        access_log=False,  # addresses hold names of customers, and keys of sign-in links
        server_header=False,
        proxy_headers=False,  # the application reads those of the proxies that are trusted
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=KEPT_SECONDS,
    )
    return Server(config)


def serve(environment: Environment, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, which are passed on after a clean shutdown.

    Raises:
        KeyboardInterrupt: one of these signals arrived before the server was up.
    """
    server = new_server(environment)
    if environment.metrics_port is not None:
        server.pulse = Pulse("web", environment)
        server.pulse.serve()
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        if not server.started:
            raise
