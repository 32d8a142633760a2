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
