"""The program refuses with codes of the catalogue only, and the catalogue holds no code that nobody uses."""

import ast
from collections.abc import Iterator
from pathlib import Path

from contracts.reasons import CATALOGUE

ROOT = Path(__file__).parents[3]
PACKAGES = (
    "contracts",
    "runtime",
    "mappers",
    "connections",
    "sinks",
    "log_projection",
    "sources",
    "streams",
    "sbx",
)
TAKE_A_CODE = {"Refused", "Fail", "Hold", "warning", "render", "cause_of", "_rule"}


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "reasons" not in path.parts:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def given(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and code of every call that takes a reason's code as its first argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TAKE_A_CODE and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def test_every_refusal_has_a_code_of_the_catalogue() -> None:
    calls = [(f"{path.name}:{line}", code) for path, tree in sources() for line, code in given(tree)]
    assert len(calls) > 100
    assert [(where, code) for where, code in calls if code not in CATALOGUE] == []


def test_every_code_of_the_catalogue_is_used() -> None:
    texts = {
        node.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    statements = "".join(
        path.read_text(encoding="utf-8") for p in PACKAGES for path in (ROOT / p).rglob("*.sql")
    )
    assert [code for code in CATALOGUE if code not in texts and f"'{code}'" not in statements] == []
