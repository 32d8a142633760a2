"""Processes that are measured: the product's stages as separate processes, with the time and memory that they
use.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psutil

from sandbox.keeper import PR_SET_PDEATHSIG

_ROOT = Path(__file__).resolve().parents[1]
_START_SECONDS = 60.0
_END_SECONDS = 20.0
_SLICE_SECONDS = 0.02
_libc = ctypes.CDLL(None)


class Ended(Exception):
    """A process that should run has ended, or does not begin; the text has the end of its log."""


class StageProcess:
    """One ``python -m streams STAGE``. It ends with this process, even if that is killed.

    Args:
        name: of its log, where there are several of a stage.
        command: another one, after the interpreter.
    """

    def __init__(
        self,
        stage: str,
        environ: Mapping[str, str],
        directory: Path,
        name: str = "",
        command: Sequence[str] = (),
    ) -> None:
        self.stage = stage
        self._log = directory / f"{name or stage}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *(command or ("-m", "streams", stage))],
                cwd=_ROOT,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        self._seen = psutil.Process(self._process.pid)

    def wait_until_ready(self, seconds: float = _START_SECONDS) -> None:
        """Wait until it says that it is ready. Raises Ended."""
        give_up = time.monotonic() + seconds
        while '"event": "ready"' not in self._log.read_text():
            self.check()
            if time.monotonic() > give_up:
                raise self._ended("did not begin")
            time.sleep(0.05)

    def check(self) -> None:
        """Raise Ended if it no longer runs."""
        if self._process.poll() is not None:
            raise self._ended(f"ended with exit code {self._process.returncode}")

    def _ended(self, what: str) -> Ended:
        return Ended(f"{self.stage} {what}:\n" + "\n".join(self._log.read_text().splitlines()[-10:]))

    def freeze(self) -> None:
        """Let it do nothing while messages are laid out; for less than its session with the broker lasts."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End of ``freeze``."""
        self._process.send_signal(signal.SIGCONT)

    def cpu(self) -> float:
        """Return the seconds of processor time it has used so far."""
        return _cpu(self._seen)

    def has_only(self, share: float) -> "Slice":
        """Return a context in which it has only this share of one processor."""
        return Slice(self, share)

    def memory(self) -> float:
        """Return the resident memory in MB."""
        return self._seen.memory_info().rss / 1e6

    def kill(self) -> None:
        """End it as a power cut does."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it, and wait for that."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
        end(self._process)


class Slice:
    """Lets a process stand still whenever it has used more than its share of a processor."""

    def __init__(self, process: StageProcess, share: float) -> None:
        self._process = process
        self._share = share
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._hold_back, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        self._process.go_on()

    def _hold_back(self) -> None:
        began, used = time.monotonic(), self._process.cpu()
        while not self._end.wait(_SLICE_SECONDS):
            left = (time.monotonic() - began) * self._share - (self._process.cpu() - used)
            if left < 0.0:
                self._process.freeze()
                self._end.wait(-left / self._share)
                self._process.go_on()


def end(process: "subprocess.Popen[Any]") -> None:
    """End a process, by force if it does not end by itself in 20 seconds."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_with_parent() -> None:
    """Have the process that is about to run ended when this one ends, in whichever way; on Linux alone."""
    if sys.platform == "linux":
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def services_cpu() -> dict[str, float]:
    """Return the seconds of processor time by service that we have started: kafka, postgres, xero (the
    fake).
    """
    used = {"kafka": 0.0, "postgres": 0.0, "xero": 0.0}
    for process in _alive(psutil.Process().children(recursive=True)):
        name = _service(process)
        if name:
            used[name] += _cpu(process)
    return used


def _service(process: psutil.Process) -> str:
    try:
        words = process.cmdline()
    except psutil.Error:
        return ""
    if not words:
        return ""
    if "kafka.Kafka" in words:
        return "kafka" if "java" in Path(words[0]).name else ""
    if Path(words[0]).name.startswith("postgres"):
        return "postgres"
    return "xero" if "sandbox.fake_xero" in words else ""


def _alive(processes: Iterable[psutil.Process]) -> Iterable[psutil.Process]:
    return (process for process in processes if process.is_running())


def _cpu(process: psutil.Process, waited_for: bool = False) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:  # a server's helper that has just ended
        return 0.0
    ended = times.children_user + times.children_system if waited_for else 0.0
    return float(times.user + times.system + ended)


def tree_cpu(process: psutil.Process) -> float:
    """Return the seconds of processor time of a process, its descendants, and those that they waited for."""
    return sum(_cpu(one, waited_for=True) for one in _alive([process, *process.children(recursive=True)]))


def own_environ() -> dict[str, str]:
    """Return the environment without the product's variables, which a benchmark sets itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SBX_")}
