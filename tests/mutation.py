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
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
_TESTS_FAILED = 1
"""pytest's exit code: they ran, and some failed. Any other is no answer."""


@dataclass(frozen=True)
class Mutant:
    """A change of the code (file, text, other text) that breaks what ``guarantee`` promises."""

    name: str
    guarantee: str
    changes: tuple[tuple[str, str, str], ...]
    tests: str
    """pytest's arguments: what must turn red."""


_CRASHES = "tests/reliability/test_crash_points.py"

MUTANTS = (
    Mutant(
        "another request under the same key",
        "G2, G4",
        (
            (
                "sinks/recovery.py",
                '        target=intent["target"] or "",\n        headers=intent["headers"],\n',
                "",
            ),
            (
                "sinks/recovery.py",
                '_in_order(route, intent["query"])',
                'dict(sorted(intent["query"].items()))',
            ),
        ),
        "tests/integration/sinks/test_round_trips.py -k goes_out_again",
    ),
    Mutant(
        "call before intent",
        "G2, G4",
        (
            (
                "sinks/lane.py",
                "            await self._write_down(calls)\n        return calls\n",
                "            for call in calls:\n"
                "                if not call.route.reads:\n"
                "                    token = await self.session.token()\n"
                "                    await self.session.call(call.request, token, machine_seconds() + 10)\n"
                "            await self._write_down(calls)\n"
                "        return calls\n",
            ),
        ),
        f"{_CRASHES} -k test_delivering_process_dies[intent.before_commit",
    ),
    Mutant(
        "no fence",
        "G2",
        (
            (
                "sinks/ledger.py",
                "    if row is None:\n        raise LeaseLost(lease.account)\n",
                "    row = row or ('', lease.mark, False)\n",
            ),
        ),
        "tests/integration/sinks/test_fence.py",
    ),
    Mutant(
        "no send_by",
        "G2, G4",
        (("sinks/xero/client.py", "if self.cut or machine_seconds() >= self.send_by:", "if self.cut:"),),
        "tests/integration/xero_client/test_client.py -k send_by",
    ),
    Mutant(
        "ack before commit",
        "G1",
        (
            (
                "streams/app.py",
                "                await _handle(stage.handle, records)\n",
                "                later = lambda r=[*records]: asyncio.create_task(_handle(stage.handle, r))\n"
                "                asyncio.get_running_loop().call_later(2.0, later)\n",
            ),
        ),
        f"{_CRASHES} -k test_stages_die[kafka.before_send+intake.before_commit",
    ),
    Mutant(
        "key without a window",
        "G4",
        (("sinks/flight.py", "KEY_LIFE = 240.0", "KEY_LIFE = 24000000.0"),),
        "tests/reliability/test_bills.py -k looked_up",
    ),
    Mutant(
        "merge across a payment",
        "G3",
        (("sinks/lane.py", "takewhile(_may_merge,", "filter(_may_merge,"),),
        "tests/integration/sinks/test_order.py -k payment_between",
    ),
    Mutant(
        "adopt by number alone",
        "G2, G4",
        (
            (
                "sinks/planner/invoices.py",
                'return [i for i in _sales(s) if i.get("Url") == url and',
                "return [i for i in _sales(s) if",
            ),
            (
                "sinks/planner/invoices.py",
                'if invoice.get("Status") not in GONE and not is_as_sent(s, invoice, resolved):',
                'if url == "":',
            ),
        ),
        "tests/integration/sinks/test_invoices.py -k somebody_elses",
    ),
    Mutant(
        "adopt by mark alone",
        "G2, G4",
        (
            (
                "sinks/planner/payments.py",
                "equal = [p for p in live if _is(p, payment, s)]",
                "equal = live",
            ),
        ),
        "tests/unit/planner/test_lost_payments.py",
    ),
)


def mutate(tree: Path, mutant: Mutant) -> None:
    """Change the tree.

    Raises:
        ValueError: the code is no longer as the mutant knows it.
    """
    for file, text, other in mutant.changes:
        path = tree / file
        code = path.read_text(encoding="utf-8")
        if code.count(text) != 1:
            raise ValueError(f"{mutant.name}: {file} no longer holds this once, tests/mutation.py:\n{text}")
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
