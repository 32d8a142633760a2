"""Numbered SQL migrations: ``PACKAGE/migrations/NNN_name.sql``, applied once, in order, never changed.

Plain PostgreSQL through psycopg: a migration is one file and one transaction, and ``public.sbx_migrations``
says which were applied and with what content.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psycopg

PACKAGES = ("connections", "sinks", "log_projection", "web")
"""In the order in which their migrations are applied."""

_ROOT = Path(__file__).resolve().parents[1]
_LOCK = 0x5342584D  # "SBXM": one migrating process at a time, whatever the database is called
_FILE_NAME = re.compile(r"[0-9]{3}_[a-z0-9_]+\.sql")
_CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS public.sbx_migrations (
    package    text NOT NULL,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (package, name)
)
"""
_SELECT_APPLIED = "SELECT package || '/' || name, checksum FROM public.sbx_migrations"


class MigrationError(Exception):
    """A migration file is not what it was, is misnamed, or the database refuses it."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of SQL."""

    package: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 (hex) of the content."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.package}/{self.name}"


def find_migrations(root: Path = _ROOT, packages: Iterable[str] = PACKAGES) -> list[Migration]:
    """All migrations in the order in which they are applied. A package may have none.

    Raises:
        MigrationError: a file's name is not ``NNN_name.sql``, or a number stands twice in one package.
    """
    found: list[Migration] = []
    for package in packages:
        numbers: dict[str, str] = {}
        for path in sorted((root / package / "migrations").glob("*.sql")):
            if not _FILE_NAME.fullmatch(path.name):
                raise MigrationError(f"{package}/{path.name}: a migration is called NNN_name.sql; rename it")
            twin = numbers.setdefault(path.name[:3], path.name)
            if twin != path.name:
                raise MigrationError(f"{package}/{path.name}: {twin} has the same number; renumber one")
            found.append(Migration(package, path.name, path.read_text(encoding="utf-8")))
    return found


def migrate(database_url: str) -> list[str]:
    """Bring the database up to date; ``package/NNN_name.sql`` of each migration applied now.

    Safe to call from several processes at once: the others wait, then find nothing to do.

    Raises:
        MigrationError: an applied migration has changed, or PostgreSQL refuses one; earlier ones stay.
        psycopg.OperationalError: the database cannot be reached.
    """
    return apply(database_url, find_migrations())


def apply(database_url: str, migrations: Iterable[Migration]) -> list[str]:
    """Apply those of ``migrations`` that the database does not have yet; see ``migrate``."""
    applied: list[str] = []
    with psycopg.connect(database_url, autocommit=True, application_name="sbx migrate") as connection:
        # A lock of the session: released when the connection closes, even by a crash.
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        connection.execute(_CREATE_TABLE)
        rows = connection.execute(
            "SELECT package || '/' || name, checksum FROM public.sbx_migrations"
        ).fetchall()
        known: dict[str, str] = dict(rows)
        for migration in migrations:
            checksum = known.get(str(migration))
            if checksum is None:
                _apply_one(connection, migration)
                applied.append(str(migration))
            elif checksum != migration.checksum:
                raise MigrationError(
                    f"{migration} was applied to this database with other content; "
                    "restore the file and put the change into a new migration"
                )
    return applied


def _apply_one(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        with connection.transaction():
            # Without parameters psycopg sends the file as it stands: several statements, % unread.
            connection.execute(migration.sql.encode())
            connection.execute(
                "INSERT INTO public.sbx_migrations (package, name, checksum) VALUES (%s, %s, %s)",
                [migration.package, migration.name, migration.checksum],
            )
    except psycopg.Error as error:
        if connection.closed:
            raise
        raise MigrationError(f"{migration} was refused by the database and undone: {error}") from error
