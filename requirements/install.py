"""Make the virtual environment in ``.venv``: ``python requirements/install.py runtime`` or ``dev``.

``runtime`` is what the product needs, ``dev`` adds what its tests need. What is there already, for the same
requirements at the same place, is left as it is. Needs nothing but Python's standard library.
"""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
STAMP = ENVIRONMENT / ".stamp"
DOWNLOADS = {"runtime": "about 120 MB", "dev": "about 200 MB"}
ROOM_MB = {"runtime": 500, "dev": 900}
"""What the environment takes on the disk, with what is unpacked on the way."""


class SetupFailed(Exception):
    """``str()`` says what failed and what to do."""


def main(kind: str) -> int:
    """Install what ``kind`` names; the exit code of make's step."""
    try:
        set_up(kind)
    except SetupFailed as failure:
        say(str(failure))
        return 1
    except OSError as error:
        say(f"{error}. {remedy(error)} Then run make again: it goes on from there.")
        return 1
    except KeyboardInterrupt:
        say("interrupted. Run make again: it goes on from there.")
        return 130
    return 0


def set_up(kind: str) -> None:
    """Make the environment where there is none that can be used, and install what it lacks.

    Raises:
        SetupFailed: there is too little room, or a program that it takes has failed.
        OSError: the files cannot be written.
    """
    wanted = {name: fingerprint(name) for name in ("runtime", "dev")}
    installed = stamp() if usable() else None
    if installed is not None and installed.get(kind) == wanted[kind]:
        return
    if installed is None:
        create(kind)
    STAMP.unlink(missing_ok=True)
    say(f"installing the packages of requirements/{kind}.txt ({DOWNLOADS[kind]})")
    install(kind)
    # What the tests need includes what the product needs.
    STAMP.write_text(json.dumps(wanted if kind == "dev" else {"runtime": wanted["runtime"]}))
    say("done. .venv/bin/sbx --help shows what there is; make demo runs it all.")


def fingerprint(kind: str) -> str:
    """Return a digest of the requirements, of the project file, and of this place: scripts name it."""
    files = (ROOT / "requirements" / f"{kind}.txt", ROOT / "pyproject.toml")
    return hashlib.sha256(b"".join(f.read_bytes() for f in files) + os.fsencode(ROOT)).hexdigest()


def stamp() -> dict[str, str]:
    """Return what is installed, by kind; empty when that is not known."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def usable() -> bool:
    """Return True when the environment runs this Python and was made at this place."""
    pip = ENVIRONMENT / "bin" / "pip"
    if not PYTHON.exists() or not pip.exists() or str(ENVIRONMENT) not in pip.read_text(errors="replace"):
        return False
    asked = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() == str(sys.version_info[:2])


def check_room(kind: str) -> None:
    """Refuse to begin what would fail after minutes.

    Raises:
        SetupFailed: the disk has too little room.
    """
    free = shutil.disk_usage(ROOT).free // 1_000_000
    if free < ROOM_MB[kind]:
        raise SetupFailed(
            f"the disk of {ROOT} has {free} MB left, and {ROOM_MB[kind]} MB are needed. Free some space, or "
            "clone the repository to another disk. Then run make again."
        )


def create(kind: str) -> None:
    """Make an empty environment.

    Raises:
        SetupFailed: there is too little room, or Python cannot put pip into it.
    """
    if not ENVIRONMENT.exists():
        check_room(kind)
    say(f"creating .venv with Python {sys.version.split()[0]} ({sys.executable})")
    try:
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
    except subprocess.CalledProcessError as error:
        raise SetupFailed(
            f"{sys.executable} could not put pip into .venv: {error}. Name another Python, as in: make setup "
            "PYTHON=/path/to/python3.13"
        ) from error


def install(kind: str) -> None:
    """Install the packages, by uv where the machine has it, and the product itself.

    Raises:
        SetupFailed: they cannot be installed.
    """
    requirements = ["--require-hashes", "-r", str(ROOT / "requirements" / f"{kind}.txt")]
    uv = usable_uv()
    by_uv = uv is not None and run([uv, "pip", "install", "--python", str(PYTHON), *requirements])
    if uv is not None and not by_uv:
        say("uv failed, see above; trying pip")
    own = [*pip("install"), "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    if not (by_uv or run([*pip("install"), *requirements])) or not run(own):
        raise SetupFailed(
            "pip failed, see above. Is there a network, and room on the disk? (A proxy is named by\n"
            "  HTTPS_PROXY, a certificate by PIP_CERT, a mirror by PIP_INDEX_URL.) Then run make again: it\n"
            "  goes on from there."
        )


def usable_uv() -> str | None:
    """Return uv's path; None where there is no uv, or where only pip is told which index to use."""
    uv = shutil.which("uv")
    if uv is None or any(name.startswith("UV_") and "INDEX" in name for name in os.environ):
        return uv
    told = subprocess.run([*pip("config"), "list"], capture_output=True, text=True, check=False).stdout
    return None if "index" in told else uv


def pip(command: str) -> list[str]:
    """Return pip's command line for a command, without questions."""
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", command]


def run(command: list[str]) -> bool:
    """Run a command, whose output goes to standard error; return True when it succeeded."""
    try:
        return subprocess.run(command, stdout=sys.stderr, cwd=ROOT, check=False).returncode == 0
    except OSError as error:
        say(f"{command[0]} cannot be run: {error}")
        return False


def remedy(error: OSError) -> str:
    """Return what to do about an error of the file system."""
    if error.errno == errno.ENOSPC:
        return "Free some space."
    return f"Let this user write to {ROOT}."


def say(text: str) -> None:
    """Tell a person."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
