"""Random histories of whole shops, held against a model of the books, and replayed: G1, G2, G3, G8, G11.

``SBX_HISTORY_SEED`` names the first seed, to play one again; ``make histories`` plays as many as one likes.
"""

import os
from pathlib import Path

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.histories import inject, judge_all, office_of

pytestmark = pytest.mark.reliability

_FIRST = int(os.environ.get("SBX_HISTORY_SEED", "1"))


@pytest.mark.parametrize("faults", [False, True], ids=["plain", "faults"])
async def test_histories_end_as_the_model_says(
    faults: bool, database_url: str, xero: FakeXeroServer, tmp_path: Path
) -> None:
    with office_of(database_url, xero, tmp_path) as office:
        if faults:
            inject(xero, _FIRST)
        verdicts = await judge_all(office, range(_FIRST, _FIRST + (2 if faults else 4)))
    assert {verdict.seed: verdict.wrong for verdict in verdicts if verdict.wrong} == {}
    assert sum(verdict.ends["posted"] for verdict in verdicts) > 50
