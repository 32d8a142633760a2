"""An end that is raised where nobody can catch it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
_RAISES = """
import gc, sys
from sbx.cli import interrupt
interrupt.arm()
class Thing:
    def __del__(self):
        raise {error}
Thing()
gc.collect()
print("goes on", file=sys.stderr)
"""


def said(error: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _RAISES.format(error=error)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


def test_it_is_not_told_as_a_fault() -> None:
    assert said("interrupt.Ended") == "goes on\n"


def test_others_are() -> None:
    assert "ZeroDivisionError: by a test" in said("ZeroDivisionError('by a test')")


_WAITS_FOR_THE_BROWSER = """
import signal, socket, threading, time
from runtime.environment import Environment
from sbx.cli import browser, interrupt
interrupt.arm()
def kill():
    # The kernel may give a signal to any thread; the wait of the main thread goes on then.
    time.sleep(1)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
threading.Thread(target=kill, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as free:
    port = free.getsockname()[1]
try:
    browser.authorise(Environment.read({{"SBX_DATA_DIR": {directory!r}}}), "app", None, port, 600)
except interrupt.Ended:
    print("ended")
"""


def ends(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_a_signal_that_another_thread_was_given_ends_a_wait_for_the_browser(tmp_path: Path) -> None:
    assert ends(_WAITS_FOR_THE_BROWSER.format(directory=str(tmp_path))) == "ended\n"
