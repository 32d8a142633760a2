"""Random pairs of crash points, by seed.

``python -m tests.reliability.random_crashes --pairs 200 --seed 1`` (``make crash``) tries 200 pairs from that
seed on; the suite itself tries a few (``test_crash_points.py``). A pair that fails is named by its seed, and
``--pairs 1 --seed N`` tries it again.
"""

import argparse
import os
import random
import sys
from pathlib import Path

import pytest

from runtime.crash_points import CRASH_POINTS

VARIABLE = "SBX_TEST_CRASH_SEEDS"
"""``first-last`` of the seeds to try."""
_IN_SUITE = "1-3"
_EVERY_RUN = tuple(
    point
    for point in CRASH_POINTS
    if point.partition(".")[0] in ("plan", "intent", "http", "landing", "outbox", "token", "facts", "lease")
)
"""Points that a delivering process passes in any history."""
_AGAIN = (*_EVERY_RUN, *(p for p in CRASH_POINTS if p.partition(".")[0] in ("resend", "recovery")))
_PASSINGS = {"plan": 2, "intent": 4, "http": 10, "landing": 8, "outbox": 2}
"""How often the history passes these for certain, however its calls fall together."""


def seeds() -> range:
    """The seeds that the environment names."""
    first, _, last = os.environ.get(VARIABLE, _IN_SUITE).partition("-")
    return range(int(first), int(last) + 1)


def pair_of(seed: int) -> tuple[str, str]:
    """Where the first worker dies for certain, and where the second one dies if it comes there."""
    chance = random.Random(seed)
    first, second = chance.choice(_EVERY_RUN), chance.choice(_AGAIN)
    return tuple(
        f"{point}:{chance.randint(1, _PASSINGS.get(point.partition('.')[0], 1))}" for point in (first, second)
    )  # type: ignore[return-value]


def main() -> int:
    """Run the tests of the pairs; pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.random_crashes")
    parser.add_argument("--pairs", type=int, default=50, help="how many (50)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    asked = parser.parse_args()
    os.environ[VARIABLE] = f"{asked.seed}-{asked.seed + asked.pairs - 1}"
    tests = Path(__file__).with_name("test_crash_points.py")
    return int(pytest.main([f"{tests}::test_random_pair", "-q"]))


if __name__ == "__main__":
    sys.exit(main())
