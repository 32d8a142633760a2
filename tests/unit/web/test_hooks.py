"""What webhooks said waits for a database that is away, and a flood becomes a few notes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from runtime.secrets import key_hash
from sbx.web import hooks
from sbx.web.hooks import Hooks, NotKnown
from sources.store import hooks as store


class Stub:
    """A database with one address, which may be away, and notes what came."""

    def __init__(self) -> None:
        self.error: psycopg.Error | None = None
        self.tokens = {key_hash("t1"): "acme"}
        self.looked_up = 0
        self.noted: list[tuple[str, tuple[str, ...]]] = []

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Stub"]:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        yield self


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stub:
    async def known(connection: Stub) -> dict[bytes, str]:
        connection.looked_up += 1
        return dict(connection.tokens)

    async def came(connection: Stub, account: str, ids: Sequence[str]) -> None:
        connection.noted.append((account, tuple(ids)))

    monkeypatch.setattr(store, "known", known)
    monkeypatch.setattr(store, "came", came)
    for name in ("_REST_SECONDS", "_AGAIN_SECONDS"):
        monkeypatch.setattr(hooks, name, 0.05)
    return Stub()


async def until(condition: Any) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_token_is_looked_up_once_in_a_while_whoever_asks(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    web: Any = Hooks(stub)  # type: ignore[arg-type]
    found = await asyncio.gather(*(web.account_of(token) for token in ["t1", "t2"] * 50))
    assert found == ["acme", None] * 50
    assert stub.looked_up == 1
    monkeypatch.setattr(hooks, "_KNOWN_SECONDS", 0.0)
    stub.tokens = {key_hash("t2"): "acme"}
    web._known_until = 0.0
    assert [await web.account_of(token) for token in ("t1", "t2")] == [None, "acme"]


async def test_tokens_stay_known_while_the_database_is_away(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "_KNOWN_SECONDS", 0.0)
    web = Hooks(stub)  # type: ignore[arg-type]
    stub.error = PoolTimeout("away")
    with pytest.raises(NotKnown):
        await web.account_of("t1")
    stub.error = None
    assert await web.account_of("t1") == "acme"
    stub.error = PoolTimeout("away")
    assert await web.account_of("t1") == "acme"
    assert await web.account_of("t2") is None


async def test_what_came_while_the_database_was_away_is_noted_afterwards(stub: Stub) -> None:
    web = Hooks(stub)  # type: ignore[arg-type]
    stub.error = PoolTimeout("away")
    async with web.noting():
        web.take("acme", ["a"])
        await asyncio.sleep(0.1)
        web.take("acme", ["b", "a"])
        web.take("beta", [])
        stub.error = None
        await until(lambda: len(stub.noted) >= 2)
    assert sorted((account, sorted(ids)) for account, ids in stub.noted) == [
        ("acme", ["a", "b"]),
        ("beta", []),
    ]


async def test_a_flood_becomes_a_few_notes_with_some_of_its_ids(stub: Stub) -> None:
    web = Hooks(stub)  # type: ignore[arg-type]
    async with web.noting():
        for number in range(1000):
            web.take("acme", [f"id{number}"])
        await until(lambda: stub.noted)
    assert [(account, len(ids)) for account, ids in stub.noted] == [("acme", 100)]


async def test_what_the_database_cannot_hold_is_dropped_and_the_next_is_noted(stub: Stub) -> None:
    web = Hooks(stub)  # type: ignore[arg-type]
    stub.error = psycopg.errors.ForeignKeyViolation("no such account")
    async with web.noting():
        web.take("acme", ["a"])
        await asyncio.sleep(0.1)
        stub.error = None
        web.take("acme", ["b"])
        await until(lambda: stub.noted)
    assert stub.noted == [("acme", ("b",))]
