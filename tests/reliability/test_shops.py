"""A few random shops through the whole installation; ``make shops`` tries all of them."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.reliability, pytest.mark.long]


def test_shops_are_in_xero_whatever_goes_wrong(tmp_path: Path) -> None:
    strikes = ["--faults", "--kills", "--outages"]
    options = ["--rows", "0-2", "--changes", "60", *strikes, "--keep", str(tmp_path)]
    played = subprocess.run(
        [sys.executable, "-m", "tests.reliability.shops", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr[-3000:]
