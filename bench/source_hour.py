"""A large shop on a clock that is turned ahead: an hour without changes, and what an unchanged row costs."""

import asyncio
import json
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from bench.figures import Figure, Goal, at_most, times_base
from bench.salesbinder import connect_shops, fill
from sandbox import EmbeddedStack
from sandbox.fake_salesbinder import FakeSalesBinderServer
from sandbox.fake_salesbinder.admin_client import FakeSalesBinderAdmin
from sbx.migrations import migrate
from sources.client import Client, api_address
from sources.reader import Published, Reader
from sources.salesbinder.verdicts import Answer
from sources.schedule.layers import LISTINGS, PAGE_LIMIT
from sources.schedule.questions import Question
from sources.store import store

SHOP = "large"
_AWAY = 6 * 3600.0
"""Seconds for which nobody reads after the stock-taking: every layer is due then, and a quarter of a day's
deep reads. No quiet hour has more to ask.
"""
_HOUR = 3600.0
_STEP = 0.001
"""Seconds by which the clock is turned further than to the moment at which something is due."""
# Found before pg_catalog's, by the session of the reader alone.
_CLOCK = """
CREATE SCHEMA turned;
CREATE FUNCTION turned.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.clock_timestamp() + make_interval(secs => current_setting('turned.ahead')::float8) $$
"""
_SESSION = "-c search_path=turned,pg_catalog,public -c turned.ahead=0"
_TAKEN = "SELECT count(*) FROM source.scans WHERE key LIKE 'all/%%' AND finished IS NOT NULL"


@dataclass(slots=True)
class Work:
    """What the reading of unchanged rows took, in seconds of processor time."""

    rows: int = 0
    read: float = 0.0
    parsed: float = 0.0
    """``json.loads`` of the same bytes, each right after it was read."""


@dataclass(slots=True)
class Hour:
    """What was seen."""

    stock_calls: int = 0
    stock_seconds: float = 0.0
    """By the clock."""
    minutes: Counter[int] = field(default_factory=Counter)
    """Calls by minute of the hour."""
    work: dict[str, Work] = field(default_factory=dict)
    """By path of the list."""
    empty: list[float] = field(default_factory=list)
    """What turns took whose page had no rows, in seconds of processor time."""
    events: int = 0


def run() -> list[Figure]:
    """Measure calls by minute, and processor time by row, of the real reader on a turned clock."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory,
        EmbeddedStack(Path(directory) / "stack", kafka=False) as stack,
        FakeSalesBinderServer(subprocess=True) as salesbinder,
    ):
        migrate(stack.database_url)
        with psycopg.connect(stack.database_url, autocommit=True) as connection:
            connection.execute(_CLOCK)
        fill(salesbinder.admin, SHOP)
        asyncio.run(connect_shops(stack.database_url, Path(directory), [SHOP]))
        hour = uvloop.run(_seen(stack.database_url, salesbinder))  # as the worker does
        refused = salesbinder.admin.counters()["by_status"].get("429", 0)
    assert not hour.events, "nothing changed, and something was published"
    return [*_calls(hour, refused), *_costs(hour)]


def _calls(hour: Hour, refused: int) -> list[Figure]:
    return [
        Figure(
            what="stock-taking within the limits, by the clock",
            value=hour.stock_seconds / 60,
            unit="min",
            base="its calls at 40 a minute",
            base_value=hour.stock_calls / 40,
        ),
        Figure(
            what="calls of a quiet hour, per minute",
            value=sum(hour.minutes.values()) / 60,
            unit="",
            base="the limit",
            base_value=40,
            goal=at_most(30),
        ),
        Figure(
            what="the same, the busiest minute",
            value=max(hour.minutes.values()),
            unit="",
            base="the limit",
            base_value=40,
        ),
        Figure(what="answers 429", value=refused, unit=""),
    ]


def _costs(hour: Hour) -> list[Figure]:
    whole = Work()
    for work in hour.work.values():
        whole.rows += work.rows
        whole.read += work.read
        whole.parsed += work.parsed
    by_list = [
        _cost(f"the same, of {path.removesuffix('.json')} alone", work, None)
        for path, work in sorted(hour.work.items())
    ]
    empty = Figure(
        what="of it per call, whatever its answer holds",
        value=sum(hour.empty) / len(hour.empty) * 1e3,
        unit="ms",
        base="a whole page",
        base_value=whole.read / whole.rows * PAGE_LIMIT * 1e3,
    )
    return [_cost("processor time per unchanged row", whole, times_base(3)), *by_list, empty]


def _cost(what: str, work: Work, goal: Goal | None) -> Figure:
    return Figure(
        what=what,
        value=work.read / work.rows * 1e6,
        unit="µs",
        base="json.loads of the same bytes",
        base_value=work.parsed / work.rows * 1e6,
        goal=goal,
    )


class _Watched:
    """A client that remembers what it was asked last, and the answer."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._last: tuple[Question, bytes] | None = None

    async def ask(self, question: Question) -> Answer:
        answer = await self._client.ask(question)
        self._last = (question, answer.body)
        return answer

    def taken(self) -> tuple[Question, bytes] | None:
        """Return what was asked since the last look, and the answer."""
        last, self._last = self._last, None
        return last


