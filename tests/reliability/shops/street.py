"""Fake SalesBinders side by side on one address, each a world of its own: limits, switches and faults."""

import threading
import time
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette

from sandbox.fake_salesbinder import World, app
from sandbox.serving import FakeProtocol, listen

_STARTED_WITHIN = 20.0


class Street:
    """A server in a thread of this process, as a context manager; asks the world of the account's name."""

    def __init__(self) -> None:
        self._apps: dict[str, Starlette] = {}
        self._listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            self._answer,
            http=FakeProtocol,
            interface="asgi3",
            lifespan="off",
            access_log=False,
            log_level="error",
            ws="none",
            timeout_graceful_shutdown=1,
            server_header=False,
            date_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        until = time.monotonic() + _STARTED_WITHIN
        while not self._server.started:
            assert time.monotonic() < until, "the fake SalesBinder did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(_STARTED_WITHIN)

    def open(self, account: str, world: World) -> None:
        """Answer for this account from now on."""
        self._apps[account] = app.build(world)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        await self._apps[scope["path"].split("/")[1]](scope, receive, send)
