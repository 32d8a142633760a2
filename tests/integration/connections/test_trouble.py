"""A database that is there but does not serve: each class of error, through the stages' own code."""

import asyncio
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from structlog.testing import capture_logs

from runtime.environment import Environment
from runtime.pooling import PooledByTransaction, refuse
from sandbox.fake_xero.server import FakeXeroServer
from sbx.migrations import Migration, MigrationError, apply
from streams.batch_writer import BatchWriter, database_pool
from streams.liveness import Liveness
from tests.integration.sinks.shops import Maker, connected_shop, delivering

WAITED_OUT = [
    "08006",
    "25006",
    "25P03",
    "28000",
    "28P01",
    "3D000",
    "3F000",
    "40001",
    "40P01",
    "42501",
    "42P01",
    "42703",
    "53000",
    "53100",
    "53200",
    "53300",
    "55P03",
    "55006",
    "57014",
    "57P01",
    "57P02",
    "57P03",
    "58000",
    "58030",
    "XX000",
    "F0000",
]
SET_ASIDE = ["21000", "22P05", "22001", "23505", "44000", "54000"]


def _environment(url: str, directory: Path) -> Environment:
    return Environment.read({"SBX_DATABASE_URL": url, "SBX_DATA_DIR": str(directory)})


@pytest.mark.parametrize("state", WAITED_OUT)
async def test_a_stage_waits_and_goes_on(state: str, database_url: str, tmp_path: Path) -> None:
    """Raised by PostgreSQL itself, three times; then it is over."""
    left, logs = await _saved(database_url, tmp_path, state, times=3)
    assert left == []
    assert [line["event"] for line in logs] == [
        "the database does not serve; waiting",
        "the database serves again",
    ]


@pytest.mark.parametrize("state", SET_ASIDE)
async def test_what_comes_again_is_set_aside_alone(state: str, database_url: str, tmp_path: Path) -> None:
    left, _ = await _saved(database_url, tmp_path, state, times=10**6)
    assert [item for item, _ in left] == ["bad"]


async def test_what_breaks_older_versions_is_noticed_by_each_who_writes(
    database_url: str, tmp_path: Path
) -> None:
    """A migration ends all sessions, but only the first to use one of them again meets an error."""
    written: list[str] = []

    async def write(_connection: psycopg.AsyncConnection[Any], items: Sequence[str]) -> None:
        written.extend(items)

    liveness = Liveness()
    async with database_pool(_environment(database_url, tmp_path), "test", 1) as pool:
        writer = BatchWriter[str](pool, write, liveness)
        assert await writer.save(["a"]) == []
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as migrating:
            await migrating.execute(
                "INSERT INTO public.sbx_migrations (package, name, checksum, breaks) "
                "VALUES ('sinks', '990_made_up.sql', '', true)"
            )
            await migrating.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            with pytest.raises(psycopg.OperationalError):
                async with pool.connection() as first:
                    await first.execute("SELECT 1")
            with capture_logs() as logs:
                saving = asyncio.create_task(writer.save(["b"]))
                async with asyncio.timeout(60):
                    while not logs and not saving.done():  # noqa: ASYNC110 - a log has no event
                        await asyncio.sleep(0.02)
                assert written == ["a"]
                assert "cannot work with sinks/990_made_up.sql" in str(logs[0])
                await migrating.execute("DELETE FROM public.sbx_migrations WHERE name = '990_made_up.sql'")
                assert await saving == []
    assert written == ["a", "b"]


async def _saved(url: str, directory: Path, state: str, times: int) -> tuple[Sequence[Any], Any]:
    raised = 0

    async def write(connection: psycopg.AsyncConnection[Any], items: Sequence[str]) -> None:
        nonlocal raised
        if "bad" in items and raised < times:
            raised += 1
            await connection.execute(
                f"DO $$ BEGIN RAISE EXCEPTION 'as wished' USING ERRCODE = '{state}'; END $$".encode()
            )

    async with database_pool(_environment(url, directory), "test", 1) as pool:
        with capture_logs() as logs:
            left = await BatchWriter[str](pool, write, Liveness()).save(["a", "bad", "c"])
    return left, logs


@pytest.mark.parametrize(
    ("trouble", "remedy"),
    [
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "ALTER DATABASE {} RESET ALL"),
        ("ALTER SCHEMA ledger RENAME TO gone", "ALTER SCHEMA gone RENAME TO ledger"),
        ("ALTER TABLE ledger.commands RENAME TO gone", "ALTER TABLE ledger.gone RENAME TO commands"),
        (
            "ALTER TABLE ledger.intents RENAME COLUMN target TO gone",
            "ALTER TABLE ledger.intents RENAME COLUMN gone TO target",
        ),
        ("ALTER DATABASE {} SET statement_timeout = 1", "ALTER DATABASE {} RESET ALL"),
        ("ALTER DATABASE {} ALLOW_CONNECTIONS false", "ALTER DATABASE {} ALLOW_CONNECTIONS true"),
    ],
    ids=["read-only", "without schema", "without table", "without column", "statement timeout", "no login"],
)
async def test_lanes_wait_and_go_on(trouble: str, remedy: str, database_url: str, tmp_path: Path) -> None:
    """No lane breaks for it, the account is not paused, and nothing has failed."""
    name = urlsplit(database_url).path[1:]
    admin = database_url.rpartition("/")[0] + "/postgres"
    with FakeXeroServer() as xero, capture_logs() as logs:
        shop = await connected_shop(database_url, xero, tmp_path)
        maker = Maker()
        async with delivering(shop):
            await shop.run(maker.contact("created", maker.customer("First")))
            await shop.send(*(maker.contact("created", maker.customer(f"C{n}")) for n in range(20)))
            await _as_owner(database_url, admin, name, trouble)
            await asyncio.sleep(4)
            await _as_owner(database_url, admin, name, remedy)
            await shop.idle()
        assert {how for _, _, how in await shop.log()} == {"posted"}
        rows = await shop.rows("SELECT paused_reason FROM connections.accounts")
        assert [row["paused_reason"] for row in rows] == [None]
    told = [line["event"] for line in logs]
    assert "lane breaks" not in told
    assert told.count("the database does not serve; waiting") < 8


