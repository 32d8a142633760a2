"""What ``sbx status`` says when more and more cannot be read."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest

from contracts.results import EntryResult, decode_result
from log_projection.projection import apply
from sbx.cli.status import DEAD_LETTERS_BOUND
from sources.batch import Batch
from sources.problems import Problem
from sources.store import keeping, store
from streams.dead_letters import DeadLetterReason, Letter, failed_entry
from streams.records import Record
from tests.integration.ops.sbx import Sbx


def dead_letter(offset: int) -> EntryResult:
    record = Record("salesbinder.invoices", 0, offset, b"acme/1", b"?")
    value = failed_entry(
        Letter(record, DeadLetterReason.of_record(record, "our_error", "no JSON")), datetime.now(UTC)
    ).value
    result = decode_result(value or b"")
    assert isinstance(result, EntryResult)
    return result


@pytest.mark.parametrize(("count", "alarms"), [(DEAD_LETTERS_BOUND, 0), (DEAD_LETTERS_BOUND + 1, 1)])
def test_dead_letters_over_a_bound_raise_an_alarm(
    alone: Sbx, database_url: str, count: int, alarms: int
) -> None:
    async def project() -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await apply(connection, [dead_letter(offset) for offset in range(count)])

    asyncio.run(project())
    found = alone("status", "--json", SBX_DATABASE_URL=database_url).json
    assert (found["dead_letters"], len(found["alarms"])) == (count, alarms)
    for alarm in found["alarms"]:
        assert alarm.startswith("11 dead letters in the last 24 hours") and "sbx log --state failed" in alarm
        assert alarm in " ".join(alone("status", SBX_DATABASE_URL=database_url).err.split())


PROBLEM = Problem(
    "record_unclear", "invoice", "d1", "total_price", "'abc'", "it is not a number", "Correct it."
)


def _source(database_url: str, *statements: str, problem: Problem | None = None) -> None:
    """An account that is read from SalesBinder, and what is so of it."""

    async def prepare() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await store.connect(connection, "acme", b"encrypted")
            for statement in statements:
                await connection.execute(statement)
            if problem is not None:
                await keeping.keep(connection, "acme", Batch(problems=[problem]), datetime.now(UTC))
                rows = await keeping.to_tell(connection, "acme", 10)
                await apply(connection, [decode_result(value) for _, _, _, value in rows])

    asyncio.run(prepare())


READ = "INSERT INTO source.leases VALUES ('acme', 1, 1, now() + interval '1 hour')"
FAILED = (
    "INSERT INTO source.reconciliations (account, actor, finished_at, error) "
    "VALUES ('acme', 'reconcile_every', now(), 'Xero could not be read')"
)
REFUSED = """
UPDATE source.accounts SET trouble = 'salesbinder_key_refused', trouble_text = '401', trouble_since = now()
"""


def test_what_cannot_be_read_in_salesbinder_is_counted_as_failed_with_the_state_of_its_source(
    alone: Sbx, database_url: str
) -> None:
    _source(database_url, READ, FAILED, problem=PROBLEM)
    found = alone("status", "--json", SBX_DATABASE_URL=database_url).json
    ((account, failed),) = ((each["name"], each["failed"]) for each in found["accounts"])
    assert (account, failed) == ("acme", 1)
    (source,) = found["sources"]
    assert (source["state"], source["problem_count"]) == ("taking_stock", 1)
    assert source["problems"][0]["code"] == "record_unclear"
    assert source["comparison"]["error"] == "Xero could not be read"
    assert found["alarms"] == []
    said = " ".join(alone("status", SBX_DATABASE_URL=database_url, COLUMNS="200").out.split())
    assert "record_unclear (1)" in said
    assert "Xero could not be read" in said


@pytest.mark.parametrize(
    ("statements", "state", "alarm"),
    [((READ, REFUSED), "no_answers", "refuses the API key"), ((), "unread", "No worker reads it")],
)
def test_a_source_that_needs_somebody_is_an_alarm(
    alone: Sbx, database_url: str, statements: tuple[str, ...], state: str, alarm: str
) -> None:
    _source(database_url, *statements)
    found = alone("status", "--json", SBX_DATABASE_URL=database_url).json
    assert [each["state"] for each in found["sources"]] == [state]
    (said,) = found["alarms"]
    assert "'acme'" in said
    assert alarm in said
    assert "sbx" in said
