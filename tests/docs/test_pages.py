"""README and docs name what there is, and nothing that is not there."""

import ast
import importlib
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer

from connections.settings import Settings
from contracts.events.reader import event_to_kafka
from contracts.reasons import CATALOGUE
from contracts.results import Outcome
from runtime.crash_points import CRASH_POINTS
from sandbox.fake_salesbinder.switches.__main__ import tables
from sbx.cli.command_line import app
from streams.topics import layout

ROOT = Path(__file__).parents[2]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in
         (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}  # fmt: skip
EVERYTHING = "\n".join(PAGES.values())
TOPICS = [topic.name for topic in layout()]
VIEWS = ("entries", "attempts", "steps", "issues", "unknown_refusals", "summary", "replays", "drift",
         "drift_readings", "lost_commands", "removed_unread")  # fmt: skip
TABLES = {"payment_accounts": "payment_account.{reference}"}


def in_code(text: str, page: str) -> bool:
    """True when ``page`` shows ``text`` as code, alone or at the beginning."""
    return re.search(rf"`\"?{re.escape(text)}\b", page) is not None


def test_a_rehearsal_sets_its_variables_before_the_commands_that_need_them() -> None:
    blocks = re.findall(r"```console\n(.*?)```", PAGES["README.md"].partition("To rehearse")[2], re.S)
    rehearsal = [block.splitlines() for block in blocks if "SBX_XERO_API_URL" in block or "$ sbx" in block]
    assert len(rehearsal) >= 2
    for lines in rehearsal:
        commands = [line for line in lines if line.startswith("$ sbx")]
        assert commands and lines.index(commands[0]) > 0 and "export SBX_XERO_API_URL" in lines[0], lines
    assert any("$ sbx up" in lines for lines in rehearsal)


# Tests that pages name


@cache
def named_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, functions))


def test_every_test_that_a_page_names_exists() -> None:
    named = set(re.findall(r"\b(tests/[\w/]+\.py)(?:::(\w+))?", EVERYTHING))
    assert len(named) > 80
    missing = [path for path, _ in named if not (ROOT / path).is_file()]
    assert missing == []
    assert [f"{path}::{name}" for path, name in named if name and name not in named_in(path)] == []


def test_every_row_of_the_table_has_a_test_or_says_that_it_is_not_built() -> None:
    rows = [line for line in PAGES["docs/contract-table.md"].splitlines() if line.startswith("| ")]
    bare = [row for row in rows if "::test_" not in row and "ot built" not in row and "shown by" not in row]
    assert len(rows) > 70
    assert bare == []


@pytest.mark.parametrize(("fake", "facts"), [("fake_xero", 77), ("fake_salesbinder", 52)])
def test_every_fact_about_the_faked_has_a_test(fake: str, facts: int) -> None:
    page = (ROOT / "sandbox" / fake / "FACTS.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|(.*)$", page, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, facts + 1))
    for number, row in rows:
        named = re.findall(r"`(test_\w+\.py)::(\w+)`", row)
        assert named, number
        assert [name for path, name in named if name not in named_in(f"tests/{fake}/{path}")] == []


def test_the_page_of_switches_has_the_tables_of_the_code() -> None:
    page = (ROOT / "sandbox" / "fake_salesbinder" / "SWITCHES.md").read_text(encoding="utf-8")
    assert page.endswith(tables()), "python -m sandbox.fake_salesbinder.switches prints the tables"


# Names that programs hold on to


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_described(name: str) -> None:
    assert in_code(TABLES.get(name, name).partition(".")[0], EVERYTHING)


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_reason_is_described(code: str) -> None:
    assert f"### `{code}`" in PAGES["docs/reasons.md"]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_is_described(topic: str) -> None:
    assert in_code(topic, PAGES["docs/topics.md"])


@pytest.mark.parametrize("outcome", Outcome.__args__)  # type: ignore[attr-defined]
def test_every_outcome_is_described(outcome: str) -> None:
    assert f"| `{outcome}` |" in PAGES["docs/log.md"]


def test_every_column_of_the_log_is_described(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'integrations_log' AND table_name = ANY(%s)",
            [list(VIEWS)],
        ).fetchall()
    sections = dict(
        re.findall(r"^## `integrations_log\.(\w+)`$(.*?)(?=^## |\Z)", PAGES["docs/log.md"], re.M | re.S)
    )
    assert {view for view, _ in rows} == set(sections) == set(VIEWS)
    assert [f"{view}.{column}" for view, column in rows if not in_code(column, sections[view])] == []