async def _as_owner(url: str, admin: str, name: str, statement: str) -> None:
    inside = statement.startswith(("ALTER SCHEMA", "ALTER TABLE"))
    async with await psycopg.AsyncConnection.connect(url if inside else admin, autocommit=True) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute(statement.format(name).encode())
        await _end_earlier_sessions(connection, name)


async def _end_earlier_sessions(connection: psycopg.AsyncConnection[Any], name: str) -> None:
    """End those that began before; one that was just beginning shows itself a moment later."""
    row = await (await connection.execute("SELECT clock_timestamp()")).fetchone()
    assert row is not None
    began, quiet = row[0], 0
    while quiet < 5:
        ending = await connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = %s AND pid <> pg_backend_pid() AND backend_start <= %s",
            [name, began],
        )
        quiet = quiet + 1 if await ending.fetchone() == (0,) else 0
        await asyncio.sleep(0.2)


def test_a_migration_says_who_holds_its_lock_and_ends(empty_database_url: str) -> None:
    first = Migration("a", "001_first.sql", "CREATE TABLE first (id int)")
    second = Migration("a", "002_second.sql", "ALTER TABLE first ADD note text")
    apply(empty_database_url, [first])
    said: list[str] = []
    with psycopg.connect(empty_database_url, application_name="a report") as holder:
        holder.execute("SELECT * FROM first")
        started = time.monotonic()
        with pytest.raises(MigrationError, match=r"got no lock .*a report.*SELECT \* FROM first"):
            apply(empty_database_url, [first, second], said.append, wait=8)
        assert time.monotonic() - started < 60
        pid = str(holder.info.backend_pid)
    assert any(f"process {pid} (a report" in line for line in said), said
    assert apply(empty_database_url, [first, second]) == ["a/002_second.sql"]


def test_a_migration_waits_for_another_one_and_says_so(empty_database_url: str) -> None:
    first = Migration("a", "001_first.sql", "CREATE TABLE first (id int)")
    said: list[str] = []
    with psycopg.connect(empty_database_url, autocommit=True, application_name="another") as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [0x5342584D])
        with pytest.raises(MigrationError, match="another migration did not finish within 1 s: process"):
            apply(empty_database_url, [first], said.append, wait=1)
        threading.Timer(5.0, holder.close).start()
        assert apply(empty_database_url, [first], said.append, wait=60) == ["a/001_first.sql"]
    assert "waiting for another migration: process" in said[0]
    assert "another" in said[0]


@pytest.fixture
def pooled_url(database_url: str, tmp_path: Path, unused_port: int) -> Iterator[str]:
    """The database behind a pgbouncer that pools by transaction."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed: 'apt-get install pgbouncer' (.ci/run does)")
    url = urlsplit(database_url)
    (tmp_path / "users.txt").write_text(f'"{url.username}" "{url.password}"\n')
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={url.hostname} port={url.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {unused_port}\nunix_socket_dir =\npool_mode = transaction\n"
        f"auth_type = scram-sha-256\n"
        f"auth_file = {tmp_path}/users.txt\nlogfile = {tmp_path}/log\nuser = nobody\n"
    )
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(path.stat().st_mode | 0o755)
    (tmp_path / "log").touch()
    (tmp_path / "log").chmod(0o666)
    process = subprocess.Popen([program, str(tmp_path / "pgbouncer.ini")], stderr=sys.stderr)
    pooled = f"postgresql://{url.username}:{url.password}@127.0.0.1:{unused_port}{url.path}"
    try:
        for _ in range(300):
            try:
                psycopg.connect(pooled, connect_timeout=2).close()
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        yield pooled
    finally:
        process.terminate()
        process.wait(240)


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_pool_by_transactions_is_refused_by_migrate(pooled_url: str) -> None:
    with pytest.raises(MigrationError, match="pooler that hands sessions out by transaction"):
        apply(pooled_url, [])


async def test_a_pool_by_transactions_is_refused_by_workers(pooled_url: str, database_url: str) -> None:
    for url, pooled in ((pooled_url, True), (database_url, False)):
        arguments: dict[str, Any] = {"conninfo": url}
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            try:
                await refuse(connection, arguments)
                refused = False
            except PooledByTransaction:
                refused = True
        assert refused == pooled
