"""A stage as a child of ``sbx up``: ends in good order when its parent does, however that happened.

``python -m ops.child STAGE``, with a pipe as standard input whose other end only the parent holds. Works on
every POSIX system and from any thread, which the parent-death signal of Linux does not.
"""

import os
import signal
import sys
import threading

from connections.environment import Environment
from streams import STAGES, run_stage

GRACE_SECONDS = 20.0


def _end_with_parent() -> None:
    # Not through sys.stdin: its lock, held by this thread, would make the interpreter's own end a crash.
    while os.read(0, 512):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Timer(GRACE_SECONDS, os._exit, [1]).start()


def main(stage: str) -> int:
    """Run the stage; its exit code."""
    (known,) = (name for name in STAGES if name == stage)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    return run_stage(known, Environment.read(os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
