"""Start, watch and end one service, and find the leftovers of an earlier run."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from sandbox.errors import PortTaken, ServiceFailed

Progress = Callable[[str, float | None], None]
"""Called with the present step, and the share that is done (0 to 1) if it is known."""

LOG_BYTES = 8 * 1024 * 1024
_TRIES = 3
_ASK_EVERY = 0.02
_KEEPER = Path(__file__).with_name("keeper.py")


def environment() -> dict[str, str]:
    """Return the environment variables that services get: none of the product's (it has secrets), English
    texts, paths in UTF-8.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SBX_")}
    return kept | {"LC_ALL": "C.UTF-8"}


def no_progress(text: str, done: float | None) -> None:
    """Show no progress."""


class Preparation:
    """A program that runs once before its service does, beside whatever else goes on meanwhile.

    ``options`` are those of ``subprocess.Popen``.
    """

    def __init__(self, argv: list[str], cwd: Path, **options: Any) -> None:
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=environment(),
            **options,
        )

    def result(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and what it said."""
        said, _ = self._process.communicate()
        return self._process.returncode, said

    def stop(self) -> None:
        """Kill it, and wait for that; safe to call twice."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@dataclass(frozen=True)
class Command:
    """How one service is run.

    ``mark`` is an argument that only this service of this data directory has, by which it is found again.
    ``user`` is the (uid, gid) to run as.
    """

    name: str
    argv: list[str]
    log: Path
    stop_signal: signal.Signals
    mark: str
    cwd: Path
    user: tuple[int, int] | None = None
    grace: float = 10.0
    """Seconds from the stop signal to SIGKILL."""


class Service:
    """One running service and its keeper (see ``sandbox.keeper``)."""

    def __init__(self, command: Command) -> None:
        self._command = command
        # Beyond 8 MB the log starts over: nobody reads it unless a start fails.
        fresh = command.log.exists() and command.log.stat().st_size > LOG_BYTES
        with command.log.open("wb" if fresh else "ab") as log:
            self._log_start = log.tell()
            self._keeper = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_KEEPER)),
                    *(str(int(command.stop_signal)), str(command.grace)),
                    ":".join(map(str, command.user)) if command.user else "",
                    *command.argv,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.cwd,
                env=environment(),
                start_new_session=True,  # Ctrl-C in the terminal reaches the owner only
            )

    @property
    def running(self) -> bool:
        return self._keeper.poll() is None

    def wait_until(self, answers: Callable[[], bool], timeout: float) -> None:
        """Wait until ``answers()``; raises ServiceFailed when it ends first or after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not answers():
            if not self.running:
                raise self.failed(f"ended while it started (exit code {self._keeper.returncode})")
            if time.monotonic() > deadline:
                raise self.failed(f"did not answer within {timeout:g} seconds")
            time.sleep(_ASK_EVERY)

    def failed(self, what: str) -> ServiceFailed:
        """Return the error for ``what``, with the end of this run's log and a remedy."""
        text = self.log_text()
        tail = "\n".join(f"  | {line}" for line in text.splitlines()[-15:]) or "  | (empty)"
        kind = PortTaken if _port_is_taken(text) else ServiceFailed
        return kind(f"{self._command.name} {what}. {_remedy(text)}\nThe end of {self._command.log}:\n{tail}")

    def log_text(self) -> str:
        """Return the log of the service since it was started."""
        with self._command.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def stop(self) -> None:
        """End the service and wait for it; safe to call twice."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(self._command.grace + 5)
        except subprocess.TimeoutExpired:
            self._keeper.kill()  # the service follows by its parent-death signal
            self._keeper.wait()
            end_leftovers(self._command)


def _port_is_taken(log: str) -> bool:
    return "Address already in use" in log or "could not bind" in log


def _remedy(log: str) -> str:
    if "No space left on device" in log:
        return "The disk is full: free some space, or name a directory on another disk with SBX_DATA_DIR."
    if _port_is_taken(log):
        return "Its port was taken meanwhile: start again, and another one is chosen."
    if "OutOfMemoryError" in log or "Cannot allocate memory" in log:
        return "The machine is out of memory: about 400 MB must be free."
    return "Read the log below; if it says nothing, start again with another SBX_DATA_DIR."


def _is_service(process: psutil.Process, command: Command) -> bool:
    return command.mark in _arguments(process)


def end_leftovers(command: Command) -> bool:
    """End the leftovers of an earlier run of this service; return whether there were any.

    A keeper that is just ending its service is waited for; the rest gets the stop signal, then SIGKILL.
    """
    left = [process for process in psutil.process_iter() if _is_service(process, command)]
    for process in left:
        if str(_KEEPER) not in _arguments(process):
            _signal(process, command.stop_signal)
    _, alive = psutil.wait_procs(left, timeout=command.grace)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)
    return bool(left)


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # ended meanwhile, or somebody else's
        return []


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


class Ports:
    """The ports of a data directory: free ones at first, the same ones again as long as they are free.

    Clients of a data directory that is kept (bookmarks, a second terminal) find it at the same address.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def take(self, *names: str) -> dict[str, int]:
        """Return a port for each name, different from each other and free at this moment."""
        known = json.loads(self._file.read_text()) if self._file.exists() else {}
        held: list[socket.socket] = []
        try:
            for name in names:
                held.append(_bind(known.get(name, 0)))
            ports = {name: taken.getsockname()[1] for name, taken in zip(names, held, strict=True)}
        finally:
            for taken in held:
                taken.close()
        self._file.write_text(json.dumps(known | ports, indent=1) + "\n")
        return ports


def on_free_ports(start: Callable[[], None], stop: Callable[[], None]) -> None:
    """Start a service, which chooses its ports each time; once more if another program was faster.

    A port is free when it is chosen, and the service binds it a moment later, Kafka seconds later. Meanwhile
    any program may take it, and any connection that goes out: the system chooses both from one range.

    Raises ServiceFailed.
    """
    for _ in range(_TRIES - 1):
        try:
            return start()
        except PortTaken:
            stop()
    return start()


def _bind(port: int) -> socket.socket:
    taken = socket.socket()
    # As the servers do: a port whose last connections are in TIME_WAIT is free.
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(("127.0.0.1", port))
    except OSError:
        if port == 0:
            taken.close()
            raise
        taken.bind(("127.0.0.1", 0))
    return taken
