"""What is shipped."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_top_level_of_the_wheel_is_the_listed_packages(tmp_path: Path) -> None:
    built = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    listed = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    tops = {name.split("/")[0] for name in names}
    assert {name for name in tops if not name.endswith(".dist-info")} == set(listed)
    # modules find their statements, templates and settings beside them
    kept = {"sinks/ledger/store.sql", "contracts/py.typed", "connections/py.typed"}
    assert kept <= set(names)
    assert {name for name in names if name.startswith("tests/")} == set()


def test_the_linter_looks_at_what_is_shipped() -> None:
    listed = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert PROJECT["tool"]["importlinter"]["root_packages"] == listed
