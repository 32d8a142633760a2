"""What `sbx status` tells a script and a person when nothing runs."""

import json
from pathlib import Path

import pytest
import typer

from sbx.cli.page_address import FILE
from sbx.cli.status_report import _condition, status


@pytest.fixture(autouse=True)
def _nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SBX_KAFKA_BOOTSTRAP_SERVERS", "SBX_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SBX_DATA_DIR", str(tmp_path))


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_not_ready_ends_with_1(as_json: bool) -> None:
    with pytest.raises(typer.Exit) as ended:
        status(as_json)
    assert ended.value.exit_code == 1


def test_the_address_of_the_page_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / FILE).write_text("http://127.0.0.1:1\n", encoding="utf-8")
    with pytest.raises(typer.Exit):
        status(False)
    assert "page http://127.0.0.1:1 (it does not answer)" in capsys.readouterr().out
    with pytest.raises(typer.Exit):
        status(True)
    assert json.loads(capsys.readouterr().out)["page"] == "http://127.0.0.1:1"


def test_an_account_without_a_payment_account_says_so() -> None:
    account = {
        "setup_steps_left": 0,
        "paused": False,
        "connected": True,
        "held": None,
        "settings_missing": ["payment_account", "sales_tax"],
        "drift": {"differences": 0},
    }
    assert str(_condition(account)) == "not set: payment_account, sales_tax"
    assert str(_condition(account | {"settings_missing": ["sales_tax"]})) == ""
