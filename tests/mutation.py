"""Breaks one guarantee after the other in a copy of the tree, and sees the tests that stand for it turn red.

``python -m tests.mutation`` (``make mutation``) prints a table; exit 1 when a mutant survives, or when the
tests are red without any. Words as arguments choose mutants: ``python -m tests.mutation fence merge``.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[1]
_TESTS_FAILED = 1
"""pytest's exit code: they ran, and some failed. Any other is no answer."""


def mutate(tree: Path, mutant: Mutant) -> None:
    """Change the tree.

    Raises:
        ValueError: the code is no longer as the mutant knows it.
    """
    for file, text, other in mutant.changes:
        path = tree / file
        code = path.read_text(encoding="utf-8")
        if code.count(text) != 1:
            raise ValueError(f"{mutant.name}: {file} no longer holds this once, tests/mutants:\n{text}")
        path.write_text(code.replace(text, other), encoding="utf-8")


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the tree, with the folder ``shared`` beside it as beside the original."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as directory:
        tree = Path(directory) / "tree"
        ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "build")
        shutil.copytree(ROOT, tree, ignore=ignored)
        if (ROOT.parent / "shared").is_dir():
            (Path(directory) / "shared").symlink_to(ROOT.parent / "shared")
        yield tree


def run(tree: Path, tests: str) -> int:
    """pytest's exit code."""
    arguments = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests.split(" ", 2)]
    environ = os.environ | {"PYTHONPATH": str(tree)}
    return subprocess.run(arguments, cwd=tree, env=environ, capture_output=True, check=False).returncode


def verdict(mutant: Mutant) -> str:
    """``killed``, ``survived``, or what is wrong with the question."""
    with copied() as tree:
        if run(tree, mutant.tests) != 0:
            return "red without the mutant"
        mutate(tree, mutant)
        code = run(tree, mutant.tests)
    if code == _TESTS_FAILED:
        return "killed"
    return "survived" if code == 0 else f"pytest ended with {code}"


def main(words: Sequence[str]) -> int:
    """Try the mutants that these words name, all without any. Returns the exit code."""
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    table = Table(title="Mutants", box=None)
    for name in ("mutant", "breaks", "tests", "verdict", "seconds"):
        table.add_column(name, justify="right" if name == "seconds" else "left")
    verdicts = []
    for mutant in chosen:
        print(f"{mutant.name} …", file=sys.stderr, flush=True)
        started = time.monotonic()
        verdicts.append(verdict(mutant))
        took = f"{time.monotonic() - started:.0f}"
        table.add_row(mutant.name, mutant.guarantee, mutant.tests.replace("[", r"\["), verdicts[-1], took)
    Console(width=160).print(table)
    return 0 if verdicts and set(verdicts) == {"killed"} else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
