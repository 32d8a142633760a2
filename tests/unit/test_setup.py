"""``requirements/install.py``: what ``make setup`` and ``make dev`` run before there is anything else."""

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "requirements" / "install.py"
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tried"
version = "1"
"""
BACKEND = """
import zipfile
def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "tried-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{wheel_directory}/{name}", "w") as wheel:
        wheel.writestr("tried-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tried\\nVersion: 1\\n")
        wheel.writestr("tried-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr("tried-1.dist-info/RECORD", "")
    return name
def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    import pathlib
    place = pathlib.Path(metadata_directory, "tried-1.dist-info")
    place.mkdir()
    (place / "METADATA").write_text("Metadata-Version: 2.1\\nName: tried\\nVersion: 1\\n")
    return place.name
"""
UV = """#!/bin/sh
echo "uv: $*"
exit {code}
"""


class Checkout:
    """A project without packages, its environment made once, and the script in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "requirements").mkdir(parents=True)
        shutil.copy(SCRIPT, root / "requirements")
        (root / "pyproject.toml").write_text(PROJECT)
        (root / "backend.py").write_text(BACKEND)
        self.require("")

    def require(self, text: str) -> None:
        """The packages that it needs to run."""
        (self.root / "requirements" / "runtime.txt").write_text(text)
        (self.root / "requirements" / "dev.txt").write_text(text)

    def set_up(self, kind: str = "runtime", uv: int | None = None, **variables: str) -> tuple[int, str]:
        """Exit code, and what it says; ``uv`` is the exit code of the one on the PATH, if there is one."""
        path = ["/usr/bin", "/bin"]
        if uv is not None:
            (self.root / "bin").mkdir(exist_ok=True)
            (self.root / "bin" / "uv").write_text(UV.format(code=uv))
            (self.root / "bin" / "uv").chmod(0o755)
            path.insert(0, str(self.root / "bin"))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
        done = subprocess.run(
            [sys.executable, self.root / "requirements" / "install.py", kind],
            env=kept | {"PATH": ":".join(path), "PIP_CONFIG_FILE": os.devnull} | variables,
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("checkout"))


def test_it_is_made_once_and_what_the_tests_need_comes_on_top(checkout: Checkout) -> None:
    code, told = checkout.set_up("runtime")
    assert (code, "creating .venv" in told, "requirements/runtime.txt" in told) == (0, True, True), told
    assert checkout.set_up("runtime") == (0, "")
    code, told = checkout.set_up("dev")
    assert (code, "creating .venv" in told, "requirements/dev.txt" in told) == (0, False, True), told
    assert checkout.set_up("dev") == checkout.set_up("runtime") == (0, "")


def test_uv_installs_where_the_machine_has_it(checkout: Checkout) -> None:
    checkout.require("# by uv\n")
    code, told = checkout.set_up(uv=0)
    assert code == 0
    assert "uv: pip install --python" in told and "--require-hashes" in told


def test_pip_takes_over_where_uv_fails(checkout: Checkout) -> None:
    checkout.require("# uv fails\n")
    code, told = checkout.set_up(uv=2)
    assert code == 0
    assert "uv failed, see above; trying pip" in told


def test_where_the_index_of_pip_does_not_answer_it_says_what_to_do(checkout: Checkout) -> None:
    """uv would ask another index: it reads nothing of pip's settings."""
    checkout.require(f"structlog==25.5.0 --hash=sha256:{'0' * 64}\n")
    code, told = checkout.set_up(uv=0, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert (code, "uv:" in told, "Traceback" in told) == (1, False, False), told
    assert "pip failed, see above. Is there a network" in told and "HTTPS_PROXY" in told


# What the disk does


@pytest.fixture
def script(tmp_path: Path) -> ModuleType:
    """The script as a module of a checkout that has no environment."""
    root = Checkout(tmp_path / "new").root
    spec = importlib.util.spec_from_file_location("install", root / "requirements" / "install.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_too_little_room_is_said_before_anything_is_fetched(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**8))
    assert script.main("runtime") == 1
    told = capsys.readouterr().err
    assert "has 100 MB left" in told and "Free some space" in told
    assert not script.ENVIRONMENT.exists()


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 1, "Free some space."),
        (PermissionError(errno.EACCES, "Permission denied"), 1, "Let this user write to"),
        (subprocess.CalledProcessError(1, ["ensurepip"]), 1, "Name another Python"),
        (KeyboardInterrupt(), 130, "Run make again"),
    ],
)
def test_what_goes_wrong_is_said_with_a_remedy(
    error: BaseException,
    code: int,
    says: str,
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("venv.create", raising(error))
    assert script.main("runtime") == code
    assert says in capsys.readouterr().err


def test_an_audit_that_could_look_nothing_up_fails() -> None:
    """What the index does not know is left out otherwise, with exit code 0, be it every package."""
    makefile = (SCRIPT.parents[1] / "Makefile").read_text(encoding="utf-8")
    (line,) = [line for line in makefile.splitlines() if line.startswith("\t$(BIN)/pip-audit ")]
    assert "--strict" in line.split()
