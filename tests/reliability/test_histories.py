"""Random histories of whole shops, held against a model of the books, and replayed: G1, G2, G3, G8, G11.

``SBX_HISTORY_SEED`` names the first seed, to play one again; ``make histories`` plays as many as one likes.
"""

import os
from pathlib import Path

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.histories import inject, judge_all, office_of, workers_of

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


async def test_histories_end_the_same_with_two_workers_of_each_stage(
    kafka: str, database_url: str, xero: FakeXeroServer, tmp_path: Path
) -> None:
    """Both of the deliver workers have accounts; Xero misbehaves."""
    with workers_of(kafka, database_url, xero, tmp_path, 2) as workers:
        inject(xero, _FIRST)
        verdicts = await judge_all(workers, range(_FIRST, _FIRST + 2))
    assert {verdict.seed: verdict.wrong for verdict in verdicts if verdict.wrong} == {}
    assert sum(verdict.ends["posted"] for verdict in verdicts) > 50
    assert len(workers.seen) == 2
