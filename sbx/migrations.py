"""Numbered SQL migrations: ``PACKAGE/migrations/NNN_name.sql``, applied once, in order, never changed.

Plain PostgreSQL through psycopg: each migration is one file and one transaction; ``public.sbx_migrations``
records which were applied, with what content.

A migration that begins with ``-- without a transaction`` creates and drops indexes concurrently, so that
nobody waits for them. Its statements are run one by one, and again from the first if one of them fails.
"""

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from runtime.pooling import PooledByTransaction, refuse_now
from runtime.schema import BREAKS, FILE_NAME, PACKAGES, ROOT
from sbx.migration_locks import Say, holders, watched

WAIT_SECONDS = 60.0
"""How long a migration waits for others' locks before it gives up."""
_LOCK_TIMEOUT_SECONDS = 4
"""How long one attempt waits: everyone who wants the table after it queues behind it."""
_LOCK = 0x5342584D  # "SBXM": one migrating process at a time, whatever the database is called
_ONE_BY_ONE = "-- without a transaction"
_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS public.sbx_migrations (
    package    text NOT NULL,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (package, name)
);
"""
_ADD_BREAKS = "ALTER TABLE public.sbx_migrations ADD COLUMN breaks boolean NOT NULL DEFAULT false"
_HAS_BREAKS = """
SELECT 1 FROM pg_attribute
WHERE attrelid = 'public.sbx_migrations'::regclass AND attname = 'breaks' AND NOT attisdropped
"""


_END_WORKERS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
  AND application_name LIKE 'sbx-%'
"""
"""Workers check the schema's version when they connect, so those that reconnect notice this one."""


class MigrationError(Exception):
    """A migration file has changed, is misnamed, or is refused by the database."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of SQL."""

    package: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 (hex) of the content."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def breaks(self) -> bool:
        """True if programs that do not know it cannot work with the database any more."""
        return self.sql.startswith(BREAKS)

    @property
    def one_by_one(self) -> bool:
        """True if its statements cannot be in a transaction."""
        return self.sql.startswith(_ONE_BY_ONE)

    def __str__(self) -> str:
        return f"{self.package}/{self.name}"


def find_migrations(root: Path = ROOT, packages: Mapping[str, str] = PACKAGES) -> list[Migration]:
    """Return all migrations in the order in which they are applied. A package may have none.

    Raises:
        MigrationError: a file's name is not ``NNN_name.sql``, or a number is used twice in one package.
    """
    found: list[Migration] = []
    for package, folder in packages.items():
        numbers: dict[str, str] = {}
        for path in sorted((root / folder / "migrations").glob("*.sql")):
            if not FILE_NAME.fullmatch(path.name):
                raise MigrationError(f"{package}/{path.name}: migrations are named NNN_name.sql; rename it")
            twin = numbers.setdefault(path.name[:3], path.name)
            if twin != path.name:
                raise MigrationError(f"{package}/{path.name}: {twin} has the same number; renumber one")
            found.append(Migration(package, path.name, path.read_text(encoding="utf-8")))
    return found


def _unheard(_said: str) -> None:
    return


def migrate(database_url: str, say: Say = _unheard, wait: float = WAIT_SECONDS) -> list[str]:
    """Bring the database up to date; return ``package/NNN_name.sql`` of each migration applied now.

    Safe to call from several processes at once: the others wait and then find nothing to do.

    Args:
        say: receives who holds a lock that this waits for.
        wait: how many seconds to wait for locks.

    Raises:
        MigrationError: an applied migration has changed, PostgreSQL refuses one, a lock did not become
            free in time, or the address leads to a transaction-pooling proxy; earlier ones stay.
        psycopg.OperationalError: the database cannot be reached.
    """
    return apply(database_url, find_migrations(), say, wait)


