"""What ``sbx status`` says when more and more cannot be read."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest

from contracts.results import EntryResult, decode_result
from log_projection.projection import apply
from sbx.cli.status import DEAD_LETTERS_BOUND
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
