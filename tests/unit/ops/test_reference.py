"""docs/commands.md says what the commands are."""

from pathlib import Path

from sbx.cli.reference import reference

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_that_of_the_commands() -> None:
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m sbx.cli.reference > docs/commands.md"
