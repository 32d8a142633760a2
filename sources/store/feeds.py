"""What is kept of an account's change feed: its key, how far it was read, its trouble."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime.database import Connection, fetch_all, fetch_one
from runtime.sql import load_queries
from sources.store import store

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Kept:
    """How far a feed was read."""

    now: datetime
    """By the database's clock."""
    cursor: str | None
    failures: int
    """Answers in a row that were of no use."""
    held_until: datetime | None


async def connect(connection: Connection, account: str, encrypted_key: bytes) -> None:
    """Follow the account's feed with this key, from now on."""
    await connection.execute(_SQL["connect"], {"account": account, "key": encrypted_key})


async def disconnect(connection: Connection, account: str) -> bool:
    """Follow it no more; False if it was not followed."""
    return await fetch_one(connection, _SQL["disconnect"], {"account": account}) is not None


async def keys(connection: Connection) -> dict[str, bytes]:
    """Return the encrypted key of each account whose feed is followed."""
    return {
        row["account"]: bytes(row["api_key_encrypted"]) for row in await fetch_all(connection, _SQL["keys"])
    }


async def load(connection: Connection, account: str, key: bytes) -> Kept | None:
    """Return how far the feed was read; none if it is not followed with this key any more."""
    row = await fetch_one(connection, _SQL["load"], {"account": account, "key": key})
    return None if row is None else Kept(row["now"], row["cursor"], row["failures"], row["held_until"])


async def read(
    connection: Connection, account: str, key: bytes, cursor: str | None, ids: Sequence[str], *, whole: bool
) -> None:
    """Keep how far the feed was read, with the hint at what it names, in one transaction.

    Args:
        ids: none if the feed told of nothing.
        whole: True at its end.
    """
    values = {"account": account, "key": key, "cursor": cursor, "whole": whole}
    async with connection.transaction():
        await connection.execute(_SQL["read"], values)
        if ids or cursor is None:
            await store.hint(connection, account, ids)


async def keep_trouble(
    connection: Connection, account: str, key: bytes, trouble: str, until: datetime
) -> None:
    """Keep why the feed cannot be read, in a sentence, and until when it is left alone."""
    values = {"account": account, "key": key, "trouble": trouble, "until": until}
    await connection.execute(_SQL["trouble"], values)
