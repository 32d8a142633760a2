"""Migrations on a real PostgreSQL: once, in order, whole or not at all, and never changed afterwards."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from sbx.migrations import Migration, MigrationError, apply, find_migrations, migrate

FIRST = Migration("a", "001_first.sql", "CREATE TABLE first (id int); INSERT INTO first VALUES (1);")
SECOND = Migration("a", "002_second.sql", "ALTER TABLE first ADD note text DEFAULT '100 %s';")


def test_the_product_s_migrations_are_applied_once(empty_database_url: str) -> None:
    first = migrate(empty_database_url)
    assert first == [str(migration) for migration in find_migrations()]
    assert "connections/001_connections.sql" in first
    assert migrate(empty_database_url) == []


def test_only_what_is_new_is_applied(empty_database_url: str) -> None:
    assert apply(empty_database_url, [FIRST]) == ["a/001_first.sql"]
    assert apply(empty_database_url, [FIRST, SECOND]) == ["a/002_second.sql"]
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT note FROM first").fetchall() == [("100 %s",)]


def test_a_changed_migration_is_refused(empty_database_url: str) -> None:
    apply(empty_database_url, [FIRST])
    changed = Migration("a", "001_first.sql", FIRST.sql + " -- changed")
    with pytest.raises(MigrationError, match=r"a/001_first\.sql was applied .* with different content"):
        apply(empty_database_url, [changed, SECOND])


def test_a_refused_migration_leaves_nothing_behind(empty_database_url: str) -> None:
    broken = Migration("a", "002_broken.sql", "CREATE TABLE half (id int); SELECT no_such_column FROM half;")
    with pytest.raises(MigrationError, match=r"a/002_broken\.sql was refused .*no_such_column"):
        apply(empty_database_url, [FIRST, broken])
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT to_regclass('half'), to_regclass('first')").fetchone() == (
            None,
            "first",
        )
    mended = Migration("a", "002_broken.sql", "CREATE TABLE half (id int);")
    assert apply(empty_database_url, [FIRST, mended]) == ["a/002_broken.sql"]


def test_several_processes_at_once_apply_each_migration_once(empty_database_url: str) -> None:
    slow = Migration("a", "001_slow.sql", "SELECT pg_sleep(0.3); CREATE TABLE slow (id int);")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: apply(empty_database_url, [slow]), range(4)))
    assert sorted(done) == [[], [], [], ["a/001_slow.sql"]]


def test_indexes_are_made_while_others_write(empty_database_url: str) -> None:
    """Statements that cannot be in a transaction; again from the first if one of them fails."""
    made = Migration(
        "a",
        "002_index.sql",
        "-- without a transaction\nDROP INDEX CONCURRENTLY IF EXISTS first_id;\n"
        "CREATE INDEX CONCURRENTLY first_id ON first (id);\n-- one; more\nALTER TABLE second ADD note int;\n",
    )
    apply(empty_database_url, [FIRST])
    with psycopg.connect(empty_database_url) as writer, pytest.raises(MigrationError, match="second"):
        writer.execute("CREATE TABLE other (id int)")
        apply(empty_database_url, [made])
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE second (id int)")
        assert apply(empty_database_url, [made]) == ["a/002_index.sql"]
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'first_id'::regclass"
        assert connection.execute(valid).fetchone() == (True,)
        connection.execute("SELECT note FROM second")


def test_a_concurrent_migration_keeps_no_writer_waiting(empty_database_url: str) -> None:
    made = Migration(
        "a", "002_index.sql", "-- without a transaction\nCREATE INDEX CONCURRENTLY first_id ON first (id);\n"
    )
    apply(empty_database_url, [FIRST])
    with psycopg.connect(empty_database_url) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute("INSERT INTO first VALUES (2)")
        applied = pool.submit(apply, empty_database_url, [made])
        with psycopg.connect(empty_database_url, autocommit=True) as other:
            other.execute("SET lock_timeout = '2s'")
            other.execute("INSERT INTO first VALUES (3)")
        writer.commit()
        assert applied.result() == ["a/002_index.sql"]


def test_names_and_numbers_are_checked(tmp_path: Path) -> None:
    folder = tmp_path / "p" / "migrations"
    folder.mkdir(parents=True)
    (folder / "001_a.sql").write_text("SELECT 1")
    assert [str(found) for found in find_migrations(tmp_path, {"p": "p", "none": "none"})] == ["p/001_a.sql"]
    (folder / "001_b.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match="same number"):
        find_migrations(tmp_path, {"p": "p"})
    (folder / "001_b.sql").rename(folder / "2_b.sql")
    with pytest.raises(MigrationError, match="NNN_name"):
        find_migrations(tmp_path, {"p": "p"})
