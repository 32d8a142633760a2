"""Run a stage or the page as a child of ``sbx up``: it shuts down cleanly when its parent ends, however that
ends.

``python -m sbx.cli.local.child STAGE`` or ``... child web SOCKET`` (the number of the inherited descriptor),
with a pipe as standard input whose other end only the parent holds. Works on every POSIX system and from any
thread, which the parent-death signal of Linux does not.
"""

import importlib
import os
import signal
import socket
import sys
import threading

from runtime.environment import Environment
from sbx.cli import interrupt
from streams import STAGES, run_stage

GRACE_SECONDS = 20.0
_NEEDED = (
    *("streams.stages", "streams.transform", "streams.deliver", "streams.project"),
    *("sources.worker", "runtime.logs", "sbx.web.server"),
)
_NEEDED_TO_NOTIFY = ("sbx.cli.notify", "sbx.notify.settings")


def _end_with_parent() -> None:
    # Not through sys.stdin: its lock, held by this thread, would make the interpreter's own end a crash.
    while os.read(0, 512):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Timer(GRACE_SECONDS, os._exit, [1]).start()


def preload(notifications: bool) -> None:
    """Import what these processes need, for those that are forked from this one."""
    for name in (*_NEEDED, *(_NEEDED_TO_NOTIFY if notifications else ())):
        importlib.import_module(name)


def main(what: str, descriptor: str = "") -> int:
    """Run the stage, the reader of SalesBinder, the page or the notifications; return its exit code."""
    interrupt.arm()
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    environment = Environment.read(os.environ)
    if what == "web":
        return _web(environment, socket.socket(fileno=int(descriptor)))
    if what == "notify":
        return _notify(environment)
    if what == "source":
        from sources.worker import run

        return run(environment)
    (stage,) = (name for name in STAGES if name == what)
    return run_stage(stage, environment)


def _notify(environment: Environment) -> int:
    from sbx.cli.notify import serve
    from sbx.notify.settings import NotifySettings

    serve(environment, NotifySettings.read(os.environ))
    return 0


def _web(environment: Environment, listening: socket.socket) -> int:
    # Imported here: the stages need none of it, and their memory counts.
    from runtime.logs import configure_logging
    from sbx.web.server import serve

    configure_logging(stage="web")
    serve(environment, listening)
    return 0


if __name__ == "__main__":
    try:
        code = main(*sys.argv[1:])
    except KeyboardInterrupt:
        code = interrupt.exit_code()
    sys.exit(code)
