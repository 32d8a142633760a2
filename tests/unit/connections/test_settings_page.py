"""``docs/settings.md`` names every setting and variable with its default, and no other."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from connections.settings import InvalidSetting, Settings, parse_setting

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([^`]+)` \| (.*?) \|", PAGE, re.MULTILINE))
READERS = ("environment", "variables")
TABLES = {
    "payment_account.{reference}": "payment_accounts",
    "sales_tax.{rate}": "sales_tax",
    "purchase_tax.{rate}": "purchase_tax",
}


def test_every_setting_and_no_other() -> None:
    shown = {TABLES.get(key, key) for key in ROWS if not key.startswith("SBX_")}
    assert shown == {field.name for field in fields(Settings)}


def test_the_defaults_are_right() -> None:
    default = Settings(enabled_at=datetime.now(UTC))
    for key, cell in ROWS.items():
        if re.fullmatch(r"`[^`]+`", cell) and not key.startswith("SBX_"):
            assert str(getattr(default, key)) == cell.strip("`")
    assert {key for key in ("payment_account", "currency") if getattr(default, key) is None} == {
        "payment_account",
        "currency",
    }


def test_every_variable_and_no_other() -> None:
    sources = [(ROOT / "runtime" / f"{name}.py").read_text(encoding="utf-8") for name in READERS]
    read = {name for source in sources for name in re.findall(r'"(SBX_[A-Z_]+)"', source)}
    assert {key for key in ROWS if key.startswith("SBX_")} == read


def test_the_examples_are_taken() -> None:
    examples = re.findall(r"\b((?:[a-z]+_[a-z_]+)(?:\.[A-Za-z0-9.+ ]+)?)=([A-Za-z0-9-]+)", PAGE)
    assert len(examples) >= 7
    for key, value in examples:
        try:
            parse_setting(key, value)
        except InvalidSetting as error:
            raise AssertionError(f"the page shows {key}={value}") from error
