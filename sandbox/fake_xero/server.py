"""Run the fake: in a thread of this process, or as a process of its own."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import uvicorn

from sandbox.serving import FakeProtocol, listen

from . import app
from .admin_client import FakeXeroAdmin
from .strict import StrictBodies, description_in_environment, strict_bodies
from .world import BY_HAND_CLIENT, BY_HAND_SECRET, DEFAULT_CLIENT, DEFAULT_SECRET, DEFAULT_TENANT, World

_START_TIMEOUT = 120.0  # seconds; on a busy machine the thread does not get its turn at once
_STOP_TIMEOUT = 60.0


class InvalidBodiesError(AssertionError):
    """A strict fake was sent bodies that are not valid by Xero's OpenAPI description."""


def make_server(world: World, strict: StrictBodies | None = None) -> uvicorn.Server:
    """Return a uvicorn server over the application, quiet, with answers in one send each."""
    config = uvicorn.Config(
        app.build(world, strict),
        http=FakeProtocol,
        lifespan="off",
        access_log=False,
        log_level="warning",
        ws="none",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=75,  # longer than a caller lets a connection rest: a request may not cross its end
        server_header=False,
    )
    return uvicorn.Server(config)


class FakeXeroServer:
    """A fake Xero on a free port, as a context manager.

    With `subprocess=True` it has a process (and an interpreter lock) of its own, for benchmarks. `strict` is
    the path of Xero's OpenAPI file: bodies not valid by it are refused, and leaving the context raises
    InvalidBodiesError. None takes the path from `FAKE_XERO_STRICT`, if set; False checks nothing."""

    client_id = DEFAULT_CLIENT
    client_secret = DEFAULT_SECRET
    tenant_id = DEFAULT_TENANT
    by_hand_client_id = BY_HAND_CLIENT
    by_hand_client_secret = BY_HAND_SECRET

    def __init__(
        self,
        *,
        subprocess: bool = False,
        port: int = 0,
        base_currency: str = "USD",
        strict: Path | Literal[False] | None = None,
    ) -> None:
        self._in_subprocess = subprocess
        self._port = port
        self._base_currency = base_currency
        self._strict = description_in_environment() if strict is None else strict or None
        self._process: Any = None
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self.url = ""

    @property
    def api_url(self) -> str:
        """Base address of the accounting API."""
        return f"{self.url}/api.xro/2.0"

    @property
    def identity_url(self) -> str:
        """Base address of the identity service."""
        return self.url

    @property
    def admin(self) -> FakeXeroAdmin:
        """A client for the `/_fake/` endpoints."""
        return FakeXeroAdmin(self.url)

    def start(self) -> "FakeXeroServer":
        """Start it and wait until it answers."""
        if self._in_subprocess:
            self._start_process()
        else:
            self._start_thread()
        return self

    def _start_thread(self) -> None:
        listener = listen("127.0.0.1", self._port)
        strict = strict_bodies(self._strict) if self._strict else None
        server = self._server = make_server(World(self._base_currency), strict)
        self._thread = threading.Thread(target=server.run, args=([listener],), name="fake-xero", daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        until = time.monotonic() + _START_TIMEOUT
        while not server.started:
            if time.monotonic() > until or not self._thread.is_alive():
                raise RuntimeError("the fake Xero did not start: see the log above")
            time.sleep(0.005)

    def _start_process(self) -> None:
        command = [sys.executable, "-m", "sandbox.fake_xero", "--print-url", "--port", str(self._port)]
        command += ["--base-currency", self._base_currency, "--exit-with-parent"]
        if self._strict:
            command += ["--strict", str(self._strict)]
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=root
        )
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"the fake Xero did not start: exit code {self._process.wait()}")

    def stop(self) -> None:
        """Stop it; its data is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_TIMEOUT)
            self._process.stdout.close()
            self._process.stdin.close()
            self._process = None
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_TIMEOUT)
            self._server = self._thread = None

    def __enter__(self) -> "FakeXeroServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._strict and (invalid := self.admin.invalid_bodies()):
                raise InvalidBodiesError(f"{len(invalid)} bodies were refused, the first: {invalid[:3]}")
        finally:
            self.stop()
