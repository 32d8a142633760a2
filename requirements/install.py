"""Make the virtual environment in ``.venv``: ``python requirements/install.py runtime`` or ``dev``.

``runtime`` is what the product needs, ``dev`` adds what its tests need. What is there already, for the same
requirements at the same place, is left as it is. Needs nothing but Python's standard library.
"""

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
SIZES = {"runtime": "about 120 MB", "dev": "about 200 MB"}
TROUBLE = """\
setup: {program} failed, see above. Is there a network, and room on the disk? (A proxy is named by
  HTTPS_PROXY, a certificate by PIP_CERT.) Then run make setup again: it goes on from there."""


def main(kind: str) -> int:
    """Install what ``kind`` names; the exit code of make's step."""
    wanted = {name: fingerprint(name) for name in ("runtime", "dev")}
    installed = stamp()
    if not usable():
        say(f"creating .venv with Python {sys.version.split()[0]} ({sys.executable})")
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        installed = {}
    if installed.get(kind) == wanted[kind]:
        return 0
    STAMP.unlink(missing_ok=True)
    say(f"installing the packages of requirements/{kind}.txt ({SIZES[kind]})")
    program = install(kind)
    if program:
        print(TROUBLE.format(program=program), file=sys.stderr)
        return 1
    # What the tests need includes what the product needs.
    STAMP.write_text(json.dumps(wanted if kind == "dev" else {"runtime": wanted["runtime"]}))
    say("done. .venv/bin/sbx --help shows what there is; make demo runs it all.")
    return 0


def fingerprint(kind: str) -> str:
    """A digest of the requirements, of the project file, and of this place: scripts name it."""
    files = (ROOT / "requirements" / f"{kind}.txt", ROOT / "pyproject.toml")
    return hashlib.sha256(b"".join(f.read_bytes() for f in files) + os.fsencode(ROOT)).hexdigest()


def stamp() -> dict[str, str]:
    """What is installed, by kind; empty when that is not known."""
    try:
        found = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def usable() -> bool:
    """True when the environment runs this Python and was made at this place."""
    pip = ENVIRONMENT / "bin" / "pip"
    if not PYTHON.exists() or not pip.exists() or str(ENVIRONMENT) not in pip.read_text(errors="replace"):
        return False
    asked = subprocess.run(
        [PYTHON, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() == str(sys.version_info[:2])


def install(kind: str) -> str:
    """Install the packages and the product itself; the program that failed, or nothing."""
    requirements = ["--require-hashes", "-r", str(ROOT / "requirements" / f"{kind}.txt")]
    uv = shutil.which("uv")
    by_uv = uv is not None and run([uv, "pip", "install", "--python", str(PYTHON), *requirements])
    if not by_uv and not run([*pip("install"), *requirements]):
        return "pip"
    own = [*pip("install"), "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    return "" if run(own) else "pip"


def pip(command: str) -> list[str]:
    """Its command line, without questions."""
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "--no-input", command]


def run(command: list[str]) -> bool:
    """Run a command, whose output goes to standard error; True when it succeeded."""
    return subprocess.run(command, stdout=sys.stderr, cwd=ROOT, check=False).returncode == 0


def say(text: str) -> None:
    """Tell a person."""
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
