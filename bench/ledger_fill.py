"""Narrow rows in all tables of the ledger that grow, as half a year of shops leaves them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg

from runtime.sql import load_queries

_BITE = 100_000
_SQL = load_queries(__file__)
_LEDGER = ("commands", "snapshots", "links", "intents", "elements", "attempts", "requests", "drift_runs")
_LOG = ("entries",)
"""The statements that fill a table each."""


def fill(
    database_url: str, commands: int, until: datetime, accounts: int, *, first: int = 1, log: bool = True
) -> None:
    """Insert commands from number ``first`` up to ``commands``, with what such sales leave behind.

    Args:
        until: when the last one came.
        accounts: ``shop-001`` and so on, which have as many each.
        log: fill the log as well.
    """
    known = {"commands": commands, "until": until, "accounts": accounts}
    with psycopg.connect(database_url, autocommit=True) as connection:
        with _without_indexes(connection):
            for begin in range(first, commands + 1, _BITE):
                part = known | {"from": begin, "to": min(begin + _BITE - 1, commands)}
                with _without_checks(connection):
                    for name in _LEDGER:
                        connection.execute(_SQL[name], part)
                for name in _LOG if log else ():
                    connection.execute(_SQL[name], part)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


@contextmanager
def _without_checks(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Whether each element has its call is not looked up."""
    connection.execute("SET session_replication_role = replica")
    yield
    connection.execute("RESET session_replication_role")


@contextmanager
def _without_indexes(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Make them again at the end: that takes a fraction of the time."""
    indexes = connection.execute(_SQL["indexes"]).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    connection.execute("SET maintenance_work_mem = '1GB'")
    for _, definition in indexes:
        connection.execute(definition.encode())
