"""The Integrations Log of a demo."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import dict_row

from runtime.environment import Environment
from runtime.sql import load_queries

_SQL = load_queries(__file__)


def entries_of(used: Environment) -> list[dict[str, Any]]:
    """Return all entries of the log."""
    with psycopg.connect(**used.psycopg("sbx demo"), row_factory=dict_row) as database:
        return database.execute(_SQL["entries"]).fetchall()


def states_of(database: psycopg.Connection[Any], account: str) -> Mapping[str, int]:
    """Return how many entries are completed, failed and so on."""
    rows = database.execute(_SQL["states"], {"account": account}).fetchall()
    return {"completed": 0, "failed": 0, **{row[0]: int(row[1]) for row in rows}}
