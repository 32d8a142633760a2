"""The words of code, pages and docs: what was replaced by the field's or plain English stays out."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ["contracts", "runtime", "connections", "mappers", "sources", "streams", "sinks", "log_projection",
            "sbx", "sandbox", "bench"]  # fmt: skip

# What must not be written, case aside, and what to write instead.
PHRASES = {
    r"\b(?:anew|afresh)\b": "again",
    r"\bwhoever\b": "anyone who, or a name for them",
    r"(?:[.;:(] ?|\b(?:of|for|from|with|by|and) )whatever (?:is|was|has|had|came|cannot)\b": "all that",
    r"\botherwise than\b": "differs from",
    r"\bwhat (?:became|came) of\b": "what happened to, the result of",
    r"\blets? us in\b": "accepts our access",
    r"\b(?:tables|errors?|faults?) of ours\b": "our tables, internal error, bug",
    r"\bsomebody must decide\b": "needs a decision",
    r"\blimit of the (?:minute|day)\b": "per-minute limit, daily limit",
    r"\bis no (?:JSON|CloudEvent|number|time|day|amount|text|array|object|topic|command|id)\b": "is not a",
    r"\bone (?:lane|row|entry|event|object|message|line|file|command|call) an? (?!time\b|single\b)\w": "per",
    r"\b(?:row|call|entry|event|object) an? (?:line|account|record|row|page|batch|entry)\b": "per",
    r"\bcontradict each other\b": "cannot be combined",
    r"\bhold on to\b": "rely on",
    r"\bin good order\b": "cleanly",
    r"\bput(?:s|ting)? it there\b|\bthan we put\b": "last synced",
}
# Names that the code had before; the glossary has those of today.
NAMES = {
    "Desk": "PlanningPass",
    "desk_lock": "state_lock",
    "Rush": "BurstGate",
    "Outlet": "Producer",
    "Glance": "EventHeader",
    "glance": "peek",
    "Flight": "CallSender",
    "NotTold": "NoUsableAnswer",
    "Overtaken": "ConcurrentChange",
    "salvage": "recover_identity",
    "buried": "to_dead_letter",
    "Remember": "Learn",
    "Estate": "Installation",
}


def texts() -> Iterator[tuple[str, int, str]]:
    """Yield file, line number and line of what people read: pages, docs, the code's strings and comments."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix == ".py":
                yield from _strings_and_comments(path)
            elif path.suffix in (".html", ".js", ".sql", ".md") and path.parent.name != "migrations":
                yield from _lines(path)
    for path in (*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md")), ROOT / "Makefile"):
        yield from _lines(path)


def _lines(path: Path) -> Iterator[tuple[str, int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield str(path.relative_to(ROOT)), number, line


def _strings_and_comments(path: Path) -> Iterator[tuple[str, int, str]]:
    wanted = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in wanted:
            for offset, line in enumerate(token.string.splitlines()):
                yield str(path.relative_to(ROOT)), token.start[0] + offset, line


def _names(path: Path) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


@pytest.fixture(scope="module")
def written() -> list[tuple[str, int, str]]:
    return list(texts())


def found(pattern: re.Pattern[str], written: list[tuple[str, int, str]]) -> list[str]:
    return [f"{path}:{number}: {line.strip()}" for path, number, line in written if pattern.search(line)]


@pytest.mark.parametrize(("pattern", "better"), PHRASES.items())
def test_a_phrase_that_was_replaced_stays_out(
    pattern: str, better: str, written: list[tuple[str, int, str]]
) -> None:
    assert found(re.compile(pattern, re.IGNORECASE), written) == [], f"better: {better}"


@pytest.mark.parametrize(("name", "better"), NAMES.items())
def test_a_name_that_was_replaced_stays_out(name: str, better: str) -> None:
    has_it = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if name in path.read_text(encoding="utf-8") and name in _names(path)
    ]
    assert has_it == [], f"better: {better}"
