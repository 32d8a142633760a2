"""``/metrics``, ``/healthz`` and ``/readyz`` of a worker, from a thread of their own.

A thread, so that they answer when the event loop does not. What has to be asked of broker and database is
asked when somebody looks, and then kept for a few seconds.
"""

import importlib.metadata
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import psycopg
import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError
from prometheus_client import GCCollector, PlatformCollector, ProcessCollector, make_wsgi_app

from connections.environment import Environment
from contracts import metrics
from streams.liveness import Assigned, Liveness, Place, places

TURNS_WITHIN = 60.0
"""Seconds in which a living event loop turns at least once."""
PROGRESS_WITHIN = 60.0
"""Seconds in which a worker with messages waiting finishes a batch."""
COMMIT_WITHIN = 30.0
"""Seconds in which a finished batch is committed; commits are made twice a second."""
_KEPT_SECONDS = 5.0
_DATABASE_SECONDS = 3
_TEXT = ("Content-Type", "text/plain; charset=utf-8")

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What is known of a worker when somebody asks whether it is ready. Times are seconds ago."""

    assigned: int
    """Partitions."""
    lag: int | None
    """Messages waiting in these partitions; none when the broker does not answer."""
    since_progress: float
    """How long messages have been waiting here without a batch being finished; 0 when none wait."""
    since_uncommitted: float
    """How long a finished batch waits for its commit; 0 when none does."""
    database: str
    """Why the database cannot be reached; blank when it can, or is not needed."""


def not_ready(seen: Observed) -> list[str]:
    """Why the worker is not ready, in sentences; none when it is."""
    problems = []
    if not seen.assigned:
        problems.append("no partitions are assigned: it is still joining its group, or there are more "
                        "processes than partitions")  # fmt: skip
    if seen.lag is None:
        problems.append("Kafka does not answer")
    elif seen.since_progress > PROGRESS_WITHIN:
        problems.append(f"{seen.lag} messages wait and no batch was finished for {seen.since_progress:.0f} s")
    if seen.since_uncommitted > COMMIT_WITHIN:
        problems.append(f"a finished batch was not committed for {seen.since_uncommitted:.0f} s")
    if seen.database:
        problems.append(f"the database cannot be reached: {seen.database}")
    return problems


class Monitor:
    """Answers for one worker. ``serve`` starts its thread."""

    def __init__(
        self,
        stage: str,
        environment: Environment,
        liveness: Liveness,
        assigned: Assigned,
        group: str,
        topics: Collection[str],
        *,
        database: bool,
        measure: Callable[[], None] | None,
    ) -> None:
        self._environment = environment
        self._liveness = liveness
        self._assigned = assigned
        self._group = group
        self._topics = topics
        self._database = database
        self._measure = measure
        self._lock = threading.Lock()
        self._refreshed = -_KEPT_SECONDS
        self._places: Mapping[TopicPartition, Place] | None = None
        self._lag_since: float | None = None
        self._problems: list[str] = []
        self._metrics = make_wsgi_app(metrics.REGISTRY)
        version = importlib.metadata.version("salesbinder-xero")
        metrics.WORKER.labels(stage, environment.worker_name or "", version).set(1)
        metrics.RESTARTS.set(environment.worker_restarts)
        metrics.LAST_PROGRESS.set_to_current_time()

    def serve(self, host: str, port: int) -> WSGIServer:
        """Listen and answer from a thread until the process ends. Port 0 takes a free one.

        Raises:
            OSError: the address cannot be listened on.
        """
        server = make_server(host, port, self.answer, _Server, _Quiet)
        threading.Thread(target=server.serve_forever, name="monitoring", daemon=True).start()
        return server

    def answer(self, request: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        path = request.get("PATH_INFO", "/")
        if path == "/metrics":
            self._refresh()
            answer: Iterable[bytes] = self._metrics(request, start_response)
            return answer
        if path == "/healthz":
            still = time.monotonic() - self._liveness.turned_at
            stuck = [f"the event loop has not turned for {still:.0f} s"] if still > TURNS_WITHIN else []
            return _say(start_response, "alive", stuck)
        if path == "/readyz":
            self._refresh()
            return _say(start_response, "ready", self._problems)
        start_response("404 Not Found", [_TEXT])
        return [b"/metrics, /healthz or /readyz\n"]

    def _refresh(self) -> None:
        """Ask broker and database, unless they were asked a moment ago."""
        with self._lock:
            if time.monotonic() - self._refreshed < _KEPT_SECONDS:
                return
            assigned = self._set_lag()
            self._problems = not_ready(self._observe(assigned))
            metrics.READY.set(not self._problems)
            if self._measure is not None:
                try:
                    self._measure()
                except psycopg.Error as error:
                    log.warning("what waits cannot be measured", error=" ".join(str(error).split()))
            self._refreshed = time.monotonic()

    def _set_lag(self) -> set[tuple[str, int]]:
        assigned = set(self._assigned())
        metrics.PARTITIONS.set(len(assigned))
        try:
            self._places = places(self._environment.kafka_python(), self._group, self._topics)
        except (KafkaError, OSError) as error:
            log.warning("the lag cannot be asked of the broker", error=str(error))
            self._places = None
            metrics.LAG.clear()  # no number is better than an old one
            return assigned
        for topic in self._topics:
            waiting = [p.end - p.committed for tp, p in self._places.items() if tp.topic == topic]
            metrics.LAG.labels(topic).set(sum(waiting))
        return assigned

    def _observe(self, assigned: set[tuple[str, int]]) -> Observed:
        now = time.monotonic()
        since = self._liveness.uncommitted_since
        lag = None
        if self._places is not None:
            ours = [p for tp, p in self._places.items() if (tp.topic, tp.partition) in assigned]
            lag = sum(place.end - place.committed for place in ours)
        # A message that has just come to an idle worker does not wait since the last batch.
        self._lag_since = (self._lag_since or now) if lag else None
        waiting = now - max(self._liveness.progress_at, self._lag_since) if self._lag_since else 0.0
        return Observed(
            assigned=len(assigned),
            lag=lag,
            since_progress=waiting,
            since_uncommitted=now - since if since is not None else 0.0,
            database=self._ask_database() if self._database else "",
        )

    def _ask_database(self) -> str:
        arguments: dict[str, Any] = self._environment.psycopg("sbx-readyz")
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


class _Quiet(WSGIRequestHandler):
    """Scrapes are no news."""

    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


for _collector in (ProcessCollector, PlatformCollector, GCCollector):
    _collector(registry=metrics.REGISTRY)
