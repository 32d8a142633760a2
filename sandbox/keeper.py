"""Runs one service and ends it when its owner ends, however that happens.

Started as a script of its own: ``python keeper.py SIGNAL GRACE USER COMMAND...``. Standard input is a pipe
whose other end only the owner holds. When that end closes (the owner said stop, crashed, or was killed with
SIGKILL) the service gets SIGNAL, and SIGKILL after GRACE seconds. A pipe works on every POSIX system and from
any thread, which Linux's parent-death signal does not: that one is tied to a thread and is lost at setuid. It
is set here too, after setuid, for the case that the keeper itself is killed.

Exit code: the service's, or 128 + signal. Standard library only, so that it starts in milliseconds.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _become(user: str) -> None:
    """Drop to ``uid:gid``; an empty text changes nothing."""
    if user:
        uid, gid = map(int, user.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def _spawn(command: list[str], user: str, stop_signal: int, keeper: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _become(user)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)
            if os.getppid() != keeper:
                os._exit(1)
        os.execv(command[0], command)
    except OSError as error:
        print(f"cannot run {command[0]}: {error}", file=sys.stderr, flush=True)
    os._exit(127)


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main(stop_signal: int, grace: float, user: str, command: list[str]) -> int:
    """Run ``command`` until it ends or standard input closes; return its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the pipe says when to stop
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pid = _spawn(command, user, stop_signal, os.getpid())
    watched = [0, woken]
    kill_at: float | None = None
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return _exit_code(status)
        left = None if kill_at is None else kill_at - time.monotonic()
        if left is not None and left <= 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            kill_at, left = None, None
        ready, _, _ = select.select(watched, [], [], left)
        if woken in ready:
            os.read(woken, 512)
        if 0 in ready and not os.read(0, 512):
            watched.remove(0)
            os.kill(pid, stop_signal)
            kill_at = time.monotonic() + grace


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:]))
