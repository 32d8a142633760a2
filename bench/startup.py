"""``sbx up`` until all stages work, once everything is downloaded: in an empty data directory, and again."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.figures import Figure, at_most
from bench.processes import own_environ, tree_cpu
from sandbox import EmbeddedStack

_LOADED = "from sbx.cli.local import child, up; child.preload(notifications=True)"
_READY_WITHIN = 180.0
_ENDED_WITHIN = 90.0
"""Seconds. Workers get 20 to finish, Kafka 30."""


class NotReady(RuntimeError):
    """A command ended, or its time was over, before it was ready; or it did not end. Has what it said."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start. ``cpu`` is the processor time of the command and of all that it had started by then."""

    seconds: float
    cpu: float


def run() -> list[Figure]:
    """Measure seconds until ``ready``, beside Kafka and PostgreSQL alone."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        subprocess.run([sys.executable, "-c", _LOADED], env=_environ(), check=True)
        alone, alone_again = (_alone(Path(directory) / "alone") for _ in range(2))
        first, again = (_up(Path(directory) / "whole") for _ in range(2))
    base = "Kafka and PostgreSQL alone"
    return [
        Figure(
            what="sbx up until ready, empty directory",
            value=first.seconds,
            unit="s",
            base=base,
            base_value=alone,
            goal=at_most(15),
        ),
        Figure(what="its processor time", value=first.cpu, unit="s"),
        Figure(
            what="sbx up until ready, again",
            value=again.seconds,
            unit="s",
            base=base,
            base_value=alone_again,
            goal=at_most(4),
        ),
        Figure(what="its processor time", value=again.cpu, unit="s"),
    ]


def _alone(data_dir: Path) -> float:
    began = time.monotonic()
    with EmbeddedStack(data_dir):
        return time.monotonic() - began


def _up(data_dir: Path) -> Start:
    sbx = Path(sys.executable).with_name("sbx")
    return until_ready([str(sbx), "up"], _environ() | {"SBX_DATA_DIR": str(data_dir)})


def _environ() -> dict[str, str]:
    """Return the environment, with compiled modules kept, as they are where the product is installed."""
    return {name: value for name, value in own_environ().items() if name != "PYTHONDONTWRITEBYTECODE"}


def until_ready(
    command: Sequence[str],
    environ: Mapping[str, str],
    ready_within: float = _READY_WITHIN,
    ended_within: float = _ENDED_WITHIN,
) -> Start:
    """Run a command until it says ``ready`` on a line of its own, as ``sbx up`` does, and end it.

    Raises:
        NotReady: it ended before that, took longer, or did not end.
    """
    # A file, not a pipe: nobody reads a pipe while we wait, and a command that fills one waits for ever.
    with tempfile.NamedTemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said
        )
        try:
            while b"ready" not in Path(said.name).read_bytes().splitlines():
                if process.poll() is not None:
                    raise NotReady(f"it ended before it was ready (exit code {process.returncode})")
                if time.monotonic() - began > ready_within:
                    raise NotReady(f"it was not ready within {ready_within:g} s")
                time.sleep(0.01)
            start = Start(time.monotonic() - began, tree_cpu(psutil.Process(process.pid)))
            # Not SIGINT: what a shell has started in the background ignores it, and what that starts too.
            process.terminate()
            process.wait(ended_within)
        except (NotReady, subprocess.TimeoutExpired) as error:
            said.seek(0)
            raise NotReady(f"{error}:\n{said.read()[-4000:].decode(errors='replace')}") from error
        finally:
            process.kill()  # its services and workers end with it
            process.wait()
    return start
