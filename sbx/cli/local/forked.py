"""The first processes of ``sbx up``: forked from it once it has imported what they need, and held until the
services are there.

Five interpreters that each import the same take several times the processor time of one. Held, they begin in
the moment in which the services answer. Otherwise they are what ``python -m sbx.cli.local.child`` starts, and
the supervisor starts that when one of them ends.
"""

import atexit
import contextlib
import ctypes
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NoReturn

from sbx.cli import interrupt

_LOOK_EVERY = 0.01
_THREADS_END_SECONDS = 0.5
_PR_SET_NAME = 15  # linux/prctl.h


class Forked:
    """A child process that was forked, with the part of ``subprocess.Popen`` that a supervisor needs."""

    def __init__(self, pid: int, stdin: IO[bytes]) -> None:
        self.pid = pid
        self.stdin = stdin
        self.returncode: int | None = None
        self._waiting = threading.Lock()

    def poll(self) -> int | None:
        """Return its exit code (minus the signal that killed it); None while it runs."""
        with self._waiting:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; return its exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        until = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (code := self.poll()) is None:
            if time.monotonic() >= until:
                raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
            time.sleep(_LOOK_EVERY)
        return code

    def terminate(self) -> None:
        """Send it SIGTERM, if it runs."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL, if it runs. Safe to call from a signal handler."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def release(self, environ: Mapping[str, str]) -> None:
        """Let it begin, with these variables in place of ours."""
        with contextlib.suppress(BrokenPipeError):  # it has ended; its supervisor sees to it
            self.stdin.write(json.dumps(dict(environ)).encode() + b"\n")


def possible() -> bool:
    """Return True where a process may be forked: Linux, and no thread of ours that may hold a lock. One that
    is just ending is waited for.
    """
    until = time.monotonic() + _THREADS_END_SECONDS
    while threading.active_count() > 1 and time.monotonic() < until:
        time.sleep(_LOOK_EVERY)
    return sys.platform == "linux" and threading.active_count() == 1


@contextmanager
def no_signals() -> Iterator[None]:
    """Let signals that end us wait for the end of the block: no new process gets one while it still has our
    handlers and our work to undo, and we know each that we have forked.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, interrupt.ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def fork(argv: Sequence[str], run: Callable[[], int], log: Path, inherited: Collection[int]) -> Forked:
    """Fork a process that waits for its variables, then runs ``run`` and ends with its exit code; within
    ``no_signals``.

    Args:
        argv: the command line that it shows from then on.
        log: receives its standard output and error.
        inherited: descriptors that it keeps.

    Raises:
        OSError: the system refuses it.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab") as opened, ExitStack() as on_error:
        reader, writer = os.pipe()
        on_error.callback(os.close, writer)
        try:
            pid = os.fork()
            if pid == 0:
                _be(argv, run, opened.fileno(), reader, inherited)
        finally:
            os.close(reader)
        on_error.pop_all()
    return Forked(pid, os.fdopen(writer, "wb", buffering=0))


@contextmanager
def ended_unless_released(held: Mapping[str, Forked]) -> Iterator[None]:
    """End those that were not released when the block ends; the others have somebody who looks after them."""
    try:
        yield
    finally:
        for process in held.values():
            process.stdin.close()  # one that is still held ends of that
        for process in held.values():
            process.kill()
            process.wait()


def _be(
    argv: Sequence[str],
    run: Callable[[], int],
    log: int,
    reader: int,
    inherited: Collection[int],
) -> NoReturn:
    """Become the new process. Never returns: nothing of what waits up the stack is its to do."""
    code = 1
    try:
        os.setsid()
        _take_over(log, reader, inherited)
        logging.getLogger("kafka").setLevel(logging.NOTSET)  # silent in commands only
        interrupt.arm()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, interrupt.ENDING)
        gc.enable()
        environ = _told()
        if environ is not None:
            os.environ.clear()
            os.environ.update(environ)
            _show(argv)
            code = run()
        else:
            code = 0
    except KeyboardInterrupt:
        code = interrupt.exit_code()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    finally:
        _end(code)


def _take_over(log: int, reader: int, inherited: Collection[int]) -> None:
    """Give it its own standard descriptors, and nobody else's: a pipe says that we have ended only once
    nobody else holds its other end.
    """
    os.dup2(reader, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    least = 3
    for kept in sorted(inherited):
        os.closerange(least, kept)
        os.set_inheritable(kept, True)
        least = kept + 1
    os.closerange(least, os.sysconf("SC_OPEN_MAX"))


def _told() -> dict[str, str] | None:
    """Wait for the variables; None when the process that would send them has ended."""
    line = b""
    while not line.endswith(b"\n"):
        more = os.read(0, 65_536)
        if not more:
            return None
        line += more
    told: dict[str, str] = json.loads(line)
    return told


def _show(argv: Sequence[str]) -> None:
    """Show a command line as this process's own, in the place of the one that it has from us (``ps``).

    The system reads it where it has put it (proc(5), ``arg_start``), and on into the variables behind it, of
    which nobody needs the old ones any more. Blanks part the words: where the last byte of the old line is
    overwritten, it takes what it finds for one string.
    """
    with contextlib.suppress(OSError, ValueError, IndexError, AttributeError):
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        begin, end, rest, last = (int(fields[number - 3]) for number in (48, 49, 50, 51))
        text = b" ".join(os.fsencode(word) for word in argv) + b"\0"
        if begin and len(text) <= (last if rest == end else end) - begin:
            ctypes.memmove(begin, text.ljust(end - begin, b"\0"), max(len(text), end - begin))
            if len(text) < end - begin:
                ctypes.memset(end - 1, ord(" "), 1)
        ctypes.CDLL(None).prctl(_PR_SET_NAME, Path(argv[0]).name.encode()[:15], 0, 0, 0)


def _end(code: int) -> NoReturn:
    """End as an interpreter does, without the stack above us."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
