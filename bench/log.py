"""The log with many entries: each filter's first and deep page in PostgreSQL, and the answers over HTTP."""

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import urllib3

from bench.figures import Figure, at_most, percentile
from bench.log_fill import fill
from bench.log_filters import FILTERS, TWO
from bench.log_projecting import rate
from bench.page import signed_in
from log_projection import queries
from log_projection.paging import Cursor, Order
from runtime.environment import Environment
from sandbox import EmbeddedStack
from sbx.actions.actors import Connection
from sbx.actions.filters import read_order
from sbx.actions.scoped_log import VisibleLog
from sbx.migrations import migrate
from sbx.web.auth.gate import SESSION_COOKIE, cookie_name
from sbx.web.auth.sessions import User
from sbx.web.database import new_pool, opened
from sbx.web.listening import address, bind
from sbx.web.overview import standings
from sbx.web.server import new_server
from sbx.web.view.filters import encode_cursor, read_filters

ENTRIES = 1_000_000
_PAGE = 50
_ISSUES = 100
"""Those that the API answers with; a page has fewer."""
_RUNS = 7
_IN_DATABASE, _IN_BROWSER = 50, 150
"""Milliseconds that a first page may take."""
_BASE = "50 rows by key"


def run(entries: int = ENTRIES) -> list[Figure]:
    """Measure the median (and worst) of several runs, in ms, beside fifty rows by their primary key in the
    same run.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory,
        EmbeddedStack(Path(directory) / "stack", kafka=False) as stack,
    ):
        migrate(stack.database_url)
        until = datetime.now(UTC)
        fill(stack.database_url, entries, until)
        return measure(stack.database_url, Path(directory), until)


def measure(database_url: str, data_dir: Path, until: datetime) -> list[Figure]:
    """Return the figures of a log that is filled."""
    environment = Environment.read({"SBX_DATABASE_URL": database_url, "SBX_DATA_DIR": str(data_dir)})
    deep = Cursor(until - timedelta(days=90), "8")
    found = [Figure(what="load average, 1 minute, at the beginning", value=os.getloadavg()[0], unit="")]
    base, in_database = asyncio.run(_in_database(environment, deep))
    found += in_database
    with _serving(environment) as url:
        found += _over_http(url, database_url, deep, base)
    found.append(asyncio.run(rate(database_url)))
    return [*found, Figure(what="load average, 1 minute, at the end", value=os.getloadavg()[0], unit="")]


async def _in_database(environment: Environment, deep: Cursor) -> tuple[float, list[Figure]]:
    database = new_pool(environment)
    async with opened(database), database.connection() as connection:
        base = await _by_key(connection)
        found = [Figure(what=f"PostgreSQL: {_BASE}", value=base, unit="ms")]
        for name, pairs, accounts in FILTERS:
            visible = VisibleLog(connection, User("bench", accounts, role="viewer"))
            filters, order = read_filters(pairs.items(), others=("sort",)), read_order(pairs.get("sort"))
            for page, after in (("first", None), ("deep", _within(deep, order))):
                times = await _times(
                    lambda: visible.page(filters, _PAGE, after, order=order)  # noqa: B023 - called here
                )
                goal = _IN_DATABASE if after is None else None
                found.append(_figure(f"PostgreSQL, {page} page: {name}", times, base, goal))
            counted = await _times(lambda: visible.hits(filters))  # noqa: B023 - called here
            found.append(_figure(f"PostgreSQL, number of hits: {name}", counted, base, None))
        found += await _others(connection, base)
    return base, found


def _within(deep: Cursor, order: Order) -> Cursor:
    """Return a place in the middle of a list of this order."""
    return deep if order.key is None else replace(deep, key=Decimal(2500))


async def _by_key(connection: Connection) -> float:
    rows = await (
        await connection.execute(
            "SELECT entry_id FROM integrations_log.entry ORDER BY md5(entry_id) LIMIT %s", [_PAGE]
        )
    ).fetchall()
    wanted = queries.Filters(entry_ids=tuple(row[0] for row in rows))

    async def look_up() -> None:
        assert len([row async for row in queries.entries(connection, wanted)]) == _PAGE

    return percentile(await _times(look_up, 21), 0.5)


async def _others(connection: Connection, base: float) -> list[Figure]:
    found = []
    position = await queries.position(connection)
    for who, accounts in (("all accounts", None), ("two accounts", TWO)):
        user = User("bench", accounts, role="viewer")
        visible = VisibleLog(connection, user)
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "issues": lambda: visible.issues(limit=_ISSUES + 1),  # noqa: B023 - called here
            "sizes of all issues": visible.issue_totals,
            "summary": visible.summary,
            "overview": lambda: standings(connection, user, datetime.now(UTC)),  # noqa: B023 - called here
            "changes, none": lambda: visible.changes(position, 501),  # noqa: B023
            "changes, 501": lambda: visible.changes(position // 2, 501),  # noqa: B023
        }
        for what, ask in asked.items():
            times = await _times(ask)
            found.append(_figure(f"PostgreSQL: {what}, {who}", times, base, _IN_DATABASE))
    return found


async def _times(ask: Callable[[], Awaitable[object]], runs: int = _RUNS) -> list[float]:
    """Return milliseconds, after asking for everything once."""
    await ask()
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        await ask()
        found.append((time.perf_counter() - began) * 1000)
    return found


def _figure(what: str, times: Sequence[float], base: float, goal: float | None) -> Figure:
    return Figure(
        what=f"{what} (worst {max(times):.0f})",
        value=percentile(times, 0.5),
        unit="ms",
        base=_BASE,
        base_value=base,
        goal=None if goal is None else at_most(goal),
    )


@contextmanager
def _serving(environment: Environment) -> Iterator[str]:
    """Run the web process's server in a thread; yield its address."""
    listening = bind("127.0.0.1", 0)
    server = new_server(environment)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield address(listening)
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


def _over_http(url: str, database_url: str, deep: Cursor, base: float) -> list[Figure]:
    cookies = {
        "everything": signed_in(database_url, "everything"),
        "two": signed_in(database_url, "two", TWO),
    }
    http = urllib3.PoolManager(retries=False)

    def times(path: str, accounts: object, pairs: dict[str, str]) -> list[float]:
        name = "everything" if accounts is None else "two"
        headers = {"Cookie": f"{cookie_name(SESSION_COOKIE, urlsplit(url).port)}={cookies[name]}"}

        async def ask() -> None:
            answer = http.request("GET", f"{url}{path}?{urlencode(pairs)}", headers=headers, redirect=False)
            assert answer.status == 200, answer.data[:500]

        return asyncio.run(_times(ask))

    found = []
    for name, pairs, accounts in FILTERS:
        order = read_order(pairs.get("sort"))
        place = _within(deep, order)
        row = {"queued_at": place.queued_at, "entry_id": place.entry_id}
        behind = encode_cursor(row | {"amount": place.key, "record_number": str(place.key or "")}, order)
        for what, path, more in (
            ("page", "/", {}),
            ("deep page", "/", {"cursor": behind}),
            ("API", "/api/v1/entries", {"limit": str(_PAGE)}),
        ):
            goal = None if "cursor" in more else _IN_BROWSER
            found.append(_figure(f"HTTP, {what}: {name}", times(path, accounts, pairs | more), base, goal))
    for path in ("/issues", "/overview", "/api/v1/issues", "/api/v1/summary"):
        for who, accounts in (("all accounts", None), ("two accounts", TWO)):
            found.append(_figure(f"HTTP: {path}, {who}", times(path, accounts, {}), base, _IN_BROWSER))
    http.clear()
    return found