def apply(
    database_url: str, migrations: Iterable[Migration], say: Say = _unheard, wait: float = WAIT_SECONDS
) -> list[str]:
    """Apply the migrations that the database does not have yet; see ``migrate``."""
    applied: list[str] = []
    arguments: dict[str, Any] = {
        "conninfo": database_url,
        "application_name": "sbx migrate",
        "connect_timeout": 10,
    }
    with psycopg.connect(**arguments, autocommit=True) as connection:
        try:
            refuse_now(connection, arguments)
        except PooledByTransaction as error:
            raise MigrationError(str(error)) from error
        # A lock of the session: released when the connection closes, even by a crash.
        _lock(connection, say, wait)
        connection.execute(_CREATE_TABLE)
        if connection.execute(_HAS_BREAKS).fetchone() is None:
            connection.execute(_ADD_BREAKS)
        rows = connection.execute(
            "SELECT package || '/' || name, checksum FROM public.sbx_migrations"
        ).fetchall()
        known: dict[str, str] = dict(rows)
        for migration in migrations:
            checksum = known.get(str(migration))
            if checksum is None:
                _apply_patiently(connection, arguments, migration, say, wait)
                applied.append(str(migration))
                if migration.breaks:
                    connection.execute(_END_WORKERS)
            elif checksum != migration.checksum:
                raise MigrationError(
                    f"{migration} was applied to this database with different content; restore the file and "
                    f"put the change into a new migration"
                )
    return applied


def _lock(connection: psycopg.Connection, say: Say, wait: float) -> None:
    """Wait until no other process is migrating."""
    until, told = time.monotonic() + wait, ""
    while not _tried(connection):
        holder = holders(connection, _LOCK) or told
        if time.monotonic() >= until:
            raise MigrationError(f"another migration did not finish within {wait:.0f} s: {holder}")
        if holder and holder != told:
            say(f"waiting for another migration: {holder}")
            told = holder
        time.sleep(0.2)


def _tried(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK]).fetchone()
    return row is not None and bool(row[0])


def _apply_patiently(
    connection: psycopg.Connection, arguments: dict[str, Any], migration: Migration, say: Say, wait: float
) -> None:
    """Retry while somebody holds a lock, letting others through between attempts."""
    until = time.monotonic() + wait
    # Nobody queues behind what is done concurrently, and beginning again would cost all that it has done.
    longest = wait if migration.one_by_one else min(_LOCK_TIMEOUT_SECONDS, wait)
    connection.execute(f"SET lock_timeout = '{max(longest, 0.1):.1f}s'".encode())
    with watched(arguments, connection.info.backend_pid, say) as seen:
        while True:
            try:
                return _apply_one(connection, migration)
            except psycopg.errors.LockNotAvailable as error:
                if time.monotonic() >= until:
                    holder = seen[-1] if seen else "a session that has just released it"
                    raise MigrationError(
                        f"{migration} got no lock within {wait:.0f} s and was rolled back; {holder} holds "
                        f"it; end that session (SELECT pg_terminate_backend(pid)), or run this again later"
                    ) from error
                time.sleep(0.5)


def _apply_one(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        if migration.one_by_one:
            for statement in _statements(migration.sql):
                connection.execute(statement.encode())
            _note(connection, migration)
            return
        with connection.transaction():
            # Without parameters, psycopg sends the file unchanged: several statements, % not interpreted.
            connection.execute(migration.sql.encode())
            _note(connection, migration)
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        if connection.closed:
            raise
        raise MigrationError(f"{migration} was refused by the database and rolled back: {error}") from error


def _statements(text: str) -> list[str]:
    """Return the statements of a migration: each ends with a semicolon at the end of a line."""
    code = re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    return [found.strip() for found in re.split(r";[ ]*$", code, flags=re.MULTILINE) if found.strip()]


def _note(connection: psycopg.Connection, migration: Migration) -> None:
    connection.execute(
        "INSERT INTO public.sbx_migrations (package, name, checksum, breaks) VALUES (%s, %s, %s, %s)",
        [migration.package, migration.name, migration.checksum, migration.breaks],
    )
