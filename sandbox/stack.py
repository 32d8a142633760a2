"""Kafka and PostgreSQL of one data directory, started and ended together."""

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import IO, Self

from sandbox.errors import DataDirInUse
from sandbox.kafka import EmbeddedKafka
from sandbox.paths import prepare
from sandbox.postgres import EmbeddedPostgres
from sandbox.process import Ports, Progress, no_progress

_ENDPOINTS = "running.json"


@dataclass(frozen=True)
class Endpoints:
    """Where a running stack is reached; a service that it does not have is an empty text."""

    bootstrap_servers: str
    database_url: str


def find_running(data_dir: Path | str) -> Endpoints | None:
    """Return the stack that another process holds in ``data_dir``; None if there is none, or it is
    starting.
    """
    directory = Path(data_dir).expanduser()
    try:
        with (directory / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        try:
            return Endpoints(**json.loads((directory / _ENDPOINTS).read_text()))
        except FileNotFoundError:
            return None
    return None  # nobody holds it: a killed process has left the file


class EmbeddedStack:
    """Kafka and PostgreSQL in ``data_dir``, both on loopback.

    Everything is kept there between starts, the ports too as long as they are free. One process at a time
    holds a data directory. When it ends, by ``stop()``, Ctrl-C or SIGKILL, the services end with it.

        with EmbeddedStack(default_data_dir()) as stack:
            print(stack.bootstrap_servers, stack.database_url)
    """

    def __init__(self, data_dir: Path | str, kafka: bool = True, postgres: bool = True) -> None:
        self.data_dir = Path(data_dir).expanduser()
        self._with_kafka = kafka
        self._with_postgres = postgres
        self._lock: IO[str] | None = None
        self._kafka: EmbeddedKafka | None = None
        self._postgres: EmbeddedPostgres | None = None

    @property
    def bootstrap_servers(self) -> str:
        """``host:port`` of Kafka; empty if it was not asked for."""
        return self._kafka.bootstrap_servers if self._kafka else ""

    @property
    def database_url(self) -> str:
        """URL of the database ``sbx``, with its password; empty where PostgreSQL was not asked for."""
        return self._postgres.database_url if self._postgres else ""

    def start(self, progress: Progress = no_progress) -> Self:
        """Start what was asked for and return once it answers; on any error nothing is left running.

        Raises DataDirInUse, DataDirUnusable, DownloadFailed, ServiceFailed.
        """
        self.begin(progress)
        self.finish_postgres()
        self.finish_kafka()
        return self

    def begin(self, progress: Progress = no_progress) -> None:
        """Let what was asked for start, and return while it does; on any error nothing is left running.

        Raises DataDirInUse, DataDirUnusable, DownloadFailed, ServiceFailed.
        """
        self.data_dir = prepare(self.data_dir)
        self._lock = _hold(self.data_dir / "lock")
        (self.data_dir / _ENDPOINTS).unlink(missing_ok=True)
        ports = Ports(self.data_dir / "ports.json")
        with self._nothing_left():
            if self._with_postgres:
                self._postgres = EmbeddedPostgres(
                    self.data_dir / "postgres",
                    password_file=self.data_dir / "postgres.password",
                    log=self.data_dir / "postgres.log",
                    ports=ports,
                )
                self._postgres.begin(progress)
            if self._with_kafka:
                self._kafka = EmbeddedKafka(self.data_dir / "kafka", ports)
                self._kafka.begin(progress)

    def finish_postgres(self) -> None:
        """Return once PostgreSQL answers, at once if it was not asked for; on any error nothing is left.

        Raises ServiceFailed.
        """
        with self._nothing_left():
            if self._postgres is not None:
                self._postgres.finish()

    def finish_kafka(self) -> None:
        """Return once Kafka answers, too, and others find both; on any error nothing is left running.

        Raises ServiceFailed.
        """
        with self._nothing_left():
            if self._kafka is not None:
                self._kafka.finish()
            self._publish()

    @contextmanager
    def _nothing_left(self) -> Iterator[None]:
        """Stop everything on an error in the block."""
        try:
            yield
        except BaseException:  # Ctrl-C too
            self.stop()
            raise

    def _publish(self) -> None:
        """Let other processes find us (``find_running``); the file has the password, so it is ours alone."""
        new = self.data_dir / f"{_ENDPOINTS}.new"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            json.dump(asdict(Endpoints(self.bootstrap_servers, self.database_url)), opened)
        new.rename(self.data_dir / _ENDPOINTS)  # whole or not at all

    def stop(self) -> None:
        """End all services, wait for them, and give the data directory free; safe to call twice."""
        try:
            if self._kafka is not None:
                self._kafka.stop()
        finally:
            try:
                if self._postgres is not None:
                    self._postgres.stop()
            finally:
                if self._lock is not None:
                    (self.data_dir / _ENDPOINTS).unlink(missing_ok=True)
                    self._lock.close()
                    self._lock = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _hold(file: Path) -> IO[str]:
    """Lock ``file`` for as long as it stays open, and write into it who we are. Raises DataDirInUse."""
    lock = file.open("a+")
    try:
        _lock_within(lock, seconds=0.5)  # find_running() holds it for a moment
    except BlockingIOError as error:
        lock.seek(0)
        holder = _describe(lock.read())
        lock.close()
        raise DataDirInUse(
            f"The data directory {file.parent} is in use by {holder}. Stop that one first, or name another "
            "directory with SBX_DATA_DIR."
        ) from error
    lock.truncate(0)
    # Up to the first option only: what follows may be a secret.
    words = takewhile(lambda word: not word.startswith("-"), sys.argv[1:])
    ours = {
        "pid": os.getpid(),
        "command": " ".join([Path(sys.argv[0]).name, *words]),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    lock.write(json.dumps(ours) + "\n")
    lock.flush()
    return lock


def _lock_within(lock: IO[str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _describe(text: str) -> str:
    try:
        holder = json.loads(text)
        return f"process {holder['pid']} ({holder['command']}), since {holder['since']}"
    except (ValueError, KeyError):  # locked, and not yet written
        return "another process that is just starting"
