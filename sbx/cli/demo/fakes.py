"""Where a demo runs: a directory of its own, a fake Xero and a fake SalesBinder, and nothing of real work."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from runtime.environment import Environment
from sbx.cli.errors import OperationFailed

CLOCK_RATE = 20
"""The fake Xero's minute lasts three seconds, as it does for the pipeline's own count: the demo is short."""


def environ(directory: Path, xero: str, more: Mapping[str, str]) -> dict[str, str]:
    """Drop everything configured for real work: the demo must not touch it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SBX_")}
    if "SBX_CACHE_DIR" in os.environ:
        kept["SBX_CACHE_DIR"] = os.environ["SBX_CACHE_DIR"]
    return {
        **kept,
        "SBX_DATA_DIR": str(directory),
        "SBX_XERO_API_URL": xero,
        "SBX_XERO_IDENTITY_URL": xero,
        "SBX_CLOCK_RATE": str(CLOCK_RATE),
        **more,
    }


@contextmanager
def own_directory() -> Iterator[Path]:
    """Yield a new directory each time, because the fakes forget everything when they exit."""
    parent = Environment.read(os.environ).data_dir if "SBX_DATA_DIR" in os.environ else None
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="sbx-demo-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def fake_xero(directory: Path) -> Iterator[str]:
    """Run a fake Xero; yield its address."""
    with _fake("Xero", "sandbox.fake_xero", ("--clock-rate", str(CLOCK_RATE)), directory) as url:
        yield url


@contextmanager
def fake_salesbinder(directory: Path) -> Iterator[str]:
    """Run a fake SalesBinder, by the real clock: its limits are kept as they are. Yields its address."""
    with _fake("SalesBinder", "sandbox.fake_salesbinder", (), directory) as url:
        yield url


@contextmanager
def _fake(name: str, module: str, options: Sequence[str], directory: Path) -> Iterator[str]:
    """Run a fake in a session of its own, so that Ctrl-C does not end it first; yield its address."""
    command = [sys.executable, "-P", "-m", module, "--print-url", "--exit-with-parent", *options]
    with (directory / f"fake-{name.lower()}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    with process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().decode().strip()
            if not url:
                raise OperationFailed(
                    f"the fake {name} did not start: exit code {process.wait()}", "run the demo again"
                )
            yield url
        finally:
            process.terminate()
