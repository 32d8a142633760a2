"""Looking for what was lost costs little, however much waits and however long the log is."""

import json
from datetime import UTC, datetime
from typing import Any, LiteralString

import psycopg
import pytest

from bench.log_fill import fill
from log_projection import losses
from log_projection.losses import _SQL

ENTRIES = 200_000
WAITING = 20_000


_BACKLOG = """
INSERT INTO integrations_log.entry (
    entry_id, version, position, account, entity, record_id, record_number, action, state, reason, remedy,
    warnings, party_name, currency, salesbinder_url, attempts, queued_at, xero_type, xero_id, xero_number,
    xero_url, event_id, event_type, topic, partition, "offset", triggered_by, actor, cause)
SELECT md5('held' || i)::uuid, 0, nextval('integrations_log.position_seq'), 'held', 'invoice', i::text, '',
       'created', 'queued', '', '', '[]', '', '', '', 0, now() - interval '1 hour', '', '', '', '', '', '',
       'salesbinder.invoices', 0, i, 'event', '', ''
FROM generate_series(1, %s) AS i
"""
_KNOWN = """
INSERT INTO ledger.commands (
    command_id, account, entity, record_id, action, content_hash, event_time, body, state, queued_at)
SELECT md5('held' || i)::uuid, 'held', 'invoice', i::text, 'created', 'h', now(), '{}', 'queued', now()
FROM generate_series(4, %s) AS i
"""


@pytest.fixture
def long_log(database_url: str) -> psycopg.Connection[Any]:
    """A long log; an account that is held, whose backlog the ledger knows; three commands that are lost."""
    fill(database_url, ENTRIES, datetime.now(UTC))
    connection = psycopg.connect(database_url, autocommit=True)
    connection.execute(_BACKLOG, [WAITING])
    connection.execute(_KNOWN, [WAITING])
    connection.execute(
        "INSERT INTO integrations_log.lost_command (entry_id) SELECT md5('held' || i)::uuid::text "
        "FROM generate_series(1, 3) AS i"
    )
    connection.execute("ANALYZE")
    return connection


def plan(connection: psycopg.Connection[Any], statement: LiteralString, **parameters: Any) -> Any:
    """How PostgreSQL runs it."""
    row = connection.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, parameters).fetchone()
    assert row is not None
    return row[0][0]["Plan"]


def buffers(found: Any) -> int:
    return int(found["Shared Hit Blocks"] + found["Shared Read Blocks"])


async def test_neither_the_log_nor_a_backlog_is_read_through(
    long_log: psycopg.Connection[Any], database_url: str
) -> None:
    with long_log:
        everything = {"accounts": None, "entry_id": None, "limit": 1000}
        status = plan(long_log, _SQL["lost_commands"], **everything)
        entry = plan(long_log, _SQL["lost_commands"], **{**everything, "entry_id": "no such entry"})
        counted = plan(long_log, _SQL["lost_by_account"], limit=10_000)
        newest = long_log.execute("SELECT max(position) FROM integrations_log.entry").fetchone()
        assert newest is not None
        idle = plan(long_log, _SQL["not_ended"], after=newest[0], upto=newest[0], limit=2000)
        chunk = plan(long_log, _SQL["not_ended"], after=newest[0] - WAITING, upto=newest[0], limit=2000)
    for one, most in ((status, 100), (entry, 20), (counted, 100), (idle, 20)):
        assert "Seq Scan on entry" not in json.dumps(one)
        assert buffers(one) < most, json.dumps(one, indent=1)
    assert "entry_not_ended" in json.dumps(chunk)
    assert buffers(chunk) < 2000 * 12, json.dumps(chunk, indent=1)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert sorted(row["offset"] for row in await losses.lost_commands(connection, limit=10)) == [1, 2, 3]
        assert await losses.lost_commands(connection, limit=10, accounts=("other",)) == []
