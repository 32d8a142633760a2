"""docs/commands.md says what the commands are."""

from pathlib import Path

from ops.reference import reference

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_that_of_the_commands() -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m ops.reference > docs/commands.md"
