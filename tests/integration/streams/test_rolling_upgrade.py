"""An upgrade while work goes on: workers of two versions side by side, over one migration.

The old version is the present program. The new one is a copy of it with one migration more.
"""

import shutil
import time
from pathlib import Path

from tests.integration.streams.conftest import ROOT, eventually
from tests.integration.streams.installation import Installation, errors

ADDS = "ALTER TABLE ledger.commands ADD COLUMN made_up text NOT NULL DEFAULT 'x';\n"
BREAKS = "-- breaks older versions\n" + ADDS
_PACKAGES = (
    "connections",
    "contracts",
    "runtime",
    "mappers",
    "sinks",
    "streams",
    "log_projection",
    "sandbox",
    "sbx",
)


def newer(directory: Path, migration: str) -> Path:
    """A copy of the program with one migration more."""
    tree = directory / "newer"
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "sinks" / "ledger" / "migrations" / "990_made_up.sql").write_text(migration)
    return tree


def test_over_a_migration_that_adds(installation: Installation, tmp_path: Path) -> None:
    """New workers started too early wait and say so; migrated under load; both versions work; old ones go."""
    tree = newer(tmp_path, ADDS)
    old = installation.start("transform", "deliver", "project")
    for process in old:
        process.wait_until_ready()
    installation.sell()
    new = installation.start("transform", "deliver", "project", tree=tree)
    eventually(lambda: "it lacks sinks/990_made_up.sql" in new[1].log, "the new version waits")
    installation.sell()
    installation.migrate(tree)
    installation.sell()
    installation.finish()
    for process in old:
        process.stop()
    installation.sell()
    installation.finish()
    assert "the database serves again" in new[1].log
    for process in old:
        assert "the database does not serve" not in process.log
    for process in (*old, *new):
        assert errors(process) == []
    for process in new:
        process.stop()


def test_over_a_migration_that_breaks_older_versions(installation: Installation, tmp_path: Path) -> None:
    """Old workers that run take in nothing more and say why; nothing is lost, and the new version goes on."""
    tree = newer(tmp_path, BREAKS)
    old = installation.start("transform", "deliver", "project")
    for process in old:
        process.wait_until_ready()
    installation.sell()
    installation.finish()
    installation.migrate(tree)
    installation.sell()
    for process in old[1:]:
        eventually(lambda p=process: "cannot work with sinks/990_made_up.sql" in p.log, "it waits")  # type: ignore[misc]
    before, log = installation.commands(), installation.log()
    time.sleep(3)
    assert (installation.commands(), installation.log()) == (before, log)
    for process in old:
        assert process.code() is None
        process.stop()
    new = installation.start("transform", "deliver", "project", tree=tree)
    installation.finish()
    for process in new:
        process.stop()
