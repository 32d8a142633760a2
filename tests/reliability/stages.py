"""The three stages as the processes that they are, each to be killed at a point of its own."""

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from kafka import KafkaProducer

from contracts.events.reader import event_to_kafka
from runtime.environment import Environment
from tests.reliability.crashing import PATIENCE, ROOT, variables

STAGES = ("transform", "deliver", "project")


class Stages:
    """A process a stage, on one broker and one database."""

    def __init__(self, kafka: str, environment: Environment, logs: Path) -> None:
        self._kafka = kafka
        self._environment = environment
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._began_at: dict[str, int] = {}

    def start(self, stage: str, crash_at: str = "") -> None:
        """Start one. Its name in the consumer group stays, so that it gets its partitions back at once."""
        environ = variables(self._environment, crash_at) | {
            "SBX_KAFKA_BOOTSTRAP_SERVERS": self._kafka,
            "SBX_WORKER_NAME": f"crash-{stage}",
        }
        if stage in self._running:  # left by a test that failed
            self._running[stage].kill()
            self._running[stage].wait()
        with (self._logs / f"{stage}.log").open("ab") as said:
            self._began_at[stage] = said.tell()
            self._running[stage] = subprocess.Popen(
                [sys.executable, "-m", "streams", stage], cwd=ROOT, env=environ, stderr=said
            )

    def ready(self) -> None:
        """Wait until each stage says that it is ready, or has died at its point."""
        until = time.monotonic() + PATIENCE
        for stage, process in self._running.items():
            log = self._logs / f"{stage}.log"
            while b'"event": "ready"' not in log.read_bytes()[self._began_at[stage] :]:
                if process.poll() is not None:
                    break
                assert time.monotonic() < until, self._said(stage)
                time.sleep(0.1)

    def survive(self, account: str, ends: Mapping[str, int], crashes: Mapping[str, str]) -> None:
        """Go on until the log has so many entries of the account in each state, and start anew what died
        at its point. Every stage in ``crashes`` must have died.
        """
        alive = set(STAGES) - set(crashes)
        until = time.monotonic() + PATIENCE
        while alive != set(STAGES) or self._states(account) != ends:
            for stage in STAGES:
                code = self._running[stage].poll()
                if code is not None:
                    assert code == -signal.SIGKILL, (stage, code, self._said(stage))
                    assert stage not in alive, f"{stage} died twice"
                    alive.add(stage)
                    self.start(stage)
            assert time.monotonic() < until, f"alive: {alive}\n" + self._said("deliver")
            time.sleep(0.1)

    def pids(self) -> dict[str, int]:
        """The process id of each stage that runs."""
        return {stage: process.pid for stage, process in self._running.items() if process.poll() is None}

    def dies(self, stage: str) -> None:
        """Wait until a stage is killed at its point."""
        assert self._running[stage].wait(PATIENCE) == -signal.SIGKILL, self._said(stage)

    def stop_all(self) -> None:
        """End all as an operator does."""
        for process in self._running.values():
            process.terminate()
        for stage, process in self._running.items():
            assert process.wait(PATIENCE) == 0, self._said(stage)

    def kill_all(self) -> None:
        """End all as a power cut does."""
        for process in self._running.values():
            process.kill()
            process.wait()

    def publish(self, events: Sequence[dict[str, Any]]) -> None:
        """Change events to their topics."""
        with KafkaProducer(bootstrap_servers=self._kafka) as producer:
            for event in events:
                topic, key, value, headers = event_to_kafka(event)
                producer.send(topic, key=key, value=value, headers=list(headers))
            producer.flush()

    def _states(self, account: str) -> dict[str, int]:
        with psycopg.connect(str(self._environment.database_url), autocommit=True) as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM integrations_log.entries WHERE account = %s GROUP BY state",
                [account],
            ).fetchall()
        return dict(rows)

    def _said(self, stage: str) -> str:
        return (self._logs / f"{stage}.log").read_text(encoding="utf-8")[-4000:]
