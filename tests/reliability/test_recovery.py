"""Backups restored, replicas that lost the last commits, ledgers and brokers lost whole: nothing is paid
twice and nothing is lost (G1, G2).
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sandbox.fake_xero.server import FakeXeroServer
from sandbox.postgres import packaged_bin_dir
from streams.standings import standings
from streams.topics import COMMANDS
from tests.integration.sinks.shops import PATIENCE
from tests.reliability.crashing import ROOT, history, summary
from tests.reliability.estate import EVENTS_A_SALE, Estate
from tests.reliability.restores import Dump, Replica, copy_of, idle, put_back, recover, sbx

pytestmark = [pytest.mark.reliability]


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with FakeXeroServer(subprocess=True) as xero:
        xero.admin.limits(minute=100_000, day=100_000)
        with Estate(tmp_path, xero, clock_rate=20.0) as estate:
            yield estate


def every_action(estate: Estate, first: int, seconds: int = 300) -> None:
    """Publish every kind of action, and wait for their end."""
    events = history(estate.maker)
    for event in events:
        document = event["data"].get("document")
        if document and "document_number" in document:
            document["document_number"] = int(document["document_number"]) + first
    estate.publish(events)
    idle(estate, seconds)


def waiting_for(estate: Estate, stage: str, topic: str) -> int:
    """How many messages of the topic the stage has not acknowledged."""
    kafka = {"bootstrap_servers": estate.kafka.bootstrap_servers}
    return sum(at.waiting for at in standings(kafka, f"sbx-{stage}", [topic]).values())


def books(estate: Estate) -> dict[str, Any]:
    return summary(estate.xero.admin.state(estate.xero.tenant_id))


def entries(estate: Estate) -> list[tuple[Any, ...]]:
    return estate.rows("SELECT entry_id, state FROM integrations_log.entries ORDER BY 1")


def test_a_restored_backup_pays_nothing_twice(estate: Estate, tmp_path: Path) -> None:
    every_action(estate, 1000)
    dump = Dump(estate.postgres.database_url, tmp_path / "dump")
    dump.take()
    every_action(estate, 2000)
    estate.sell(5)
    idle(estate)
    stood, told = books(estate), entries(estate)
    dump.restore()
    plan = recover(estate)
    [account] = plan["accounts"]
    assert account["in_doubt"] and account["missing"] == 13 + 20 and account["since"]
    assert plan["calls"] < account["missing"]
    assert books(estate) == stood
    assert entries(estate) == told
    estate.sell(2)
    idle(estate)
    assert len(books(estate)["invoices"]) == len(stood["invoices"]) + 2
    assert not json.loads(sbx(estate, "recover", "--json"))["accounts"]


def test_a_copy_of_the_files_is_put_back(estate: Estate, tmp_path: Path) -> None:
    every_action(estate, 1000)
    files = estate.postgres._directory
    estate.end_postgres(signal.SIGKILL)
    copy_of(files, tmp_path / "copy")
    estate.start_postgres()
    every_action(estate, 2000)
    stood, told = books(estate), entries(estate)
    estate.end_postgres(signal.SIGINT)
    put_back(files, tmp_path / "copy")
    estate.start_postgres()
    recover(estate)
    assert (books(estate), entries(estate)) == (stood, told)


def test_a_replica_takes_over_that_lost_the_last_commits(estate: Estate, tmp_path: Path) -> None:
    every_action(estate, 1000)
    replica = Replica(estate, tmp_path)
    try:
        replica.follow()
        replica.fall_behind()
        every_action(estate, 2000)
        stood, told = books(estate), entries(estate)
        estate.sell(3)
        time.sleep(0.5)  # amid the work
        estate.end_postgres(signal.SIGKILL)
        replica.take_over()
        recover(estate)
        grown = books(estate)
        assert [i for i in grown["invoices"] if i in stood["invoices"]] == stood["invoices"]
        assert [i[2] for i in grown["invoices"] if i not in stood["invoices"]] == ["PAID"] * 3
        assert len(entries(estate)) == len(told) + 12
    finally:
        replica.postgres.stop()


def test_what_a_paused_account_was_sent_since_the_backup_is_not_lost(estate: Estate, tmp_path: Path) -> None:
    """Nothing was called since then: only the intake's mark tells that the database has gone back."""
    every_action(estate, 1000)
    sbx(estate, "pause", estate.shop.account, "--reason", "stocktaking")
    dump = Dump(estate.postgres.database_url, tmp_path / "dump")
    dump.take()
    estate.sell(3)
    sent = 3 * EVENTS_A_SALE
    waiting = "SELECT count(*) FROM integrations_log.entries WHERE state = 'queued'"
    estate.wait("the log has all", lambda: estate.rows(waiting) == [(sent,)])
    # The log hears of them from the stage before: taken in and marked is what is acknowledged.
    estate.wait("all are taken in", lambda: not waiting_for(estate, "deliver", COMMANDS))
    dump.restore()
    estate.wait("everything is held", lambda: estate.says("sbx recover"))
    [account] = json.loads(sbx(estate, "recover", "--yes", "--json"))["accounts"]
    assert account["missing"] == sent
    sbx(estate, "resume", estate.shop.account)
    idle(estate)
    assert [invoice[2] for invoice in books(estate)["invoices"]].count("PAID") >= 3
    assert estate.rows("SELECT count(*) FROM integrations_log.entries WHERE state <> 'completed'") == [(0,)]


