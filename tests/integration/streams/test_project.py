"""The project stage on a real broker and a real database."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from contracts.results import Attempt, EntryResult, State, decode_result, encode_result
from streams.records import Outgoing
from streams.topics import DEAD_LETTERS, RESULTS
from tests.integration.streams.conftest import Broker, StageProcess, StartStage, eventually

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def account() -> str:
    return f"p{uuid.uuid4().hex[:12]}"


def entry(account: str, entry_id: str, version: int, state: State = "queued", **changes: Any) -> EntryResult:
    values: dict[str, Any] = {
        "entity": "invoice",
        "record_id": entry_id,
        "action": "created",
        "queued_at": NOW,
    }
    return EntryResult(
        account=account, entry_id=f"{account}-{entry_id}", version=version, state=state, **(values | changes)
    )


def message(result: EntryResult) -> Outgoing:
    return Outgoing(RESULTS, f"{result.account}/{result.record_id}".encode(), encode_result(result))


def history(account: str, entries: int) -> list[EntryResult]:
    """All versions of so many entries, as they come: each ends completed at version 2 after one attempt."""
    states: tuple[State, ...] = ("queued", "running", "completed")
    return [
        entry(
            account,
            f"e{number}",
            version,
            state,
            made=attempts(f"{account}-{number}") if version == 2 else (),
        )
        for version, state in enumerate(states)
        for number in range(entries)
    ]


def attempts(attempt_id: str) -> tuple[Attempt, ...]:
    made = Attempt(attempt_id=attempt_id, number=1, step="x", method="PUT", path="/Invoices", started_at=NOW)
    return (made,)


def counted(database_url: str, account: str) -> dict[str, int]:
    with psycopg.connect(database_url) as connection:
        rows = connection.execute(
            "SELECT state, count(*) FROM integrations_log.entries WHERE account = %s GROUP BY state",
            [account],
        ).fetchall()
    return dict(rows)


@contextmanager
def away(database_url: str) -> Iterator[None]:
    """The database lets nobody in and has thrown everybody out."""
    server, _, database = database_url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(sql.Identifier(database), sql.SQL("false")))
        nobody = "SELECT count(pg_terminate_backend(pid)) = 0 FROM pg_stat_activity WHERE datname = %s"
        # One that was let in before may not be there to be thrown out yet.
        eventually(lambda: connection.execute(nobody, [database]).fetchone() == (True,), "nobody is in")
        yield
        connection.execute(allow.format(sql.Identifier(database), sql.SQL("true")))


def wait_for_retry(stage: StageProcess) -> None:
    eventually(lambda: "the database does not serve; waiting" in stage.log, "it waits for the database")


def test_sigkill_under_load_with_duplicates_ends_with_each_entry_right(
    start_stage: StartStage, traffic: Broker, database_url: str, account: str
) -> None:
    results = history(account, 700)
    traffic.watch(DEAD_LETTERS)
    first = start_stage("project", database_url).wait_until_ready()
    traffic.publish([message(result) for result in results])
    eventually(lambda: bool(counted(database_url, account)), "something is in the log")
    first.kill()
    second = start_stage("project", database_url)
    traffic.publish([message(result) for result in results[:300]])  # late, all of them

    eventually(lambda: counted(database_url, account) == {"completed": 700}, "all completed")
    with psycopg.connect(database_url) as connection:
        made = connection.execute(
            "SELECT count(*) FROM integrations_log.attempts WHERE account = %s", [account]
        ).fetchone()
    second.wait_until_ready().stop()  # before that it has no handler of signals
    assert made == (700,)
    assert counted(database_url, account) == {"completed": 700}
    assert traffic.all_of(DEAD_LETTERS, account) == []


def test_bad_messages_stop_nothing_else(
    start_stage: StartStage, traffic: Broker, database_url: str, account: str
) -> None:
    key = f"{account}/r1".encode()
    impossible = message(entry(account, "e1", 1, attempts=2**40))
    traffic.watch(DEAD_LETTERS, RESULTS)
    good = [message(entry(account, f"g{number}", 0)) for number in range(20)]
    unreadable = [Outgoing(RESULTS, key, b"junk", (("a", b"\xff"),)), Outgoing(RESULTS, key, None)]
    traffic.publish([*good[:7], unreadable[0], *good[7:14], impossible, unreadable[1], *good[14:]])
    stage = start_stage("project", database_url).wait_until_ready()

    expected = {"queued": 20, "failed": 3}
    eventually(lambda: counted(database_url, account) == expected, "good ones and entries of the unreadable")
    letters = traffic.wait_for(DEAD_LETTERS, 3, account)
    stage.stop()

    by_value = {letter.value: dict(letter.headers) for letter in letters}
    assert by_value.keys() == {b"junk", None, impossible.value}
    assert by_value[b"junk"]["a"] == b"\xff"
    assert by_value[b"junk"]["source_topic"] == RESULTS.encode()
    assert b"attempts" in by_value[impossible.value]["reason"]
    failed = [
        r for r in (decode(r.value) for r in traffic.all_of(RESULTS, account)) if r and r.state == "failed"
    ]
    found = {(r.account, r.record_id, r.triggered_by) for r in failed}
    assert found == {(account, "r1", "dead_letter"), (account, "e1", "dead_letter")}


def decode(value: bytes | None) -> EntryResult | None:
    if value in (None, b"junk"):
        return None
    result = decode_result(value or b"")
    return result if isinstance(result, EntryResult) else None


def test_stage_waits_for_a_database_that_is_away_and_loses_nothing(
    start_stage: StartStage, traffic: Broker, database_url: str, account: str
) -> None:
    stage = start_stage("project", database_url).wait_until_ready()
    traffic.publish([message(entry(account, "before", 0))])
    eventually(lambda: counted(database_url, account) == {"queued": 1}, "the first")

    with away(database_url):
        traffic.publish([message(result) for result in history(account, 50)])
        wait_for_retry(stage)
        assert stage.code() is None

    eventually(lambda: counted(database_url, account) == {"queued": 1, "completed": 50}, "all of them")
    stage.stop()


def test_stage_can_be_stopped_while_the_database_is_away(
    start_stage: StartStage, traffic: Broker, database_url: str, account: str
) -> None:
    stage = start_stage("project", database_url).wait_until_ready()
    with away(database_url):
        traffic.publish([message(result) for result in history(account, 5)])
        wait_for_retry(stage)
        stage.stop()

    again = start_stage("project", database_url)
    eventually(lambda: counted(database_url, account) == {"completed": 5}, "read again after the restart")
    again.stop()


def test_missing_migrations_are_waited_for(
    start_stage: StartStage, traffic: Broker, empty_database_url: str, account: str
) -> None:
    from sbx.migrations import migrate

    stage = start_stage("project", empty_database_url).wait_until_ready()
    traffic.publish([message(entry(account, "e1", 0))])
    wait_for_retry(stage)
    assert "the database is older than this program: it lacks connections/001_connections.sql" in stage.log
    migrate(empty_database_url)

    eventually(lambda: counted(empty_database_url, account) == {"queued": 1}, "stored after the migration")
    stage.stop()
