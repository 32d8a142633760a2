"""What of a batch's results is written."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.results import Attempt, EntryResult, State
from log_projection.projection import attempt_rows, entry_rows, newest
from log_projection.shortening import Shortener

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def entry(entry_id: str, version: int, state: State = "queued") -> EntryResult:
    return EntryResult(
        entry_id=entry_id,
        version=version,
        account="acme",
        entity="invoice",
        record_id="r1",
        action="created",
        state=state,
        queued_at=NOW,
    )


def by_id(result: EntryResult) -> str:
    return result.entry_id


def test_highest_version_wins_wherever_it_stands() -> None:
    batch = [entry("a", 2, "failed"), entry("b", 0), entry("a", 0), entry("a", 3, "completed"), entry("a", 1)]

    assert [(r.entry_id, r.version) for r in newest(batch, by_id)] == [("a", 3), ("b", 0)]


def test_first_of_equal_versions_is_kept() -> None:
    batch = [entry("a", 1, "running"), entry("a", 1, "failed")]

    assert [r.state for r in newest(batch, by_id)] == ["running"]


def test_attempts_go_to_the_database_once() -> None:
    made = Attempt(
        attempt_id="call:a", number=1, step="invoice", method="PUT", path="/Invoices", started_at=NOW,
        request='{"InvoiceNumber":1042}', answer="a\0b",
    )  # fmt: skip
    tried = msgspec.structs.replace(entry("a", 2, "running"), made=(made,))

    assert json.loads(entry_rows([tried, entry("b", 0)])) == [
        as_json(entry("a", 2, "running")),
        as_json(entry("b", 0)),
    ]
    shown = {**as_json(made), "request": "{\x011042}", "answer": "a\ufffdb", "fragments": 1}
    written = attempt_rows([tried], Shortener("\x01\x02", ['"InvoiceNumber":', "Xero"]))
    assert json.loads(written) == [{"entry_id": "a", "account": "acme", "made": [shown]}]


def as_json(message: msgspec.Struct) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(msgspec.json.encode(message))
    return shown
