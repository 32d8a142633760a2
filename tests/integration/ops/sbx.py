"""`sbx` as people run it: a subprocess."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from sandbox.fake_xero.server import FakeXeroServer

SBX = Path(sys.executable).with_name("sbx")


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one line of JSON."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Sbx:
    """The command in an environment of its own."""

    environ: Mapping[str, str]
    timeout: float = 300
    """Seconds that a command may take: many begin beside each other on a busy machine."""

    def __call__(self, *arguments: str, stdin: str = "", **more: str) -> Done:
        ended = subprocess.run(
            [str(SBX), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=self.timeout,
            env={**self.environ, **more},
            check=False,
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return Done(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command that stays."""
        return subprocess.Popen(
            [str(SBX), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(self.environ),
        )


def environ(data_dir: Path, **more: str) -> dict[str, str]:
    """Nothing of this machine's own configuration but where downloads are kept."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SBX_") or name == "SBX_CACHE_DIR"
    }
    return {**kept, "SBX_DATA_DIR": str(data_dir), "COLUMNS": "200", **more}


def wait_ready(up: "subprocess.Popen[str]") -> Any:
    """The object that `sbx up --json` prints once it is ready."""
    assert up.stdout is not None
    line = up.stdout.readline()  # ends with the process, too
    assert line, up.communicate(timeout=240)[1]
    return json.loads(line)


@dataclass(frozen=True)
class Stack:
    """A running `sbx up`."""

    sbx: Sbx
    xero: FakeXeroServer
    status: Any
    process: psutil.Process


def wait_until(true: Callable[[], object], seconds: float = 240) -> None:
    """Wait for something to become true."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.1)
