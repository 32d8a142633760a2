"""What the status says of the disk."""

from pathlib import Path

import pytest

from runtime.environment import Environment
from sbx.cli.status import gather


@pytest.mark.parametrize(("needed", "told"), [(0, False), (10**18, True)])
def test_little_room_is_a_problem(
    needed: int, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.paths.MIN_FREE_BYTES", needed)
    problems = gather(Environment(data_dir=tmp_path)).problems
    assert any(f"The disk of {tmp_path} has" in problem for problem in problems) == told
