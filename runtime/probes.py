"""Serve ``/metrics``, ``/healthz`` and ``/readyz`` of a process.

They run in a thread of their own, so that they answer even when the process has come to a stop.
"""

import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import psycopg
import structlog
from prometheus_client import GCCollector, PlatformCollector, ProcessCollector, make_wsgi_app

from runtime import metrics
from runtime.addresses import host_and_port
from runtime.environment import Environment
from runtime.version import VERSION

TURNS_WITHIN = 60.0
"""Seconds within which a live process makes progress at least once."""
_DATABASE_SECONDS = 3
_TEXT = ("Content-Type", "text/plain; charset=utf-8")

log = structlog.stdlib.get_logger(__name__)


class Probes(ABC):
    """Answers for one process. ``serve`` starts its thread."""

    def __init__(self, process: str, environment: Environment) -> None:
        self._environment = environment
        self._metrics = make_wsgi_app(metrics.REGISTRY)
        metrics.WORKER.labels(process, environment.worker_name or "", VERSION).set(1)
        metrics.RESTARTS.set(environment.worker_restarts)

    @abstractmethod
    def dead(self) -> list[str]:
        """Return why the process must be restarted, in sentences; an empty list while it is alive."""

    @abstractmethod
    def problems(self) -> list[str]:
        """Return why the process cannot do its work now; an empty list if it can. Called before metrics are
        shown, too.
        """

    def serve(self) -> WSGIServer | None:
        """Listen at the configured address and answer until the process ends; return None if that is not
        possible.

        The process works without it then, and its log says so. Port 0 takes a free port.
        """
        host, port = self._environment.metrics_host, self._environment.metrics_port or 0
        try:
            server = make_server(host, port, self.answer, _ServerV6 if ":" in host else _Server, _Quiet)
        except OSError as error:
            log.error(
                "metrics cannot be served",
                address=host_and_port(host, port),
                problem=str(error),
                remedy="give this process a free port in SBX_METRICS_PORT",
            )
            return None
        threading.Thread(target=server.serve_forever, name="monitoring", daemon=True).start()
        return server

    def answer(self, request: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Yield the WSGI application."""
        path = request.get("PATH_INFO", "/")
        if path == "/healthz":
            return _say(start_response, "alive", self.dead())
        if path not in ("/metrics", "/readyz"):
            start_response("404 Not Found", [_TEXT])
            return [b"/metrics, /healthz or /readyz\n"]
        problems = self.problems()
        metrics.READY.set(not problems)
        if path == "/readyz":
            return _say(start_response, "ready", problems)
        answer: Iterable[bytes] = self._metrics(request, start_response)
        return answer


class Pulse(Probes):
    """The probes of a process that reports its progress regularly. It needs the database.

    Args:
        process: its name in ``sbx_worker_info``.
        environment: where the database is, and where to listen.
    """

    def __init__(self, process: str, environment: Environment) -> None:
        super().__init__(process, environment)
        self._beaten_at = time.monotonic()
        self.waits_for = ""
        """Why the process cannot work yet; blank if it can."""

    def beat(self) -> None:
        """Note that the process has made progress."""
        self._beaten_at = time.monotonic()

    def dead(self) -> list[str]:
        """Return that the process has made no progress for a minute, if so."""
        still = time.monotonic() - self._beaten_at
        return [f"it has not gone on for {still:.0f} s"] if still > TURNS_WITHIN else []

    def problems(self) -> list[str]:
        """Return the same, what the process waits for, and a database that cannot be reached."""
        away = database_away(self._environment)
        waits = [self.waits_for] if self.waits_for else []
        return self.dead() + waits + ([f"the database cannot be reached: {away}"] if away else [])


def database_away(environment: Environment) -> str:
    """Return why the database cannot be reached; blank if it can."""
    arguments: dict[str, Any] = environment.psycopg("sbx-readyz")
    try:
        psycopg.connect(**arguments | {"connect_timeout": _DATABASE_SECONDS}).close()
    except psycopg.Error as error:
        return " ".join(str(error).split())
    return ""


def _say(start_response: StartResponse, good: str, problems: list[str]) -> list[bytes]:
    start_response("503 Service Unavailable" if problems else "200 OK", [_TEXT])
    return [f"{line}\n".encode() for line in problems or [good]]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    """Does not log scrapes."""

    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=metrics.REGISTRY)
