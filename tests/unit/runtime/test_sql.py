"""Statements out of ``.sql`` files, and what several of them include."""

import re
from pathlib import Path

import pytest

from runtime.sql import load_queries
from sinks.ledger import entries, store

ROOT = Path(store.__file__).parents[2]


def test_a_file_that_is_included_stands_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "columns.sql").write_text("    c.a, c.b\n")
    one, two = (f"-- name: {name}\nSELECT\n-- include: columns.sql\n" for name in ("one", "two"))
    (tmp_path / "module.sql").write_text(f"{one}FROM t c\n\n{two}")
    assert load_queries(str(tmp_path / "module.py")) == {
        "one": "SELECT\n    c.a, c.b\nFROM t c",
        "two": "SELECT\n    c.a, c.b",
    }


def test_a_file_that_is_missing_is_found_when_the_statements_are_loaded(tmp_path: Path) -> None:
    (tmp_path / "module.sql").write_text("-- name: one\nSELECT\n-- include: gone.sql\n")
    with pytest.raises(FileNotFoundError):
        load_queries(str(tmp_path / "module.py"))


def test_what_is_selected_of_a_command_is_what_an_entry_is_made_of() -> None:
    listed = (Path(entries.__file__).parent / "entry_columns.sql").read_text(encoding="utf-8")
    columns = re.findall(r"c\.(\w+)", listed)
    assert sorted(columns) == sorted((*entries.COLUMNS, "command_id", "body", "reason_args", "warnings"))


@pytest.mark.parametrize("name", ["insert_reused", "ready", "followers", "commands_by_id", "running"])
def test_a_statement_that_makes_entries_selects_them_all(name: str) -> None:
    assert "c.perhaps_acted," in store.SQL[name]


def test_no_statement_lists_the_columns_of_an_entry_by_itself() -> None:
    """A column that is added is then added in one place."""
    listing = [
        str(path.relative_to(ROOT))
        for path in sorted(ROOT.glob("s[ibt]*/**/*.sql"))
        if "migrations" not in path.parts
        and re.search(r"reason_args, \S*warnings, \S*acted", path.read_text())
    ]
    assert listing == ["sinks/ledger/entry_columns.sql", "sinks/preview/scratch.sql"]
