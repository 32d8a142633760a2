"""Decide whether a worker is alive and ready, for its probes.

Broker and database are asked only when somebody looks; their answers are then kept for a few seconds.
"""

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

import psycopg
import structlog
from kafka.errors import KafkaError

from runtime import metrics
from runtime.environment import Environment
from runtime.probes import TURNS_WITHIN, Probes, database_away
from streams.liveness import Assigned, Liveness
from streams.standings import Standings, standings

PROGRESS_WITHIN = 60.0
"""Seconds within which a worker with messages waiting finishes a batch."""
COMMIT_WITHIN = 30.0
"""Seconds within which a finished batch is committed; commits are made twice per second."""
_KEPT_SECONDS = 5.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The state of a worker when somebody asks whether it is ready. Times are seconds ago."""

    assigned: int
    """Partitions."""
    lag: int | None
    """Messages waiting in these partitions; None if the broker does not answer."""
    since_progress: float
    """How long messages have been waiting here without a batch being finished; 0 if none wait."""
    since_uncommitted: float
    """How long a finished batch has been waiting for its commit; 0 if none does."""
    database: str
    """Why the database cannot be reached; blank if it can, or is not needed."""


def not_ready(seen: Observed) -> list[str]:
    """Return why the worker is not ready, in sentences; an empty list if it is."""
    problems = []
    if not seen.assigned:
        problems.append("no partitions are assigned: it is still joining its group, or there are more "
                        "processes than partitions")  # fmt: skip
    if seen.lag is None:
        problems.append("Kafka not responding")
    elif seen.since_progress > PROGRESS_WITHIN:
        problems.append(f"{seen.lag} messages wait and no batch was finished for {seen.since_progress:.0f} s")
    if seen.since_uncommitted > COMMIT_WITHIN:
        problems.append(f"a finished batch was not committed for {seen.since_uncommitted:.0f} s")
    if seen.database:
        problems.append(f"the database cannot be reached: {seen.database}")
    return problems


class Monitor(Probes):
    """Answers for one worker."""

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
        super().__init__(stage, environment)
        self._liveness = liveness
        self._assigned = assigned
        self._group = group
        self._topics = topics
        self._database = database
        self._measure = measure
        self._lock = threading.Lock()
        self._refreshed = -_KEPT_SECONDS
        self._standings: Standings | None = None
        self._lag_since: float | None = None
        self._problems: list[str] = []
        metrics.LAST_PROGRESS.set_to_current_time()

    def dead(self) -> list[str]:
        """Return that the event loop has stopped, if so."""
        still = time.monotonic() - self._liveness.turned_at
        return [f"the event loop has not turned for {still:.0f} s"] if still > TURNS_WITHIN else []

    def problems(self) -> list[str]:
        """Return the reasons of ``not_ready``, after asking broker and database."""
        self._refresh()
        return self._problems

    def _refresh(self) -> None:
        """Ask broker and database, unless they were asked a moment ago."""
        with self._lock:
            if time.monotonic() - self._refreshed < _KEPT_SECONDS:
                return
            assigned = self._set_lag()
            self._problems = not_ready(self._observe(assigned))
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
            self._standings = standings(self._environment.kafka_python(), self._group, self._topics)
        except (KafkaError, OSError) as error:
            log.warning("the lag cannot be asked of the broker", error=str(error))
            self._standings = None
            metrics.LAG.clear()  # no number is better than an old one
            return assigned
        for topic in self._topics:
            waiting = [one.waiting for tp, one in self._standings.items() if tp.topic == topic]
            metrics.LAG.labels(topic).set(sum(waiting))
        return assigned

    def _observe(self, assigned: set[tuple[str, int]]) -> Observed:
        now = time.monotonic()
        since = self._liveness.uncommitted_since
        lag = None
        if self._standings is not None:
            standings = self._standings.items()
            lag = sum(one.waiting for tp, one in standings if (tp.topic, tp.partition) in assigned)
        # A message that has just come to an idle worker does not wait since the last batch.
        self._lag_since = (self._lag_since or now) if lag else None
        waiting = now - max(self._liveness.progress_at, self._lag_since) if self._lag_since else 0.0
        return Observed(
            assigned=len(assigned),
            lag=lag,
            since_progress=waiting,
            since_uncommitted=now - since if since is not None else 0.0,
            database=database_away(self._environment) if self._database else "",
        )
