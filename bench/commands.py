"""Processor time of help, which loads no command's work, beside what loading typer takes."""

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.figures import Figure, times_base

_ROUNDS = 9
_TYPER = (sys.executable, "-c", "import typer")
_HELP = (("--help",), ("log", "--help"), ("settings", "set", "--help"))


def run() -> list[Figure]:
    """Return milliseconds of processor time, user and system: the median of runs that alternate with the
    base's.
    """
    sbx = str(Path(sys.executable).with_name("sbx"))
    commands: list[Sequence[str]] = [_TYPER, *((sbx, *words) for words in _HELP)]
    for command in commands:
        _milliseconds(command)  # the first one compiles
    rounds = [[_milliseconds(command) for command in commands] for _ in range(_ROUNDS)]
    base, *helps = (statistics.median(measured) for measured in zip(*rounds, strict=True))
    return [
        Figure(
            what=f"sbx {' '.join(words)}",
            value=value,
            unit="ms",
            base='python -c "import typer"',
            base_value=base,
            goal=times_base(2),
        )
        for words, value in zip(_HELP, helps, strict=True)
    ]


def _milliseconds(command: Sequence[str]) -> float:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return (used.ru_utime + used.ru_stime) * 1000
