"""Which results of a batch are written at all."""

from datetime import UTC, datetime

from contracts.results import EntryResult, State
from log_projection.projection import newest

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
