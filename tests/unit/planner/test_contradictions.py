"""What an event says against itself is told, and done all the same."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from contracts.commands import Command, EventRef, TransactionSnapshot
from sinks.planner.contradictions import contradictions
from tests.unit.resolve.books import invoice

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def codes(time: datetime = NOW, now: datetime = NOW, **more: Any) -> list[str]:
    event = EventRef(id="1", type="t", source="s", time=time, content_hash="")
    command = Command(
        command_id="1", account="acme", entity="invoice", record_id="1", action="created", event=event, **more
    )
    return [warning.code for warning in contradictions(command, now)]


@pytest.mark.parametrize(("days", "told"), [(0, False), (1, False), (2, True), (365 * 180, True)])
def test_a_time_from_the_future(days: int, told: bool) -> None:
    assert ("event_from_future" in codes(time=NOW + timedelta(days=days))) is told


def test_a_replay_of_old_events_tells_nothing() -> None:
    assert codes(now=NOW + timedelta(days=4000)) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"issue_date": date(2026, 3, 2)}, []),
        ({"issue_date": date(2025, 1, 1), "due_date": date(2027, 12, 31)}, []),
        ({"issue_date": date(2206, 3, 2)}, ["date_unusual"]),
        ({"issue_date": date(1926, 3, 2)}, ["date_unusual"]),
        ({"issue_date": date(2027, 5, 2)}, ["date_unusual"]),
        ({"issue_date": date(2026, 3, 2), "due_date": date(2206, 4, 1)}, ["date_unusual"]),
    ],
)
def test_days_far_from_the_change(changes: dict[str, Any], told: list[str]) -> None:
    assert codes(document=msgspec.structs.replace(invoice(), **changes)) == told


def test_a_payments_own_day_counts_not_its_documents() -> None:
    document = msgspec.structs.replace(invoice(), issue_date=date(2012, 1, 1))
    paid = TransactionSnapshot(transaction_id="t", amount=1, date=date(2026, 3, 1))  # type: ignore[arg-type]
    assert codes(document=document, transaction=paid) == []
    slip = msgspec.structs.replace(paid, date=date(2062, 3, 1))
    assert codes(document=document, transaction=slip) == ["date_unusual"]


def test_invoice_that_is_cancelled_by_its_own_status() -> None:
    assert codes(says_cancelled=True) == ["status_says_cancelled"]
