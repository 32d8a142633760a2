"""A connection to no database, which notes what it is asked: how often a lane asks, and for what."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sinks.ledger import exchange_rates, situations
from sinks.ledger import store as ledger

_NAMES = {
    statement: name
    for statements in (ledger.SQL, situations._SQL, exchange_rates._SQL)
    for name, statement in statements.items()
} | {ledger.SQL["update_commands"] + " RETURNING c.command_id": "update_commands"}

Answer = Callable[[Any], Sequence[Any]]


def _all_updated(parameters: Any) -> list[tuple[str]]:
    return [(row["command_id"],) for row in json.loads(parameters[0])]


@dataclass
class Recording:
    """Answers statements by their names: the fence holds, every update finds its rows, all else is empty."""

    answers: Mapping[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    given: dict[str, Any] = field(default_factory=dict)
    """The last parameters of each statement."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Recording"]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.asked.append("BEGIN")
        yield
        self.asked.append("COMMIT")

    @asynccontextmanager
    async def cursor(self, **_: Any) -> AsyncIterator["_Cursor"]:
        yield _Cursor(self)

    async def execute(self, statement: str, parameters: Any = None, **_: Any) -> "_Cursor":
        cursor = _Cursor(self)
        await cursor.execute(statement, parameters)
        return cursor

    def rows(self, statement: str, parameters: Any) -> Sequence[Any]:
        name = _NAMES.get(statement, statement)
        self.asked.append(name)
        self.given[name] = parameters
        known: dict[str, Answer] = {
            "check_fence": lambda _: [("", 0, False)],
            "update_commands": _all_updated,
        }
        return (known | dict(self.answers)).get(name, lambda _: [])(parameters)


@dataclass
class _Cursor:
    recording: Recording
    found: Sequence[Any] = ()

    async def execute(self, statement: str, parameters: Any = None, **_: Any) -> None:
        self.found = self.recording.rows(statement, parameters)

    async def fetchall(self) -> Sequence[Any]:
        return self.found

    async def fetchone(self) -> Any:
        return self.found[0] if self.found else None
