"""Child processes that are kept running: restarted when they end, and stopped together.

Each is started in its own session, so that Ctrl-C reaches only the supervisor, which stops them in
order. Their standard input is a pipe that only the supervisor holds: they end when it is gone.
"""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Protocol

from sbx.cli.local.forked import Forked

LOG_BYTES = 16 * 1024 * 1024
"""A larger log is rotated (one older file is kept)."""
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_LOOK_EVERY = 0.25
_GOOD_FOR = 60.0
"""A process that ran at least this many seconds is restarted at once when it ends."""

Report = Callable[[str, bool], None]
"""Called with a line for people, and whether it reports a problem."""


@dataclass(frozen=True)
class Command:
    """A named command. ``log`` receives its standard error and output."""

    name: str
    argv: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """In addition to the common environment."""
    inherited: Sequence[int] = ()
    """Descriptors that the process gets from us, under the same numbers."""
    arguments: Sequence[str] = ()
    """Those of ``sbx.cli.local.child``."""


class Process(Protocol):
    """A child process: ``subprocess.Popen``, or one that was forked."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """The pipe whose end tells it that we have ended."""

    returncode: Any
    """Its exit code, or minus the signal that killed it; None while it runs."""

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code."""

    def terminate(self) -> None:
        """Send it SIGTERM, if it runs."""

    def kill(self) -> None:
        """Send it SIGKILL, if it runs."""


@dataclass
class _Child:
    command: Command
    process: Process | None = None
    started: float = 0.0
    wait: float = _FIRST_WAIT
    due: float = field(default_factory=time.monotonic)
    starts: int = 0
    trouble: str = ""
    """What the system refused last."""


class Supervisor:
    """Keeps ``commands`` running, from its own thread."""

    def __init__(
        self,
        commands: Sequence[Command],
        environment: Mapping[str, str],
        report: Report,
        held: Mapping[str, Forked] = MappingProxyType({}),
    ) -> None:
        """Take the commands over; ``held`` are those that are forked already, by name."""
        self._children = [_Child(command, held.get(command.name)) for command in commands]
        self._held = held
        self._environment = dict(environment)
        self._report = report
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start all processes, and release those that are held."""
        for child in self._children:
            if (held := self._held.get(child.command.name)) is not None:
                held.release(self._environ_of(child))
                child.starts += 1
                child.started = time.monotonic()
        self._thread.start()

    def _watch(self) -> None:
        while not self._ending.is_set():
            self._look()
            self._ending.wait(_LOOK_EVERY)

    def _look(self) -> None:
        """Look after each process. What the system refuses for one (memory, descriptors, room on the disk) is
        tried again, and keeps nobody from looking after the others.
        """
        for child in self._children:
            try:
                self._look_after(child)
            except (OSError, subprocess.SubprocessError) as error:
                self._failed(child, error)
            else:
                child.trouble = "" if child.process is not None else child.trouble

    def _look_after(self, child: _Child) -> None:
        """Start the process if it is due, and notice that it has ended."""
        if child.process is not None and child.process.poll() is not None:
            self._ended(child, child.process)
        if child.process is None and time.monotonic() >= child.due:
            self._start(child)
        _limit(child.command.log)

    def _failed(self, child: _Child, error: Exception) -> None:
        """Report a trouble once, and wait before the process is started again."""
        if str(error) != child.trouble:
            child.trouble = str(error)
            self._report(f"{child.command.name} cannot be looked after: {error}; trying again", True)
        if child.process is None:
            child.due = time.monotonic() + child.wait
            child.wait = min(child.wait * 2, _LONGEST_WAIT)

    def _start(self, child: _Child) -> None:
        child.command.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with child.command.log.open("ab") as log:
            child.process = subprocess.Popen(
                list(child.command.argv),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environ_of(child),
                start_new_session=True,
                pass_fds=child.command.inherited,
            )
        child.starts += 1
        child.started = time.monotonic()

    def _environ_of(self, child: _Child) -> dict[str, str]:
        restarts = {"SBX_WORKER_RESTARTS": str(child.starts)}
        return {**self._environment, **child.command.environment, **restarts}

    def _ended(self, child: _Child, process: Process) -> None:
        _close(process)
        child.process = None
        if time.monotonic() - child.started >= _GOOD_FOR:
            child.wait = _FIRST_WAIT
        child.due = time.monotonic() + child.wait
        words = last_words(child.command.log)
        self._report(
            f"{child.command.name} ended ({_how(process.returncode)}){': ' + words if words else ''}; "
            f"restarting it in {child.wait:g} s. Its log: {child.command.log}",
            True,
        )
        child.wait = min(child.wait * 2, _LONGEST_WAIT)

    def stop(self, grace: float) -> None:
        """Stop all: SIGTERM, then SIGKILL for those still running after ``grace`` seconds."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        processes = [child.process for child in self._children if child.process is not None]
        for process in processes:
            process.terminate()
        until = time.monotonic() + grace
        for process in processes:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            _close(process)
        for child in self._children:
            child.process = None

    def kill(self) -> None:
        """Kill all at once; ``stop`` then returns soon. Safe to call from a signal handler."""
        for process in [child.process for child in self._children]:  # the watching thread may let go of one
            if process is not None:
                process.kill()


