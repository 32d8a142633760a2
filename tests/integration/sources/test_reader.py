"""The reader on a real database: killed at each point, fenced, in trouble; its shop is told whole."""

import asyncio
import json
import random
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from aiohttp import web

from contracts.events.reader import event_to_kafka
from sources.client import Client
from sources.reader import Reader
from sources.schedule.questions import Question
from sources.store import store
from sources.store.store import LeaseLost
from tests.integration.sources.reading import ACCOUNT, read, to_file
from tests.unit.sources.shop import Shop, Switches
from tests.unit.sources.stub import Habits, Stub
from tests.unit.sources.test_histories import Played

POINTS = (
    "question.before_commit",
    "question.after_commit",
    "seen.before_commit",
    "seen.after_commit",
    "telling.before_publish",
    "telling.before_commit",
    "telling.after_commit",
)
FREE = "DELETE FROM source.calls; UPDATE source.accounts SET held_until = NULL"
DUE = """
UPDATE source.wanted SET due_at = now();
UPDATE source.scans SET held_until = now() WHERE held_until IS NOT NULL
"""
SWITCHES = Switches(refunds="gone", money_moves_modified=False, state_moves_modified=False)


class Server:
    """The stub behind HTTP; things happen in its shop while it answers."""

    def __init__(self, seed: int, acts: int) -> None:
        self.shop = Shop(seed, SWITCHES)
        self.shop.now = datetime.now(UTC).replace(microsecond=0)
        self.stub = Stub(self.shop, Habits(page_limit=4), seed)
        self.random, self.acts = random.Random(seed), acts
        self.statuses: list[int] = []
        """What the next answers are instead."""
        self.broken: set[str] = set()
        """Parts of addresses to which SalesBinder always answers 500."""
        self.stub.between = self._between
        self.keys: list[str] = []
        """The key of each call."""

    def _between(self) -> None:
        self.shop.now = max(self.shop.now, datetime.now(UTC).replace(microsecond=0))
        if self.acts and self.random.random() < 0.3:
            self.acts -= 1
            self.shop.act(steps=(0,))

    async def handle(self, request: web.Request) -> web.Response:
        sent = request.headers["Authorization"].removeprefix("Basic ")
        self.keys.append(b64decode(sent).decode().removesuffix(":x"))
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), text="<html>")
        if any(part in str(request.rel_url) for part in self.broken):
            return web.Response(status=500, text="<html>")
        path = request.path.removeprefix("/api/2.0/")
        status, body = self.stub.answer(Question(path, dict(request.query)))
        return web.Response(status=status, body=body, content_type="application/json")


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/2.0"
    finally:
        await runner.cleanup()


@pytest.fixture
def connected(database_url: str) -> Iterator[str]:
    async def connect() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await store.connect(connection, ACCOUNT, b"encrypted")

    asyncio.run(connect())
    yield database_url


def told(path: Path) -> list[dict[str, Any]]:
    """What was published, each event once: the same event twice is the same to the byte."""
    by_id: dict[str, bytes] = {}
    for line in path.read_bytes().splitlines():
        event = msgspec.json.decode(line)
        assert by_id.setdefault(event["id"], line) == line
        event_to_kafka(line)
    return [json.loads(line) for line in by_id.values()]


def assert_told_whole(shop: Shop, events: list[dict[str, Any]]) -> None:
    books: dict[str, Played] = {}
    for event in events:
        action = event["type"].rpartition(".")[2]
        if "document" in event["data"]:
            assert (action == "created") == (event["subject"] not in books)
        books.setdefault(event["subject"], Played()).play(action, event["data"])
    assert shop.papers or shop.deleted
    for paper in shop.papers.values():
        book = books[paper.id]
        assert (book.content, book.paid) == (paper.content, paper.paid)
        assert book.ended == ["cancelled"] * paper.cancelled + ["received"] * (paper.came == "full")


async def test_a_shop_is_told_whole_from_a_database(connected: str, tmp_path: Path) -> None:
    server = Server(1, acts=60)
    async with serving(server) as address:
        await read(connected, address, tmp_path / "told", 12)
    assert server.acts == 0
    assert_told_whole(server.shop, told(tmp_path / "told"))


