"""How fast results come into a log that is full."""

import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg

from bench.figures import Figure
from contracts.results import EntryResult
from log_projection.projection import apply

_BATCH, _BATCHES = 300, 20


async def rate(database_url: str) -> Figure:
    """Return results per second in batches as the stage applies them: each entry queued, running,
    completed.
    """
    began = time.perf_counter()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for _ in range(_BATCHES):
            ids = [str(uuid4()) for _ in range(_BATCH)]
            for version in range(3):
                await apply(connection, [_result(number, version, each) for number, each in enumerate(ids)])
    seconds = time.perf_counter() - began
    return Figure(what="results projected", value=_BATCH * _BATCHES * 3 / seconds, unit="results/s")


def _result(number: int, version: int, entry_id: str) -> EntryResult:
    at = datetime.now(UTC) + timedelta(milliseconds=number)
    return EntryResult(
        entry_id=entry_id,
        version=version,
        account=f"shop-{1 + number % 20:02}",
        entity="invoice",
        record_id=str(uuid4()),
        record_number=str(20_000 + number),
        action="created",
        state=("queued", "running", "completed")[version],
        party_name="Amber Bikes Ltd",
        queued_at=at,
        event_id=str(uuid4()),
        topic="salesbinder.invoices",
        partition=number % 12,
        offset=number,
        xero_number=str(20_000 + number) if version == 2 else "",
    )
