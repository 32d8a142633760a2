"""``sbx up`` in an empty data directory, once everything is downloaded, until all stages work."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, at_most
from bench.processes import own_environ
from sandbox import EmbeddedStack


def run() -> list[Figure]:
    """Measure seconds until ``ready``, beside Kafka and PostgreSQL alone."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        began = time.monotonic()
        with EmbeddedStack(Path(directory) / "alone"):
            alone = time.monotonic() - began
        whole = _up(Path(directory) / "whole")
    return [
        Figure(
            what="sbx up until ready",
            value=whole,
            unit="s",
            base="Kafka and PostgreSQL alone",
            base_value=alone,
            goal=at_most(15),
        )
    ]


def _up(data_dir: Path) -> float:
    sbx = Path(sys.executable).with_name("sbx")
    began = time.monotonic()
    with subprocess.Popen(
        [sbx, "up", "--json"],
        env=own_environ() | {"SBX_DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        seconds = time.monotonic() - began
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    if not line:
        raise RuntimeError(f"sbx up ended before it was ready:\n{said}")
    return seconds
