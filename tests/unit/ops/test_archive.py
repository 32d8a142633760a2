"""``sbx archive``: what is listed, what is shown, what is wrong."""

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runtime.archive import Archive
from runtime.environment import Environment
from sbx.cli.archive import in_words, listed, problems_of, rows_of
from sbx.cli.command_line import app
from sbx.cli.status import Status

A, B = "5f0c1d3e-0000-4000-8000-00000000000a", "5f0c1d3e-0000-4000-8000-00000000000b"


def command(command_id: str, record_id: str, **more: Any) -> dict[str, Any]:
    return {"row": "command", "command_id": command_id, "record_id": record_id, **more}


def entry(entry_id: str, record_id: str, number: str) -> dict[str, Any]:
    return {
        "row": "entry",
        "entry_id": entry_id,
        "account": "acme",
        "entity": "invoice",
        "record_id": record_id,
        "record_number": number,
        "action": "payment_applied",
        "party_name": "Bolt",
        "amount": "110.00",
        "currency": "",
        "state": "completed",
        "outcome": "posted",
        "xero_number": number,
        "xero_id": "x-1",
        "event_id": f"event {entry_id}",
        "finished_at": "2025-05-22T00:00:00Z",
    }


def attempt(entry_id: str) -> dict[str, Any]:
    return {
        "row": "attempt",
        "attempt_id": f"i:{entry_id}",
        "entry_id": entry_id,
        "started_at": "2025-05-22T00:00:00Z",
        "method": "PUT",
        "path": "/Payments",
        "status": 200,
        "error": "",
    }


ROWS = [
    command(A, "r1"),
    entry(A, "r1", "5001"),
    attempt(A),
    command(B, "r2"),
    entry(B, "r2", "5002"),
    attempt(B),
    {"row": "element", "intent_id": "i", "position": 0, "record_id": "r1"},
    {"row": "element", "intent_id": "i", "position": 1, "record_id": "customer/r2"},
]

AGAIN = [command(A, "r1", outcome="already_there"), *ROWS[1:3]]


def encoded(rows: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(row).encode() for row in rows]


@pytest.fixture
def kept(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path / "archive")
    archive.add("acme", "2025-05", encoded(ROWS))
    archive.add("acme", "2025-05", encoded(AGAIN))  # a crash came before the commit of the first
    archive.add("bolt", "2025-06", encoded([command("other", "r9")]))
    return archive


def test_one_line_per_account_and_month(kept: Archive) -> None:
    found = listed(kept.parts())
    assert [(row["account"], row["month"], row["files"], row["rows"]) for row in found] == [
        ("acme", "2025-05", 2, 11),
        ("bolt", "2025-06", 1, 1),
    ]


def test_a_row_in_two_files_is_shown_once_as_it_was_last(kept: Archive) -> None:
    assert list(rows_of(kept, kept.parts("acme"), None)) == [*ROWS[3:], *AGAIN]


@pytest.mark.parametrize("name", ["r1", "5001", A, f"event {A}"])
def test_a_record_is_found_by_whatever_somebody_has(kept: Archive, name: str) -> None:
    found = list(rows_of(kept, kept.parts(), name))
    assert found == [ROWS[6], *AGAIN]


def test_a_customer_is_found_with_what_was_sent_for_it(kept: Archive) -> None:
    assert list(rows_of(kept, kept.parts(), "r2")) == [*ROWS[3:6], ROWS[7]]


def test_nobody_knows_it(kept: Archive) -> None:
    assert list(rows_of(kept, kept.parts(), "nothing")) == []


def test_in_words() -> None:
    assert [in_words(row) for row in ROWS[:3]] == [
        "",
        "2025-05-22T00:00:00Z  acme  invoice 5001 payment applied  Bolt  110.00  completed posted 5001 x-1",
        "    2025-05-22T00:00:00Z  PUT /Payments: 200",
    ]


def test_files_that_are_gone_or_damaged_are_named(kept: Archive) -> None:
    known = kept.parts()
    assert problems_of(kept, known, known) == []
    [first, second, third] = known
    (kept.directory / first.path).write_bytes(b"x")
    (kept.directory / second.path).unlink()
    assert [text.split(" is ")[1][:8] for text in problems_of(kept, kept.parts(), known)] == [
        "damaged:",
        "gone",
    ]
    (kept.directory / third.path).parent.joinpath("MANIFEST.json").unlink()
    [gone] = problems_of(kept, kept.parts("bolt"), [third])
    assert "1 row of bolt, 2025-06" in gone


def test_status_tells_why_nothing_goes() -> None:
    since = datetime(2026, 7, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    full = {"problem": "the disk is full", "problem_at": since, "remedy": "free some space"}
    used = Environment.read({})
    assert Status(used, archive={"problem": "", "problem_at": None, "remedy": ""}).alarms == []
    [alarm] = Status(used, archive=full).alarms
    assert "since 2026-07-01 07:30 UTC" in alarm
    assert alarm.endswith("the disk is full; free some space")


# The command


def run(kept: Archive, *arguments: str) -> Any:
    variables = {"SBX_ARCHIVE_DIR": str(kept.directory)}
    return CliRunner().invoke(app, ["archive", *arguments], env=variables, catch_exceptions=True)


def test_rows_are_printed_as_they_were(kept: Archive) -> None:
    done = run(kept, "--account", "acme", "--show", "--json")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [*ROWS[3:], *AGAIN]
    done = run(kept, "--json")
    assert [json.loads(line)["account"] for line in done.stdout.splitlines()] == ["acme", "bolt"]


@pytest.mark.parametrize(
    "arguments",
    [("--month", "2025-13"), ("--month", "june"), ("--record", "r1"), ("--show", "--check")],
)
def test_bad_usage(kept: Archive, arguments: tuple[str, ...]) -> None:
    done = run(kept, *arguments)
    assert done.exit_code != 0
    assert type(done.exception).__name__ == "BadUsage"
