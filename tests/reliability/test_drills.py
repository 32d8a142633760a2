"""Backups restored at random moments of random histories: the books stay as they were, to the cent (G1, G2).

``SBX_DRILL_SEED`` names the first seed, to play one again; ``make drill`` plays as many as one likes.
"""

import os
from pathlib import Path

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.drills import CLOCK_RATE, judge

pytestmark = pytest.mark.reliability

_FIRST = int(os.environ.get("SBX_DRILL_SEED", "1"))


@pytest.mark.parametrize("seed", range(_FIRST, _FIRST + 4))
async def test_books_stay_as_they_were_at_random_moments(
    seed: int, database_url: str, xero: FakeXeroServer, tmp_path: Path
) -> None:
    xero.admin.set_clock(rate=CLOCK_RATE)
    xero.admin.limits(minute=1_000_000, day=1_000_000)
    assert await judge(database_url, xero, tmp_path, str(seed)) == []