def stage_command(stage: str, number: int, logs: Path, metrics_port: int) -> Command:
    """Return the command of one process of a stage."""
    name = f"{stage}-{number}"
    return _command(name, [stage], logs, metrics_port, {"SBX_WORKER_NAME": f"{_place(logs)}-{name}"})


def web_command(listening: socket.socket, logs: Path, metrics_port: int) -> Command:
    """Return the command that serves the page on this socket."""
    descriptor = listening.fileno()
    return _command("web", ["web", str(descriptor)], logs, metrics_port, {}, [descriptor])


def notify_command(page_url: str, logs: Path, metrics_port: int) -> Command:
    """Return the command that sends notifications, with the address of our page."""
    return _command("notify", ["notify"], logs, metrics_port, {"SBX_NOTIFY_PAGE_URL": page_url})


def _command(
    name: str,
    arguments: Sequence[str],
    logs: Path,
    metrics_port: int,
    own: Mapping[str, str],
    inherited: Sequence[int] = (),
) -> Command:
    # -P: a folder called streams in the working directory must not be taken for ours.
    argv = [sys.executable, "-P", "-m", "sbx.cli.local.child", *arguments]
    environment = {**own, "SBX_METRICS_PORT": str(metrics_port)}
    return Command(name, argv, logs / f"{name}.jsonl", environment, inherited, arguments)


def _place(logs: Path) -> str:
    """Return an id of this machine's data directory, in characters that Kafka allows in a member's name."""
    digest = hashlib.sha256(f"{socket.gethostname()}:{logs.resolve()}".encode()).hexdigest()
    return digest[:12]


def last_words(log: Path) -> str:
    """Return the text of the newest problem in a log; blank if there is none."""
    if not log.exists():
        return ""
    with log.open("rb") as opened:
        opened.seek(max(0, os.fstat(opened.fileno()).st_size - 16_384))
        lines = opened.read().decode("utf-8", "replace").splitlines()
    for line in reversed(lines):
        try:
            entry: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if entry.get("level") in ("error", "critical"):
            parts = [str(entry[key]) for key in ("event", "problem", "topics", "remedy") if entry.get(key)]
            cause = str(entry.get("exception", "")).strip().rpartition("\n")[2]
            return "; ".join([*parts, cause] if cause else parts)
    return ""


def _how(code: int) -> str:
    if code < 0:
        known = -code in set(signal.Signals)
        return f"killed by {signal.Signals(-code).name if known else f'signal {-code}'}"
    return f"exit code {code}"


def _close(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _limit(log: Path) -> None:
    """Rotate a log that has grown too large. It is copied, because its process keeps writing to it."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_suffix(".1.jsonl"))
        os.truncate(log, 0)
