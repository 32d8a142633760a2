"""The disk of the data directory runs full amid the work: nothing is lost, nothing is done twice, the status
says it, and once there is room all of it goes on.
"""

import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.estate import Estate

pytestmark = [pytest.mark.reliability, pytest.mark.long]

_SALES = 40
_SIZE = "1g"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; only who may mount one can run this."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=0755", "tmpfs", str(tmp_path)]
    mount = subprocess.run(command, check=False, capture_output=True)
    if mount.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mount.stderr.decode().strip()}")
    yield tmp_path
    subprocess.run(["umount", "--lazy", tmp_path], check=True)


def test_the_disk_runs_full(small_disk: Path) -> None:
    with FakeXeroServer(subprocess=True) as xero:
        xero.admin.fault("latency", times=None, seconds=0.05)
        xero.admin.limits(minute=100_000, day=100_000)
        with Estate(small_disk, xero) as estate:
            estate.sell(2)
            estate.finish()
            estate.sell(_SALES)
            ballast = fill(small_disk)
            estate.wait("the status says so", lambda: estate.says("The disk of", "MB left"), 90)
            with pytest.raises(psycopg.OperationalError):  # out of room, or away for that
                estate.rows("CREATE TABLE more AS SELECT generate_series(1, 1000000)")
            ballast.unlink()
            estate.start_what_ended()
            estate.sell(_SALES)
            estate.finish(180)


def fill(disk: Path) -> Path:
    """A file that leaves no room."""
    ballast = disk / "ballast"
    piece = bytes(1024 * 1024)
    with ballast.open("wb", buffering=0) as written:
        while True:
            try:
                written.write(piece)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                return ballast