# Commands


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that can be run, by its words behind ``sbx``."""
    children = getattr(command, "commands", None)
    if not children:
        yield path, command
        return
    for name in children:
        yield from commands(command.get_command(None, name), (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_is_described(words: tuple[str, ...]) -> None:
    assert f"sbx {' '.join(words)}" in EVERYTHING


def shown_lines() -> Iterator[tuple[str, list[str]]]:
    """Commands that pages show: in blocks behind ``$``, and in the text as ``sbx …`` or ``make …``."""
    for page, text in PAGES.items():
        if page in ("docs/commands.md", "docs/reasons.md"):
            continue  # generated
        lines = re.findall(r"^\$ (.+)$", text, re.M) + re.findall(r"`((?:sbx|make) [^`]+)`", text)
        for line in lines:
            words = shlex.split(line, comments=True)
            tools = [i for i, word in enumerate(words) if word in ("sbx", "make")]
            if tools and tools[0] == 0:
                yield page, words


def known_command(words: list[str]) -> bool:
    """True for an existing command whose options exist, too."""
    for length in (2, 1):
        command = COMMANDS.get(tuple(words[1 : 1 + length]))
        if command is not None:
            names = {name for parameter in command.params for name in parameter.opts}
            return all(word.partition("=")[0] in names for word in words[2:] if word.startswith("--"))
    return len(words) == 2 and any(path[0] == words[1] for path in COMMANDS)  # a group


def test_every_command_that_is_shown_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    shown = list(shown_lines())
    assert {words[1] for _, words in shown if words[0] == "make"} <= targets
    used = [(page, words) for page, words in shown if words[0] == "sbx"]
    assert len(used) > 30
    assert [(page, " ".join(words)) for page, words in used if not known_command(words)] == []


def test_readme_begins_with_the_two_commands() -> None:
    first = re.search(r"```console\n(.*?)```", PAGES["README.md"], re.S)
    assert first is not None
    assert first[1] == "$ make demo\n$ make test\n"


# What pages point at


def test_links_lead_somewhere() -> None:
    broken = [
        f"{page}: {link}"
        for page, text in PAGES.items()
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
        if "://" not in link and not (ROOT / page).parent.joinpath(link).exists()
    ]
    assert broken == []


def test_anchors_are_headings() -> None:
    """As GitHub makes them: lower case, blanks as hyphens, other marks left out."""
    broken = [
        f"{page}: {link}"
        for page, text in PAGES.items()
        for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]*)\)", text)
        if "://" not in link and anchor not in _anchors(page, link)
    ]
    assert broken == []


def _anchors(page: str, link: str) -> set[str]:
    path = (ROOT / page).parent.joinpath(link) if link else ROOT / page
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_files_that_are_named_exist() -> None:
    named = set(
        re.findall(
            r"`((?:contracts|runtime|streams|mappers|sinks|connections|log_projection|sbx|sandbox)/[\w/.]+)`",
            EVERYTHING,
        )
    )
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_readme_names_every_folder() -> None:
    named = set(re.findall(r"^\| `(\w+)/` \|", PAGES["README.md"], re.M))
    present = {path.parent.name for path in ROOT.glob("*/__init__.py")} | {"tests"}
    assert named == present


def test_variables_that_are_named_are_read_somewhere() -> None:
    sources = [
        *ROOT.glob("*/*.py"),
        *ROOT.glob("sbx/**/*.py"),
        ROOT / "docker-compose.yml",
        ROOT / "tests" / "conftest.py",
    ]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"\bSBX_[A-Z_]+\b", EVERYTHING))
    assert len(named) > 10
    assert [name for name in named if name not in code] == []


def test_the_event_in_the_readme_is_taken() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", PAGES["README.md"], re.S)
    topic, key, _, _ = event_to_kafka(json.loads(shown))
    assert (topic, key) == ("salesbinder.invoices", b"acme/inv-1")


def test_settings_in_the_readme_are_taken() -> None:
    [line] = re.findall(r"^\$ sbx settings set acme (.+)$", PAGES["README.md"], re.M)
    rows = dict(change.split("=") for change in line.split())
    assert Settings.from_rows(rows, datetime.now(UTC)).payment_account == "090"


def test_numbers_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)\.(_?[A-Z_]+)` \| ([0-9.]+) \|", PAGES["docs/architecture.md"], re.M)
    assert len(rows) > 15
    for module, name, shown in rows:
        assert float(getattr(importlib.import_module(module), name)) == float(shown), f"{module}.{name}"


def test_figures_of_the_guarantees_are_those_of_the_code() -> None:
    page = PAGES["docs/guarantees.md"]
    [points] = re.findall(r"\| (\d+) named points,", page)
    assert int(points) == len(CRASH_POINTS)


def test_every_guarantee_names_its_tests_and_its_limits() -> None:
    sections = re.split(r"^## G(\d+) .+$", PAGES["docs/guarantees.md"], flags=re.M)[1:]
    assert [int(number) for number in sections[::2]] == list(range(1, 12))
    for text in sections[1::2]:
        parts = re.findall(r"^\*\*([\w ]+):\*\*", text, re.M)
        assert parts == ["Means", "How", "Shown by", "Not promised"]
        assert "::test_" in text


def test_every_word_of_the_glossary_is_in_the_code() -> None:
    words = re.findall(r"^\| ([a-z][a-z -]+) \|", PAGES["docs/glossary.md"], re.M)
    code = "\n".join(
        path.read_text(encoding="utf-8").casefold()
        for package in (
            "contracts",
            "runtime",
            "connections",
            "mappers",
            "sources",
            "streams",
            "sinks",
            "log_projection",
            "sbx",
        )
        for path in (ROOT / package).rglob("*.py")
    )
    words = [word for word in words if word != "word"]
    assert len(words) >= 30
    assert [word for word in words if word not in code and word.replace("-", "_") not in code] == []


def test_every_page_is_on_a_shelf() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", PAGES["docs/index.md"]))
    assert {path.removeprefix("docs/") for path in PAGES if path.startswith("docs/")} - {"index.md"} == linked


def test_the_events_of_the_publishers_guide_are_taken() -> None:
    examples = re.findall(r"```json\n(.*?)```", PAGES["docs/events.md"], re.S)
    assert len(examples) == 5
    for example in examples:
        event_to_kafka(json.loads(example))
