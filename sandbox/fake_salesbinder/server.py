"""Run the fake: in a thread of this process, or as a process of its own."""

import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn

from sandbox.serving import FakeProtocol, listen

from . import app
from .admin_client import FakeSalesBinderAdmin
from .shop import DEFAULT_KEY, Shop
from .webhooks import WebhookSender
from .world import DEFAULT_SHOP, World

_START_TIMEOUT = 20.0  # seconds


def make_server(world: World) -> uvicorn.Server:
    """Return a uvicorn server over the application, quiet; the Date header is the fake's own."""
    config = uvicorn.Config(
        app.build(world),
        http=FakeProtocol,
        lifespan="off",
        access_log=False,
        log_level="warning",
        ws="none",
        timeout_graceful_shutdown=1,
        server_header=False,
        date_header=False,
    )
    return uvicorn.Server(config)


class FakeSalesBinderServer:
    """A fake SalesBinder on a free port, as a context manager, with one shop called `demo`.

    With `subprocess=True` it has a process of its own; else `world` gives tests its state. With `now` its
    clock stands still there, and the same seed and acts give the same records, stamps and ids."""

    shop_name = DEFAULT_SHOP
    api_key = DEFAULT_KEY

    def __init__(
        self, *, subprocess: bool = False, port: int = 0, seed: int = 0, now: datetime | None = None
    ) -> None:
        self._in_subprocess = subprocess
        self._port = port
        self._seed, self._now = seed, now
        self._process: Any = None
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._sender: WebhookSender | None = None
        self._world: World | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        """Base address of v2, with `{account}` for the sub-domain."""
        return f"{self.url}/{{account}}/api/2.0"

    @property
    def admin(self) -> FakeSalesBinderAdmin:
        """A client for the `/_fake/` endpoints."""
        return FakeSalesBinderAdmin(self.url)

    @property
    def world(self) -> World:
        """The state itself. Raises RuntimeError for a process of its own, or before the start."""
        if self._world is None:
            raise RuntimeError("only a started fake in this process shows its world: use admin")
        return self._world

    @property
    def shop(self) -> Shop:
        """The shop `demo`, in this process."""
        return self.world.shops[DEFAULT_SHOP]

    def start(self) -> "FakeSalesBinderServer":
        """Start it and wait until it answers."""
        if self._in_subprocess:
            self._start_process()
        else:
            self._start_thread()
        return self

    def _start_thread(self) -> None:
        listener = listen("127.0.0.1", self._port)
        self._world = World(self._seed, self._now)
        server = self._server = make_server(self._world)
        self._sender = WebhookSender(self._world)
        self._sender.start()
        self._thread = threading.Thread(
            target=server.run, args=([listener],), name="fake-salesbinder", daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        until = time.monotonic() + _START_TIMEOUT
        while not server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the fake SalesBinder did not start: see the log above")
            time.sleep(0.005)

    def _start_process(self) -> None:
        command = [sys.executable, "-m", "sandbox.fake_salesbinder", "--print-url", "--port", str(self._port)]
        command += ["--seed", str(self._seed), "--exit-with-parent"]
        command += ["--now", self._now.isoformat()] if self._now else []
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=root
        )
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the fake SalesBinder did not start: exit code {self._process.wait()}")

    def stop(self) -> None:
        """Stop it; its data is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process.stdout.close()
            self._process.stdin.close()
            self._process = None
        if self._sender is not None:
            self._sender.stop()
            self._sender = None
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(10)
            self._server = self._thread = None

    def __enter__(self) -> "FakeSalesBinderServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
