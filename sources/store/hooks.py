"""Addresses for SalesBinder's webhooks, one per account: those who know the token may say that
something changed, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime.database import Connection, fetch_all, fetch_one
from runtime.secrets import SecretBox, key_hash, new_key
from runtime.sql import load_queries
from sources.store import store

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Hook:
    """An account's address for webhooks."""

    token: str
    made_at: datetime
    last_at: datetime | None
    """When the last webhook came; none if none has."""


async def make(connection: Connection, account: str, box: SecretBox) -> None:
    """Give the account an address, if it has none."""
    await connection.execute(_SQL["make"], _new(account, box))


async def renew(connection: Connection, account: str, box: SecretBox) -> None:
    """Give the account another address; the one it had is unknown from now on."""
    await connection.execute(_SQL["renew"], _new(account, box))


def _new(account: str, box: SecretBox) -> dict[str, object]:
    token = new_key()
    return {"account": account, "hash": key_hash(token), "encrypted": box.encrypt(token)}


async def of(connection: Connection, account: str, box: SecretBox) -> Hook | None:
    """Return the account's address; none if it has none.

    Raises:
        SecretKeyError: it was encrypted with another key.
    """
    row = await fetch_one(connection, _SQL["of"], {"account": account})
    if row is None:
        return None
    return Hook(box.decrypt(bytes(row["token_encrypted"])), row["made_at"], row["last_at"])


async def known(connection: Connection) -> dict[bytes, str]:
    """Return the account of each address, by the hash of its token (``runtime.secrets.key_hash``)."""
    rows = await fetch_all(connection, _SQL["known"])
    return {bytes(row["token_hash"]): row["account"] for row in rows}


async def came(connection: Connection, account: str, ids: Sequence[str]) -> None:
    """Note that webhooks came which name these ids, and have the account looked at now."""
    async with connection.transaction():
        await connection.execute(_SQL["came"], {"account": account})
        await store.hint(connection, account, ids)
