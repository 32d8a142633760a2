"""A fault in a comparison, or in one answer, stops neither the account's reader nor itself for ever."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from sources import keeper, reading
from sources.reader import Published, Reader
from sources.reconcile import runs, steps
from sources.reconcile.reconciler import Reconciler
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from sources.store import store
from sources.store.store import Lease
from tests.integration.sources.reading import ACCOUNT

EMPTY = b'{"count": "0", "page": "1", "pages": "0", "documents": [], "customers": [], "deletedlog": []}'
_NO_WAIT = "UPDATE source.reconciliations SET due_at = clock_timestamp() WHERE finished_at IS NULL"


class Empty:
    """A SalesBinder without a record."""

    def __init__(self) -> None:
        self.asked: list[Question] = []

    async def ask(self, question: Question) -> Answer:
        self.asked.append(question)
        return Answer(200, EMPTY, datetime.now(UTC), None)


async def nothing(events: Sequence[Published]) -> None:
    del events


@asynccontextmanager
async def leased(url: str) -> AsyncIterator[tuple[psycopg.AsyncConnection[Any], Lease]]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await store.connect(connection, ACCOUNT, b"encrypted")
        await connection.execute("SELECT pg_advisory_lock(5)")
        lease = await store.take_lease(connection, ACCOUNT, 5)
        assert lease is not None
        yield connection, lease


FAULTS = {
    "a value that the database refuses": "SELECT 1/0",
    "a row that a constraint refuses": "INSERT INTO source.leases VALUES ('nobody', 1, 1, now())",
    "a bug in the SQL": "SELEC 1",
}
WAITS = {
    "a statement that takes too long": "SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)",
    "a deadlock": "DO $$ BEGIN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END $$",
    "a column that is not there": "SELECT nowhere FROM source.accounts",
}


def breaking(statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each step of a comparison that keeps rows execute this statement."""

    async def keep_rows(connection: Any, *_: Any) -> None:
        await connection.execute(statement)

    monkeypatch.setattr(runs, "keep_rows", keep_rows)


@pytest.mark.parametrize("statement", FAULTS.values(), ids=FAULTS)
async def test_a_comparison_with_a_fault_ends_with_a_reason_and_the_reader_goes_on(
    statement: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(statement, monkeypatch)
    async with leased(database_url) as (connection, lease):
        run_id = await runs.ask(connection, ACCOUNT, "ann")
        with capture_logs() as logs:
            await Reconciler(connection, lease, Empty()).turn()
        run = await runs.seen(connection, run_id)
        assert run["finished_at"] is not None
        assert "internal error" in run["error"]
        assert "report it" in run["error"]
        assert [each["event"] for each in logs] == ["a reconciliation broke"]
        error = await runs.last_error(connection, ACCOUNT)
        assert error is not None
        assert error["run_id"] == run_id
        salesbinder = Empty()
        await Reader(connection, lease, salesbinder, nothing, b"encrypted").turn()
        assert salesbinder.asked


@pytest.mark.parametrize("error", [ValueError("odd\0one"), KeyError("rows"), RecursionError("too deep")])
async def test_what_is_read_of_a_comparison_may_be_at_fault_too(
    error: Exception, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_run(*_: Any) -> None:
        raise error

    monkeypatch.setattr(runs, "open_run", open_run)
    async with leased(database_url) as (connection, lease):
        run_id = await runs.ask(connection, ACCOUNT, "ann")
        await Reconciler(connection, lease, Empty()).turn()
        assert type(error).__name__ in (await runs.seen(connection, run_id))["error"]


@pytest.mark.parametrize("statement", WAITS.values(), ids=WAITS)
async def test_what_the_database_may_take_later_is_tried_again_and_not_for_ever(
    statement: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking(statement, monkeypatch)
    monkeypatch.setattr(steps, "_GIVE_UP", 3)
    async with leased(database_url) as (connection, lease):
        run_id = await runs.ask(connection, ACCOUNT, "ann")
        turning = Reconciler(connection, lease, Empty())
        for _ in range(2):
            await turning.turn()
            run = await runs.seen(connection, run_id)
            assert run["finished_at"] is None
            assert "the database" in run["waits_for"]
            await connection.execute(_NO_WAIT)
        await turning.turn()
        run = await runs.seen(connection, run_id)
        assert "the database" in run["error"]


async def test_a_database_that_goes_away_is_passed_on(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking("SELECT pg_terminate_backend(pg_backend_pid())", monkeypatch)
    async with leased(database_url) as (_, lease):
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as beside:
            run_id = await runs.ask(beside, ACCOUNT, "ann")
            with pytest.raises(psycopg.OperationalError):
                await Reconciler(beside, lease, Empty()).turn()
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as after:
            assert (await runs.seen(after, run_id))["finished_at"] is None


async def test_without_a_comparison_a_fault_leaves_the_reader_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(*_: Any) -> None:
        raise ValueError("odd settings")

    async with leased(database_url) as (connection, lease):
        turning = Reconciler(connection, lease, Empty())
        monkeypatch.setattr(store, "load", load)
        with capture_logs() as logs:
            for _ in range(3):
                await turning.turn()
        assert len(logs) == 1, "it is told each half a minute"


@pytest.mark.parametrize("error", [KeyError("rows"), ValueError("x"), psycopg.DataError("refused")])
async def test_an_answer_that_meets_a_fault_is_put_off_and_all_others_are_read(
    error: Exception, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_page = reading.read_page

    def breaks(scan: Any, *rest: Any) -> Any:
        if scan.listing == "invoices":
            raise error
        return read_page(scan, *rest)

    monkeypatch.setattr(keeper, "read_page", breaks)
    async with leased(database_url) as (connection, lease):
        reader = Reader(connection, lease, Empty(), nothing, b"encrypted")
        # Tracebacks with all their values take longer than the rest.
        with capture_logs() as logs:
            async with asyncio.timeout(60):
                while not await reader.turn():
                    continue
        assert {each["event"] for each in logs} == {"an answer cannot be kept"}
        account = await store.load(connection, ACCOUNT)
        assert {"all/customers", "all/suppliers", "all/orders", "delta/customers", "log/log"} <= set(
            account.standing.finished
        )
        assert "all/invoices" in account.standing.held
        cursor = await connection.execute("SELECT DISTINCT code, value FROM source.problems")
        ((code, value),) = await cursor.fetchall()
        assert code == "answer_unreadable"
        assert type(error).__name__ in value
