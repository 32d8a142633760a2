"""One worker at a time brings old rows to the archive, and nothing is taken out that is not on the disk."""

import asyncio
import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from runtime.archive import Archive, ArchiveProblem, Part
from runtime.database import fetch_all
from runtime.sql import load_queries
from sbx.cli.archive import problems_of, rows_of
from sinks.archive import bite
from streams.archiving import Archiving
from streams.batch_writer import Pool
from tests.integration.sinks.archives import DAYS, GONE, age, count, go, gone, log_all, rows_in, sold
from tests.integration.sinks.shops import Maker, Office, Shop, connect

# One at a time, and nothing taken out that is not written


async def test_one_worker_at_a_time(books: Shop, make: Maker, archiving: Archiving, pool: Pool) -> None:
    await sold(books, make)
    await age(books)
    second = Archiving(pool, archiving.archive, DAYS)
    async with pool.connection() as connection, connection.transaction():
        assert await bite.begin(connection, "another worker", DAYS) is not None
    await go(second)
    await go(archiving)
    assert archiving.archive.parts() == []
    async with await books.connect() as connection:
        await connection.execute("UPDATE ledger.archive SET until = clock_timestamp() - interval '1 second'")
    await asyncio.gather(go(archiving), go(second))
    assert await gone(books) == GONE
    rows = [one["command_id"] for one in rows_in(archiving, books.account) if one["row"] == "command"]
    assert len(rows) == len(set(rows)) == len(GONE)


