"""Check whether the database has the tables that this program works with.

Migrations only add, as a rule: a program works with every database that has all of its own migrations,
also with one that a newer version has migrated. A migration that older programs cannot live with says so
in its first line, ``-- breaks older versions``; then they wait.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from runtime.trouble import SchemaDiffers

PACKAGES: Mapping[str, str] = {
    "connections": "connections",
    "sinks": "sinks/ledger",
    "log_projection": "log_projection",
    "web": "sbx/web",
    "sources": "sources/store",
}
"""Where the migrations of each package are, in the order in which they are applied. The names are keys in the
database: a folder may move, its name stays.
"""
ROOT = Path(__file__).resolve().parents[1]
BREAKS = "-- breaks older versions"
FILE_NAME = re.compile(r"[0-9]{3}_[a-z0-9_]+\.sql")
_APPLIED = """
SELECT package || '/' || name AS migration, to_jsonb(m) ->> 'breaks' = 'true' AS breaks
FROM public.sbx_migrations m
"""


@cache
def needed() -> frozenset[str]:
    """Return ``package/NNN_name.sql`` of each migration that this program brings."""
    return frozenset(
        f"{package}/{path.name}"
        for package, folder in PACKAGES.items()
        for path in (ROOT / folder / "migrations").glob("*.sql")
        if FILE_NAME.fullmatch(path.name)
    )


def difference(applied: Mapping[str, bool], own: Iterable[str]) -> str:
    """Return why a program with the migrations ``own`` cannot work with a database; blank if it can. Pure.

    Args:
        applied: by migration, whether it breaks older versions.
    """
    own = set(own)
    missing = sorted(own - applied.keys())
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        return f"the database is older than this program: it lacks {missing[0]}{more}; run 'sbx migrate'"
    breaking = sorted(name for name, breaks in applied.items() if breaks and name not in own)
    if breaking:
        return (
            f"the database is newer than this program, which cannot work with {breaking[0]}; "
            "start the version that brought it"
        )
    return ""


async def check(connection: psycopg.AsyncConnection[Any]) -> None:
    """Check that the database has the tables that this program expects.

    Raises:
        SchemaDiffers: it has not; the message says how it differs and what to do.
    """
    try:
        async with connection.transaction():
            cursor = await connection.execute(_APPLIED)
            rows = await cursor.fetchall()
    except psycopg.errors.UndefinedTable:
        rows = []
    _compare(rows)


def check_now(connection: psycopg.Connection[Any]) -> None:
    """Do the same as ``check``, for a blocking connection."""
    try:
        with connection.transaction():
            rows = connection.execute(_APPLIED).fetchall()
    except psycopg.errors.UndefinedTable:
        rows = []
    _compare(rows)


def _compare(rows: Iterable[Any]) -> None:
    applied = {}
    for row in rows:
        name, breaks = row.values() if isinstance(row, dict) else row
        applied[name] = bool(breaks)
    if problem := difference(applied, needed()):
        raise SchemaDiffers(problem)
