"""Plans of the statements that a piece of work runs, each made with the values of the work itself."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

_PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_ASKED = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "


@dataclass(frozen=True)
class Plan:
    """How PostgreSQL ran a statement once."""

    statement: str
    root: dict[str, Any]

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """Each step of it."""
        found, left = [], [self.root]
        while left:
            found.append(left.pop())
            left += found[-1].get("Plans", ())
        return found

    @property
    def blocks(self) -> int:
        """Blocks of tables and indexes that were read or written, from memory or not."""
        return int(self.root["Shared Hit Blocks"] + self.root["Shared Read Blocks"])

    def read(self, tables: frozenset[str]) -> int:
        """Rows that were taken from these tables, used or not."""
        return sum(_rows(node) for node in self.nodes if node.get("Relation Name") in tables)

    def through(self, tables: frozenset[str]) -> list[str]:
        """Those of these tables that were read from end to end; a step that was planned may not run."""
        return [
            node["Relation Name"]
            for node in self.nodes
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] in tables and node["Actual Loops"]
        ]


def _rows(node: dict[str, Any]) -> int:
    if "Scan" not in node["Node Type"]:
        return 0
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + removed) * node["Actual Loops"])


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, times: int = 4) -> Iterator[list[Plan]]:
    """Have each statement of this process explained before it runs, the first ``times`` times: the values of
    one time may find nothing. The plans, as they come.

    It is run for that and taken back, so that its rows are counted as well; then it runs. What a connection
    that blocks is used for, the gauges, only reads.
    """
    plans: list[Plan] = []
    seen: Counter[str] = Counter()
    run, run_now = psycopg.AsyncCursor.execute, psycopg.Cursor.execute

    def wanted(text: str) -> bool:
        first = next((line for line in text.splitlines() if not line.lstrip().startswith("--")), "")
        planned = first.lstrip().startswith(_PLANNED) and "pg_advisory" not in text
        seen[text] += planned
        return planned and seen[text] <= times

    async def execute(cursor: Any, query: Any, params: Any = None, **how: Any) -> Any:
        if wanted(text := _text(query)):
            plans.append(Plan(text, await _explained(run, cursor.connection, text, params)))
        return await run(cursor, query, params, **how)

    def execute_now(cursor: Any, query: Any, params: Any = None, **how: Any) -> Any:
        if wanted(text := _text(query)):
            with cursor.connection.cursor(row_factory=tuple_row) as other:
                [(found,)] = run_now(other, _ASKED + text, params).fetchall()
            plans.append(Plan(text, _root(found)))
        return run_now(cursor, query, params, **how)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.AsyncCursor, "execute", execute)
        patched.setattr(psycopg.Cursor, "execute", execute_now)
        yield plans


def _text(query: Any) -> str:
    if isinstance(query, bytes):
        return query.decode()
    return query if isinstance(query, str) else str(query.as_string())


async def _explained(run: Any, connection: Any, text: str, params: Any) -> dict[str, Any]:
    async with connection.cursor(row_factory=tuple_row) as cursor:
        await run(cursor, "SELECT 1")
        await cursor.fetchone()  # in a pipeline, all that was sent before has been done now
        alone = connection.info.transaction_status == TransactionStatus.IDLE
        await run(cursor, "BEGIN" if alone else "SAVEPOINT explained")
        await run(cursor, _ASKED + text, params, prepare=False)
        [(found,)] = await cursor.fetchall()
        await run(cursor, "ROLLBACK" if alone else "ROLLBACK TO SAVEPOINT explained")
    return _root(found)


def _root(found: Any) -> dict[str, Any]:
    [plan] = json.loads(found) if isinstance(found, str) else found
    return dict(plan["Plan"])
