"""What a database does to lanes on a bad day: no connection is left, an idle transaction is ended."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool
from structlog.testing import capture_logs

from runtime.secrets import SecretBox
from sandbox.fake_xero.server import FakeXeroServer
from sinks.lanes.session import Session
from sinks.xero import oauth
from tests.integration.sinks.shops import (
    PATIENCE,
    Maker,
    Shop,
    connect,
    connected_shop,
    delivering,
    environment_of,
)

LIMIT = 6
SLOW = 600.0
"""Seconds that the identity server takes, unless a test lets it go on before."""


async def _admin(url: str, *statements: str) -> None:
    name = urlsplit(url).path[1:]
    async with await psycopg.AsyncConnection.connect(
        url.rpartition("/")[0] + "/postgres", autocommit=True
    ) as connection:
        for statement in statements:
            await connection.execute(statement.format(name).encode())


@pytest.fixture
def limited_url(database_url: str) -> Iterator[str]:
    """The database for a user that may have few connections at once."""
    url = urlsplit(database_url)
    user = f"few_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            f"CREATE ROLE {user} LOGIN PASSWORD 'few' CONNECTION LIMIT {LIMIT} "
            f"IN ROLE {url.username}".encode()
        )
    yield f"postgresql://{user}:few@{url.hostname}:{url.port}{url.path}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s", [user]
        )
        connection.execute(f"DROP ROLE {user}".encode())


async def test_no_connection_is_left(limited_url: str, database_url: str, tmp_path: Path) -> None:
    """53300, by somebody else who has them all; all goes on when he lets go of them."""
    with FakeXeroServer() as xero, capture_logs() as logs:
        shop = await connected_shop(database_url, xero, tmp_path)
        shop.environment = environment_of(limited_url, xero, tmp_path)
        maker = Maker()
        async with delivering(shop, connections=3):
            shop.environment = environment_of(database_url, xero, tmp_path)  # to look on as somebody else
            await shop.run(maker.contact("created", maker.customer("First")))
            async with _all_connections(limited_url, database_url):
                await shop.send(*(maker.contact("created", maker.customer(f"C{n}")) for n in range(20)))
                await _until_told(logs, "takes no more connections")
                assert {how for _, _, how in await shop.log()} == {"posted", None}
            await shop.idle()
        assert {how for _, _, how in await shop.log()} == {"posted"}
    assert "lane breaks" not in [line["event"] for line in logs]


@asynccontextmanager
async def _all_connections(url: str, admin: str) -> AsyncIterator[None]:
    """Take all that the user may have: those of others are ended, and ours are made in their place."""
    taken: list[psycopg.AsyncConnection] = []
    async with await psycopg.AsyncConnection.connect(admin, autocommit=True) as connection:
        while len(taken) < LIMIT:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s "
                "AND application_name <> 'greedy'",
                [urlsplit(url).username],
            )
            try:
                taken.append(await psycopg.AsyncConnection.connect(url, application_name="greedy"))
            except psycopg.OperationalError:
                continue
    try:
        yield
    finally:
        for other in taken:
            await other.close()


async def _until_told(logs: Sequence[Mapping[str, Any]], words: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not any(words in str(line.get("problem")) for line in logs):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_an_idle_transaction_is_ended(database_url: str, tmp_path: Path) -> None:
    """25P03, while the identity server is slow: the token is asked for again, nothing fails."""
    with FakeXeroServer() as xero, capture_logs() as logs:
        shop = await connected_shop(database_url, xero, tmp_path)
        maker = Maker()
        await shop.send(*(maker.contact("created", maker.customer(f"C{n}")) for n in range(5)))
        # Longer than a busy machine leaves a transaction of ours idle, and shorter than a token takes.
        await _admin(database_url, "ALTER DATABASE {} SET idle_in_transaction_session_timeout = '2s'")
        xero.admin.fault("latency", path="connect/token", times=2, seconds=5.0)
        async with delivering(shop):
            await shop.idle()
        await _admin(database_url, "ALTER DATABASE {} RESET idle_in_transaction_session_timeout")
        assert {how for _, _, how in await shop.log()} == {"posted"}
    assert any("ended an idle transaction" in str(line.get("problem")) for line in logs), logs
    assert "lane breaks" not in [line["event"] for line in logs]


async def test_a_slow_identity_server_keeps_no_other_account_waiting(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many accounts wait for a token as the pool has connections; one that has a token goes on."""
    monkeypatch.setattr(oauth, "_TIMEOUT", SLOW)
    with FakeXeroServer() as xero:
        shops = []
        for name in ("slow-1", "slow-2", "quick"):
            shop = Shop(
                name,
                environment_of(database_url, xero, tmp_path),
                xero,
                tenant_id=xero.admin.add_tenant(name),
            )
            await connect(shop)
            shops.append(shop)
        quick, makers = shops[2], [Maker(shop.account) for shop in shops]
        async with delivering(quick, connections=2):
            await quick.run(makers[2].contact("created", makers[2].customer("First")))
            xero.admin.fault("latency", path="connect/token", times=2, seconds=SLOW)
            for shop, maker in zip(shops[:2], makers[:2], strict=True):
                await shop.send(maker.contact("created", maker.customer("Slow")))
            async with asyncio.timeout(PATIENCE):
                while _tokens_asked(xero) < 3:  # noqa: ASYNC110 - the fake's own log
                    await asyncio.sleep(0.05)
            await quick.run(makers[2].contact("created", makers[2].customer("Second")))
            states = [state for shop in shops[:2] for _, state, _ in await shop.log()]
            xero.admin.clear_faults()
            for shop in shops[:2]:
                await shop.idle()
    assert "completed" not in states


def _tokens_asked(xero: FakeXeroServer) -> int:
    return sum(call["path"] == "connect/token" for call in xero.admin.calls())


async def test_one_token_is_fetched_for_all_who_ask_at_once(database_url: str, tmp_path: Path) -> None:
    """As two workers do in the seconds of a takeover: who comes second uses what the first was given."""
    with FakeXeroServer() as xero:
        shop = await connected_shop(database_url, xero, tmp_path)
        xero.admin.fault("latency", path="connect/token", times=None, seconds=0.5)
        box = SecretBox.open(shop.environment.data_dir, None)
        async with AsyncConnectionPool(database_url, min_size=1, max_size=4, open=False) as pool:
            sessions = [Session(shop.account, pool, shop.environment, box) for _ in range(4)]
            tokens = await asyncio.gather(*(session.token() for session in sessions))
            for session in sessions:
                session.close()
        asked = _tokens_asked(xero)
    assert len(set(tokens)) == 1
    assert asked == 1