@pytest.mark.parametrize("point", POINTS)
async def test_a_reader_that_is_killed_doubles_and_skips_nothing(
    point: str, connected: str, tmp_path: Path
) -> None:
    server = Server(POINTS.index(point), acts=40)
    path = tmp_path / "told"
    async with serving(server) as address:
        for passing in (2, 9):
            ended = await asyncio.to_thread(_killed, connected, address, path, f"{point}:{passing}")
            assert ended == -signal.SIGKILL
        await read(connected, address, path, 12)
    assert_told_whole(server.shop, told(path))


@pytest.mark.parametrize("point", ["source_trouble.before_commit", "source_trouble.after_commit"])
async def test_a_reader_that_is_killed_in_trouble_goes_on(point: str, connected: str, tmp_path: Path) -> None:
    server = Server(20, acts=20)
    path = tmp_path / "told"
    async with serving(server) as address:
        for status in (500, 403):
            server.statuses = [status]
            ended = await asyncio.to_thread(_killed, connected, address, path, point)
            assert ended == -signal.SIGKILL
        await read(connected, address, path, 8)
    assert_told_whole(server.shop, told(path))


def _killed(database_url: str, address: str, path: Path, point: str) -> int:
    command = [
        sys.executable,
        "-m",
        "tests.integration.sources.reading",
        database_url,
        address,
        str(path),
        "30",
    ]
    return subprocess.run(command, env={"SBX_CRASH_AT": point}, check=False, timeout=120).returncode


async def test_trouble_is_kept_waited_out_and_over_with_the_next_answer(
    connected: str, tmp_path: Path
) -> None:
    server = Server(3, acts=0)
    async with (
        serving(server) as address,
        await psycopg.AsyncConnection.connect(connected, autocommit=True) as connection,
        Client(address, "key") as client,
    ):
        lease = await store.take_lease(connection, ACCOUNT, 7)
        assert lease is not None
        reader = Reader(connection, lease, client, to_file(tmp_path / "told"), b"encrypted")
        for status, trouble, seconds in (
            (429, "salesbinder_blocked", 75),
            (401, "salesbinder_key_refused", 600),
            (500, "salesbinder_unavailable", 20),
            (302, "salesbinder_unavailable", 40),
        ):
            # A list may be refused by itself: only when all are, it is the key.
            server.statuses = [status] * (5 if status == 401 else 1)
            while server.statuses:
                assert await reader.turn() == 0.0
            account = await store.load(connection, ACCOUNT)
            row = await (await connection.execute("SELECT trouble FROM source.accounts")).fetchone()
            assert row == (trouble,)
            assert account.standing.blocked_until is not None
            left = (account.standing.blocked_until - account.now).total_seconds()
            assert seconds - 5 < left <= seconds
            assert await reader.turn() > seconds - 6
            await connection.execute("UPDATE source.accounts SET held_until = NULL")
            await connection.execute("UPDATE source.scans SET held_until = NULL")
        assert await reader.turn() == 0.0
        account = await store.load(connection, ACCOUNT)
        assert (account.failures, account.refusals, account.standing.blocked_until) == (0, 0, None)


async def test_a_list_that_is_refused_is_left_alone_and_all_others_are_read(
    connected: str, tmp_path: Path
) -> None:
    server = Server(6, acts=0)
    async with (
        serving(server) as address,
        await psycopg.AsyncConnection.connect(connected, autocommit=True) as connection,
        Client(address, "key") as client,
    ):
        lease = await store.take_lease(connection, ACCOUNT, 7)
        assert lease is not None
        reader = Reader(connection, lease, client, to_file(tmp_path / "told"), b"encrypted")
        server.statuses = [403, 404, 200]
        while not await reader.turn():
            continue
        found = await (await connection.execute("SELECT entity, code FROM source.problems")).fetchall()
        assert sorted(found) == [
            ("customers", "list_refused"),
            ("invoices", "list_refused"),
            ("orders", "answer_unreadable"),
        ]
        account = await store.load(connection, ACCOUNT)
        refused = {"all/customers", "delta/customers", "wide/customers"}
        assert set(account.standing.held) == {*refused, "all/invoices", "all/orders"}
        assert {"all/suppliers", "delta/suppliers", "delta/invoices", "log/log"} <= set(
            account.standing.finished
        )
        assert account.standing.blocked_until is None
        await connection.execute("UPDATE source.scans SET held_until = NULL; DELETE FROM source.calls")
        while not await reader.turn():
            continue
        assert await (await connection.execute("SELECT entity FROM source.problems")).fetchall() == []


