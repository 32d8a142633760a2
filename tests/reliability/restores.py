"""Backups and replicas of an estate's database, and what is done with them."""

import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from sandbox.postgres import EmbeddedPostgres, packaged_bin_dir
from sandbox.process import Ports, no_progress
from tests.integration.sinks.shops import PATIENCE
from tests.reliability.estate import Estate


def run_postgres(program: str, *arguments: str, url: str = "") -> None:
    """One of PostgreSQL's own programs; ``url`` names the server to those that take no address."""
    environ = dict(os.environ)
    if url:
        parts = urlsplit(url)
        environ |= {"PGHOST": str(parts.hostname), "PGPORT": str(parts.port)}
        environ |= {"PGUSER": str(parts.username), "PGPASSWORD": str(parts.password)}
    done = subprocess.run(
        [str(packaged_bin_dir() / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environ,
    )
    assert done.returncode == 0, done.stderr


class Dump:
    """A backup as ``pg_dump`` makes it of a database at work, and ``pg_restore`` puts back."""

    def __init__(self, database_url: str, file: Path) -> None:
        self.url, self.file = database_url, file

    def take(self) -> None:
        run_postgres("pg_dump", "--format=custom", f"--file={self.file}", self.url)

    def restore(self) -> None:
        """In place of what is there, whoever is connected."""
        self.empty()
        run_postgres("pg_restore", "--exit-on-error", f"--dbname={self.url}", str(self.file))

    def empty(self) -> None:
        """An empty database in place of what is there."""
        name = urlsplit(self.url).path.lstrip("/")
        with psycopg.connect(self.url.removesuffix(name) + "postgres", autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
            server.execute(f'CREATE DATABASE "{name}"'.encode())


def copy_of(directory: Path, to: Path) -> None:
    """A copy of files with their owner and rights, as a backup of the file system makes it."""
    subprocess.run(["cp", "-a", str(directory), str(to)], check=True)


def put_back(directory: Path, copy: Path) -> None:
    """The copied files in place of those that are there."""
    shutil.rmtree(directory)
    copy_of(copy, directory)


class Replica:
    """A PostgreSQL that follows the estate's, as streaming replication does."""

    def __init__(self, estate: Estate, directory: Path) -> None:
        self._estate = estate
        self._data = directory / f"replica-{secrets.token_hex(4)}"
        password = directory / "replica.password"
        password.write_text(str(urlsplit(estate.postgres.database_url).password) + "\n")
        ports = Ports(directory / "replica-ports.json")
        self.postgres = EmbeddedPostgres(self._data, password, directory / "replica.log", ports)
        url = estate.postgres.database_url
        run_postgres(
            "pg_basebackup", "-D", str(self._data), "--write-recovery-conf", "--checkpoint=fast", url=url
        )
        if os.geteuid() == 0:
            owner = pwd.getpwnam("nobody")
            for path in (self._data, *self._data.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def follow(self) -> None:
        """Start it, and wait until it has all that the primary has now."""
        self.postgres.start(no_progress)
        [[wanted]] = self._estate.rows("SELECT pg_current_wal_lsn()::text")
        behind = f"SELECT pg_last_wal_replay_lsn() >= '{wanted}'::pg_lsn"
        self._estate.wait("the replica has followed", lambda: self._ask(behind))

    def fall_behind(self) -> None:
        """What the primary commits from now on does not reach it."""
        self.postgres.stop()

    def take_over(self) -> None:
        """The primary is gone for good: this is the database now, for all who connect."""
        self.postgres.start(no_progress)
        self._ask("SELECT pg_promote()")
        address = urlsplit(self.postgres.database_url)
        assert address.port
        self._estate.postgres_proxy.target = ("127.0.0.1", address.port)
        self._estate.postgres = self.postgres

    def _ask(self, statement: str) -> Any:
        with psycopg.connect(self.postgres.database_url, autocommit=True) as connection:
            row = connection.execute(statement.encode()).fetchone()
        return row and row[0]


def sbx(estate: Estate, *arguments: str, code: int = 0, timeout: float = PATIENCE) -> str:
    """What a command prints."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("sbx")), *arguments],
        env=estate.environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout


def idle(estate: Estate, seconds: int = 300) -> None:
    """Wait until all has ended."""
    sbx(estate, "wait", "--idle", "--timeout", str(seconds), timeout=seconds + 60)


def recover(estate: Estate, *options: str) -> dict[str, Any]:
    """Wait for the hold, look at the plan, do it; returns the plan."""
    estate.wait("everything is held", lambda: estate.says("sbx recover"))
    plan: dict[str, Any] = json.loads(sbx(estate, "recover", "--json", *options))
    assert plan["applied"] is False
    done = json.loads(sbx(estate, "recover", "--yes", "--json", *options))
    assert done["applied"] is True
    idle(estate)
    return plan
