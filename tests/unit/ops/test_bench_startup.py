"""The benchmark of the start ends, whatever the command does that it measures."""

import os
import sys
import time

import psutil
import pytest

from bench.startup import NotReady, until_ready

_READY = "import sys, time; print('ready', file=sys.stderr, flush=True); time.sleep(600)"


def started(code: str, *, ready_within: float = 60, ended_within: float = 60) -> float:
    command = [sys.executable, "-c", code]
    return until_ready(command, os.environ, ready_within, ended_within).seconds


def test_what_a_command_says_meanwhile_fits_somewhere() -> None:
    """More than a pipe holds."""
    assert started(f"import sys; sys.stderr.write('step\\n' * 100_000); {_READY}") > 0


def test_a_command_that_ignores_ctrl_c_is_ended() -> None:
    """As one does that a shell has started in the background."""
    assert started(f"import signal; signal.signal(2, signal.SIG_IGN); {_READY}") > 0


def test_processor_time_counts_children_that_run_and_that_have_ended() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    code = (
        "import subprocess, sys\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        f"subprocess.Popen([sys.executable, '-c', {burn!r} + 'print(1, flush=True); time.sleep(5)'],"
        " stdout=subprocess.PIPE).stdout.readline()\n"
        f"{_READY}"
    )
    start = until_ready([sys.executable, "-c", code], os.environ, 60, 60)
    assert 0.6 <= start.cpu < 2.0


@pytest.mark.parametrize(
    ("code", "ready_within", "why"),
    [
        (
            "import sys, time; print('stuck', file=sys.stderr, flush=True); time.sleep(600)",
            5,
            "not ready within 5",
        ),
        ("import sys; sys.exit('stuck')", 60, r"ended before it was ready \(exit code 1\)"),
        (
            "import signal, sys; signal.signal(15, signal.SIG_IGN); print('stuck', file=sys.stderr);"
            + _READY,
            60,
            "timed out after 1 seconds",
        ),
    ],
    ids=["never-ready", "ends", "never-ends"],
)
def test_one_that_does_not_start_or_end_is_an_error_with_its_words(
    code: str, ready_within: float, why: str
) -> None:
    began = time.monotonic()
    with pytest.raises(NotReady, match=rf"(?s){why}.*stuck"):
        started(code, ready_within=ready_within, ended_within=1)
    assert time.monotonic() - began < 60
    assert not [one for one in psutil.Process().children() if code in one.cmdline()]