def test_the_ledger_is_lost_whole(estate: Estate, tmp_path: Path) -> None:
    every_action(estate, 1000)
    estate.sell(5)
    idle(estate)
    stood = books(estate)
    dump = Dump(estate.postgres.database_url, tmp_path / "dump")
    dump.empty()
    sbx(estate, "migrate")
    estate.connect()
    recover(estate)
    assert books(estate) == stood
    estate.sell(2)
    idle(estate)
    assert len(books(estate)["invoices"]) == len(stood["invoices"]) + 2


def test_kafka_is_lost_whole(estate: Estate, tmp_path: Path) -> None:
    every_action(estate, 1000)
    stood, told = books(estate), entries(estate)
    files = estate.kafka._directory
    estate.end_kafka(signal.SIGKILL)
    shutil.rmtree(files)
    estate.start_kafka()
    sbx(estate, "topics", "create")
    # The watchdogs may have to end consumers that wait for old offsets: two minutes, stage by stage.
    every_action(estate, 2000, 500)
    estate.sell(2)
    idle(estate)
    assert [i for i in books(estate)["invoices"] if i in stood["invoices"]] == stood["invoices"]
    assert len(books(estate)["invoices"]) == 2 * len(stood["invoices"]) + 2
    assert len(entries(estate)) == 2 * len(told) + 8
    # The broker counts a dead worker until its session ends.
    estate.wait("ready", lambda: bool(estate.status()["ready"]))


@pytest.mark.long  # the watchdogs take up to a minute, one stage after the other
def test_both_are_restored_from_different_hours(estate: Estate, tmp_path: Path) -> None:
    """The broker is older than the database: the events between are published again, from where they came,
    while the account is paused.
    """
    every_action(estate, 1000)
    files = estate.kafka._directory
    estate.end_kafka(signal.SIGKILL)
    copy_of(files, tmp_path / "kafka-copy")
    estate.start_kafka()
    every_action(estate, 2000)
    dump = Dump(estate.postgres.database_url, tmp_path / "dump")
    dump.take()
    published = estate.published
    every_action(estate, 3000)
    stood, told = books(estate), entries(estate)
    after = estate.published[len(published) :]
    estate.end_kafka(signal.SIGKILL)
    put_back(files, tmp_path / "kafka-copy")
    dump.restore()
    sbx(estate, "pause", "acme", "--reason", "a restore")
    estate.start_kafka()
    estate.publish(after)
    sbx(estate, "recover", "--everything", "--yes")
    sbx(estate, "resume", "acme")
    # Where a partition is as long again as it was read, nothing tells its stage but its watchdog.
    idle(estate, 450)
    assert (books(estate), entries(estate)) == (stood, told)


def test_the_steps_of_the_chapter_as_they_stand_there(estate: Estate, tmp_path: Path) -> None:
    every_action(estate, 1000)
    environ = {
        **estate.environment,
        "PATH": f"{Path(sys.executable).parent}:{packaged_bin_dir()}:{os.environ['PATH']}",
    }
    run = steps("Backups")
    assert len(run) == 1 and run[0].startswith("pg_dump ")
    _in_a_shell(run[0], environ, tmp_path)
    every_action(estate, 2000)
    stood, told = books(estate), entries(estate)
    run = steps("Recovery")
    assert [one.split()[0] for one in run] == ["pg_restore", "sbx", "sbx", "sbx", "sbx"]
    _in_a_shell(run[0], environ, tmp_path)
    estate.wait("everything is held", lambda: estate.says("sbx recover"))
    assert [account["held"] for account in estate.status()["accounts"]] == ["ledger_behind"]
    said = [_in_a_shell(one, environ, tmp_path) for one in run[1:-1]]
    estate.wait("ready", lambda: bool(estate.status()["ready"]))
    said.append(_in_a_shell(run[-1], environ, tmp_path))
    assert "13 of them missing from the database" in said[0] and "add --yes" in said[0]
    assert "13 events recovered" in said[1]
    *_, ready, page = said[3].splitlines()
    assert ready.startswith("ready") and page.startswith("page "), said[3]
    assert (books(estate), entries(estate)) == (stood, told)


def steps(chapter: str) -> list[str]:
    """The commands of a chapter of the page, in order."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [text] = re.findall(rf"^## {chapter}$(.*?)^## ", page, re.M | re.S)
    blocks = re.findall(r"```console\n(.*?)```", text, re.S)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def _in_a_shell(command: str, environ: dict[str, str], where: Path) -> str:
    done = subprocess.run(
        ["sh", "-c", command],
        env=environ,
        cwd=where,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_a_plain_replay_looks_up_what_the_ledger_does_not_know(estate: Estate) -> None:
    """Nothing says that the ledger is behind: as if somebody had deleted what it knew."""
    every_action(estate, 1000)
    stood = books(estate)
    calls = len(estate.xero.admin.calls())
    lost = "ledger.commands, ledger.links, ledger.elements, ledger.intents, ledger.snapshots"
    with psycopg.connect(estate.postgres.database_url, autocommit=True) as connection:
        connection.execute(f"TRUNCATE {lost} CASCADE".encode())
    sbx(estate, "replay", "--yes")
    idle(estate)
    assert books(estate) == stood
    assert {state for _, state in entries(estate)} == {"completed"}
    assert len(estate.xero.admin.calls()) - calls < 13