async def test_a_record_or_a_list_that_salesbinder_cannot_show_holds_up_nothing_else(
    connected: str, tmp_path: Path
) -> None:
    server = Server(7, acts=0)
    path = tmp_path / "told"
    async with (
        serving(server) as address,
        await psycopg.AsyncConnection.connect(connected, autocommit=True) as connection,
        Client(address, "key") as client,
    ):
        lease = await store.take_lease(connection, ACCOUNT, 7)
        assert lease is not None
        reader = Reader(connection, lease, client, to_file(path), b"encrypted")

        async def read_on(turns: int) -> None:
            for _ in range(turns):
                await reader.turn()
                await connection.execute(FREE)

        # It cannot show so many orders at once.
        server.broken = {"pageLimit=200&contextId=11"}
        for _ in range(3):
            await read_on(15)
            await connection.execute(DUE)
        taken = "SELECT finished IS NOT NULL FROM source.scans WHERE key = 'all/orders'"
        assert await (await connection.execute(taken)).fetchall() == [(True,)]
        server.shop.now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
        while len(server.shop.papers) < 6:
            server.shop.act(steps=(0,))
        first, *others = sorted(server.shop.papers)
        server.broken = {first, "contextId=10"}
        await connection.execute("DELETE FROM source.scans WHERE key LIKE 'delta/%%' OR key LIKE 'newest/%%'")
        for _ in range(3):
            await read_on(20)
            await connection.execute(DUE)
        assert {event["subject"] for event in told(path)} >= {*others}
        # Tried again, and reported as something that SalesBinder cannot show, not as SalesBinder being away.
        for _ in range(3):
            await connection.execute(DUE)
            await read_on(10)
        problems = "SELECT DISTINCT entity, code FROM source.problems"
        found = await (await connection.execute(problems)).fetchall()
        assert ("suppliers", "answer_unreadable") in found
        assert {code for _, code in found} == {"answer_unreadable"}
        assert len(found) == 2, "the record besides, and nothing of the orders any more"
        server.broken.clear()
        await connection.execute(DUE)
        await read_on(10)
        assert first in {event["subject"] for event in told(path)}
        assert await (await connection.execute(problems)).fetchall() == []


async def test_a_reader_whose_lease_was_taken_keeps_and_publishes_nothing(
    connected: str, tmp_path: Path
) -> None:
    server = Server(4, acts=0)
    async with (
        serving(server) as address,
        await psycopg.AsyncConnection.connect(connected, autocommit=True) as one,
        await psycopg.AsyncConnection.connect(connected, autocommit=True) as other,
        Client(address, "key") as client,
    ):
        await one.execute("SELECT pg_advisory_lock(11)")
        lease = await store.take_lease(one, ACCOUNT, 11)
        assert lease is not None
        assert await store.take_lease(other, ACCOUNT, 12) is None
        reader = Reader(one, lease, client, to_file(tmp_path / "told"), b"encrypted")
        await reader.turn()
        await one.execute("SELECT pg_advisory_unlock(11)")
        await other.execute("SELECT pg_advisory_lock(12)")
        taken = await store.take_lease(other, ACCOUNT, 12)
        assert taken is not None
        assert taken.fence == lease.fence + 1
        asked = len(server.stub.asked)
        with pytest.raises(LeaseLost):
            await reader.turn()
        assert len(server.stub.asked) == asked


async def test_the_calls_of_all_processes_share_the_budget(connected: str, tmp_path: Path) -> None:
    server = Server(5, acts=0)
    async with (
        serving(server) as address,
        await psycopg.AsyncConnection.connect(connected, autocommit=True) as connection,
        Client(address, "key") as client,
    ):
        calls = 0
        for holder in range(20):
            lease = await store.take_lease(connection, ACCOUNT, holder)
            assert lease is not None
            if await Reader(connection, lease, client, to_file(tmp_path / "told"), b"encrypted").turn():
                break
            calls += 1
        assert calls == 12