class _Clock:
    """Our clock and SalesBinder's, turned ahead together."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], admin: FakeSalesBinderAdmin) -> None:
        self._connection, self._admin = connection, admin
        self._ahead = 0.0

    def now(self) -> float:
        """Return seconds."""
        return time.monotonic() + self._ahead

    async def turn(self, seconds: float) -> None:
        self._ahead += seconds
        self._admin.advance(seconds)
        await self._connection.execute("SELECT set_config('turned.ahead', %s, false)", [str(self._ahead)])


async def _seen(database_url: str, salesbinder: FakeSalesBinderServer) -> Hour:
    hour = Hour()

    async def publish(events: Sequence[Published]) -> None:
        hour.events += len(events)

    address = api_address(SHOP, salesbinder.api_url)
    async with (
        await psycopg.AsyncConnection.connect(database_url, autocommit=True, options=_SESSION) as connection,
        Client(address, f"{SHOP}-key") as client,
    ):
        holder, clock = secrets.randbits(62), _Clock(connection, salesbinder.admin)
        await connection.execute("SELECT pg_advisory_lock(%s)", [holder])
        lease = await store.take_lease(connection, SHOP, holder)
        assert lease is not None
        key = (await store.accounts(connection))[SHOP]
        watched = _Watched(client)
        reader = Reader(connection, lease, watched, publish, key)
        await _take_stock(connection, reader, watched, clock, hour)
        await clock.turn(_AWAY)
        await _one_hour(reader, watched, clock, hour)
    return hour


async def _take_stock(
    connection: psycopg.AsyncConnection[Any], reader: Reader, watched: _Watched, clock: _Clock, hour: Hour
) -> None:
    began = clock.now()
    while True:
        idle = await reader.turn()
        hour.stock_calls += watched.taken() is not None
        row = await (await connection.execute(_TAKEN)).fetchone()
        if row is not None and row[0] == len(LISTINGS["all"]):
            break
        if idle:
            await clock.turn(idle + _STEP)
    hour.stock_seconds = clock.now() - began


async def _one_hour(reader: Reader, watched: _Watched, clock: _Clock, hour: Hour) -> None:
    began = clock.now()
    while (at := clock.now() - began) < _HOUR:
        used = time.process_time()
        idle = await reader.turn()
        used = time.process_time() - used
        if (asked := watched.taken()) is not None:
            hour.minutes[int(at / 60)] += 1
            _note(hour, asked, used)
        if idle:
            await clock.turn(min(idle + _STEP, began + _HOUR - clock.now()))


def _note(hour: Hour, asked: tuple[Question, bytes], used: float) -> None:
    """Note what a page without a filter took; a first one with rows is as well one of the newest alone."""
    question, body = asked
    if question.parameters.keys() != {"page", "pageLimit", "contextId"}:
        return
    began = time.process_time()
    answer = json.loads(body)
    parsed = time.process_time() - began
    rows = sum(map(len, answer[question.path.removesuffix(".json")]))
    if not rows:
        hour.empty.append(used)
    elif question.parameters["page"] != "1":
        work = hour.work.setdefault(question.path, Work())
        work.rows += rows
        work.read += used
        work.parsed += parsed