@pytest.mark.parametrize(
    "trouble", [OSError(28, "No space left on device"), ArchiveProblem("no", "mount it")]
)
async def test_nothing_is_taken_out_that_is_not_on_the_disk(
    books: Shop, make: Maker, archiving: Archiving, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    await sold(books, make)
    await age(books)

    def full(*_: object, **__: object) -> None:
        raise trouble

    state = await books.rows(_COMMANDS, books.account)
    monkeypatch.setattr(archiving.archive, "add", full)
    await go(archiving)
    assert await books.rows(_COMMANDS, books.account) == state
    assert await count(books, "integrations_log.entry") == 4
    [told] = await books.rows("SELECT problem, remedy, problem_at FROM ledger.archive")
    assert told["problem"] == str(trouble) and told["remedy"] and told["problem_at"]
    monkeypatch.setattr(archiving.archive, "add", type(archiving.archive).add.__get__(archiving.archive))
    await go(archiving)
    [told] = await books.rows("SELECT problem, problem_at FROM ledger.archive")
    assert (told["problem"], told["problem_at"]) == ("", None)
    assert await gone(books) == GONE


async def test_another_directory_is_not_taken_for_the_archive(
    books: Shop, make: Maker, archiving: Archiving, pool: Pool, tmp_path: Path
) -> None:
    await go(archiving)
    await sold(books, make)
    await age(books)
    await go(Archiving(pool, Archive(tmp_path / "empty"), DAYS, archiving._worker))
    assert await gone(books) == []
    assert not (tmp_path / "empty").exists()


async def test_an_account_whose_rows_somebody_holds_is_left_for_the_next_round(
    books: Shop, make: Maker, archiving: Archiving, office: Office
) -> None:
    other = office.new_shop()
    await connect(other)
    created = {}
    for shop, maker in ((books, make), (other, Maker(other.account))):
        created[shop.account] = (await sold(shop, maker))[1][1]
        await age(shop)
    first, second = sorted((books, other), key=lambda shop: shop.account)
    async with await first.connect() as connection, connection.transaction():
        lock = "SELECT FROM ledger.commands WHERE command_id = %s FOR UPDATE"
        await connection.execute(lock, [first.command_id(created[first.account])])
        await go(archiving)
        assert await gone(first) == []
        assert await gone(second) == GONE
    await go(archiving)
    assert await gone(first) == GONE


async def test_live_work_does_not_wait_for_a_disk_that_hangs(
    books: Shop, make: Maker, archiving: Archiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, _ = await sold(books, make)
    await age(books)
    hangs, answers = threading.Event(), threading.Event()
    add = archiving.archive.add

    def slow(account: str, month: str, lines: Sequence[bytes]) -> Part:
        hangs.set()
        assert answers.wait(30)
        return add(account, month, lines)

    monkeypatch.setattr(archiving.archive, "add", slow)
    going = asyncio.create_task(go(archiving))
    assert await asyncio.to_thread(hangs.wait, 30)
    async with asyncio.timeout(20):
        assert await books.run(make.act("reset", document)) == ["posted"]
        assert await books.run(make.created(make.document(make.customer(), 5002))) == ["posted"]
        await log_all(books)
    assert await gone(books) == []
    answers.set()
    await going
    assert await gone(books) == GONE
    assert await books.run(make.act("cancelled", document)) == ["posted"]
    assert books.invoice("5001")["status"] == "VOIDED"


async def test_the_database_ends_a_bite_that_hangs(books: Shop, archiving: Archiving, pool: Pool) -> None:
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        await bite.begin(connection, archiving._worker, DAYS)
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        set_to = [await fetch_all(connection, f"SHOW {name}".encode()) for name in names]  # type: ignore[arg-type]
    assert [next(iter(row.values())) for [row] in set_to] == ["10s", "500ms", "30s"]


async def test_large_bodies_go_one_by_one(
    books: Shop, make: Maker, archiving: Archiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bite, "BYTES", 1)
    await sold(books, make)
    await age(books)
    await go(archiving)
    assert await gone(books) == GONE
    assert max(len(list(_calls_in(archiving, part))) for part in archiving.archive.parts(books.account)) == 1
    assert {row["archived"] for row in await books.rows(_CALLS, books.account)} == {True}


_COMMANDS = "SELECT * FROM ledger.commands WHERE account = %s ORDER BY seq"
_CALLS = "SELECT archived_at IS NOT NULL AS archived FROM ledger.intents WHERE account = %s"


def _calls_in(archiving: Archiving, part: Part) -> list[Any]:
    return [one for line in archiving.archive.lines(part) if (one := json.loads(line))["row"] == "call"]


async def test_a_database_that_was_put_back_goes_to_the_same_archive_again(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    """Then files tell of rows that the tables have, too; each is shown once."""
    await sold(books, make)
    await age(books)
    backup = {table: await books.rows(_ALL.format(table), books.account) for table in _TABLES}
    await go(archiving)
    first = rows_in(archiving, books.account)
    async with await books.connect() as connection:
        await connection.execute("TRUNCATE ledger.archive_parts")
        for table, rows in backup.items():
            names = sorted(rows[0]["row"].keys() - _GENERATED)
            of = {
                "table": sql.Identifier(*table.split(".")),
                "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
            }
            await connection.execute(_FORGET.format(**of), [books.account])
            await connection.execute(_PUT_BACK.format(**of), [Jsonb([row["row"] for row in rows])])
    assert await gone(books) == []
    await go(archiving)
    assert await gone(books) == GONE
    assert len(rows_in(archiving, books.account)) == 2 * len(first)
    shown = list(rows_of(archiving.archive, archiving.archive.parts(books.account), None))
    assert len(shown) == len(first)
    async with await books.connect() as connection:
        known = await bite.noted(connection, books.account)
    present = archiving.archive.parts(books.account)
    assert problems_of(archiving.archive, present, known) == []


_TABLES = (
    "ledger.commands",
    "ledger.intents",
    "ledger.elements",
    "integrations_log.entry",
    "integrations_log.attempt",
)
_GENERATED = {"holds", "turn", "issue_id"}
_FORGET = sql.SQL("DELETE FROM {table} WHERE account = %s")
_PUT_BACK = sql.SQL(
    "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE "
    "SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s)"
)
_ALL = "SELECT to_jsonb(t) AS row FROM {} t WHERE account = %s"


async def test_nothing_goes_while_workers_of_an_earlier_version_may_be_at_work(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    """They would read what is left of an archived action as a whole one."""
    await sold(books, make)
    await age(books)
    async with await books.connect() as connection:
        await connection.execute("UPDATE ledger.archive SET begins_at = now() + interval '1 minute'")
    await go(archiving)
    assert await gone(books) == []


async def test_a_held_ledger_is_left_alone(books: Shop, make: Maker, archiving: Archiving) -> None:
    await sold(books, make)
    await age(books)
    async with await books.connect() as connection, connection.transaction(force_rollback=True):
        await connection.execute("UPDATE ledger.generation SET held_at = now()")
        assert await bite.begin(connection, archiving._worker, DAYS) is None


# Statements


_RECORDS = {"entities": ["invoice"], "records": ["r"]}
_OLD = {"account": "a", "before": "2026-01-01"}
_ONE = "5f0c1d3e-0000-4000-8000-000000000001"
_STATEMENTS: Mapping[str, Mapping[str, Any]] = {
    "accounts": {"after": "", "before": "2026-01-01"},
    "candidates": _OLD | {"after_time": "1970-01-01", "after_seq": 0, "limit": 9, "bytes": 9},
    "resting": _OLD | _RECORDS,
    "commands": _OLD | _RECORDS | {"upto_time": "2026-01-01", "upto_seq": 9},
    "elements": {"account": "a", "keys": ["r"]},
    "calls": _OLD | {"after_time": "1970-01-01", "after_id": _ONE, "limit": 9, "bytes": 9},
    "narrow_older": {"command_ids": [_ONE]},
    "narrow": {"command_ids": [_ONE], "bodies": [b"{}"], "places": ["t/0/1"]},
    "forget_elements": {"intent_ids": [_ONE], "positions": [0]},
}
_LARGE = ("Seq Scan on commands", "Seq Scan on elements", "Seq Scan on intents")


@pytest.mark.parametrize("name", _STATEMENTS)
async def test_no_bite_reads_a_whole_table(books: Shop, name: str) -> None:
    """With scans forbidden, a plan that still has one of a large table has no index that serves it."""
    statement = load_queries(bite.__file__)[name]
    async with await books.connect() as connection:
        await connection.execute("SET enable_seqscan = off")
        plan = await fetch_all(connection, b"EXPLAIN " + statement.encode(), _STATEMENTS[name])  # type: ignore[arg-type]
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert not any(scan in text for scan in _LARGE), text


async def test_what_is_due_is_not_looked_for_in_what_is_archived(shop: Shop, maker: Maker) -> None:
    """Half is old and half is not archived, so that a quarter seems to be due; the old half has gone."""
    await shop.send(maker.contact("created", maker.customer()))
    await shop.rows(_LEASE, shop.account)
    await shop.rows(_HALF_OF_IT_ARCHIVED, shop.account)
    asked = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + load_queries(bite.__file__)["accounts"].encode()
    url = str(shop.environment.database_url)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE ledger.commands")
        before = datetime.now(UTC) - timedelta(days=DAYS)
        [row] = await (await connection.execute(asked, {"after": "", "before": before})).fetchall()
    read = row[0][0]["Plan"]
    assert read["Actual Rows"] == 0
    assert read["Shared Hit Blocks"] + read["Shared Read Blocks"] < 100, read


_LEASE = "INSERT INTO ledger.leases (account, holder, fence, expires_at) VALUES (%s, 1, 1, now()) RETURNING 1"
_HALF_OF_IT_ARCHIVED = """
INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, event_time, body,
                             state, outcome, finished_at, archived_at)
SELECT gen_random_uuid(), account, entity, n::text, action, content_hash, event_time, body, 'completed',
       'posted', now() - make_interval(days => 500 * (n %% 2)), CASE WHEN n %% 2 = 1 THEN now() END
FROM ledger.commands, generate_series(1, 20000) AS n WHERE account = %s RETURNING 1
"""
