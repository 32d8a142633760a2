"""Results to put into the log, and the log to look into."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg

from contracts.results import Attempt, EntryResult, State
from log_projection import queries

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

Connection = psycopg.AsyncConnection[Any]


def entry(entry_id: str = "e1", version: int = 0, state: State = "queued", **changes: Any) -> EntryResult:
    values: dict[str, Any] = {
        "account": "acme",
        "entity": "invoice",
        "record_id": "r1",
        "action": "created",
        "queued_at": NOW,
        "record_number": "1042",
        "party_name": "Widgets & Co",
        "amount": Decimal("110.00"),
    }
    return EntryResult(entry_id=entry_id, version=version, state=state, **(values | changes))


def attempt(attempt_id: str, number: int = 1, **changes: Any) -> Attempt:
    values: dict[str, Any] = {"step": "invoice", "method": "PUT", "path": "/Invoices", "started_at": NOW}
    return Attempt(attempt_id=attempt_id, number=number, **(values | changes))


async def listed(
    log: Connection, filters: queries.Filters | None = None, **options: Any
) -> list[queries.Row]:
    return [row async for row in queries.entries(log, filters, **options)]


async def ids(log: Connection, **filters: Any) -> list[str]:
    return [row["entry_id"] for row in await listed(log, queries.Filters(**filters))]
