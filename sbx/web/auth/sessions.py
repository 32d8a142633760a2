"""Who is signed in: by a session of the browser, a token of a program, a link for once."""

from dataclasses import dataclass, field
from typing import Any

from runtime.database import fetch_all, fetch_one
from runtime.secrets import key_hash, new_key
from runtime.sql import load_queries
from sbx.actions.actors import Actor, Connection
from sbx.actions.roles import Role

SESSION_SECONDS = 12 * 3600
"""A session lasts a working day; after that, sign in again."""

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class User(Actor):
    """A signed-in user."""

    role: Role = field(kw_only=True)

    @property
    def may_act(self) -> bool:
        """True if they may retry and skip."""
        return self.role == "operator"


async def password_hash(connection: Connection, name: str) -> str | None:
    """Return the hash of the user's password; None if there is no such user or password."""
    row = await (await connection.execute(_SQL["password_hash"], [name])).fetchone()
    return None if row is None else row[0]


async def start(connection: Connection, user_name: str) -> str:
    """Begin a session; return its key, for the cookie."""
    key = new_key()
    parameters = {"key_hash": key_hash(key), "user_name": user_name, "seconds": SESSION_SECONDS}
    async with connection.transaction():
        await connection.execute(_SQL["forget_old"])
        await connection.execute(_SQL["start"], parameters)
    return key


async def end(connection: Connection, key: str) -> None:
    """End a session."""
    await connection.execute(_SQL["end"], [key_hash(key)])


async def user_of_session(connection: Connection, key: str) -> User | None:
    """Return whose session this is; None if it has ended."""
    return _user(await fetch_one(connection, _SQL["session_user"], [key_hash(key)]))


async def user_of_token(connection: Connection, token: str) -> User | None:
    """Return whose token this is; None if it is unknown or expired. Records its use, to the minute."""
    row = await fetch_one(connection, _SQL["token_user"], [key_hash(token)])
    if row is not None and row["stale"]:
        await connection.execute(_SQL["note_use"], [key_hash(token)])
    return _user(row)


async def of_user(connection: Connection, user_name: str, key: str) -> list[dict[str, Any]]:
    """Return a user's sessions, newest first; ``this_one`` marks the one of ``key``."""
    return await fetch_all(connection, _SQL["sessions"], {"user_name": user_name, "key_hash": key_hash(key)})


async def end_one(connection: Connection, user_name: str, session_id: str) -> None:
    """End one of a user's sessions by its id; do nothing if it has ended."""
    await connection.execute(_SQL["end_one"], {"user_name": user_name, "id": session_id})


async def redeem_link(connection: Connection, key: str) -> str | None:
    """Redeem a link: return its user's name, or None if it is not valid. It cannot be used again."""
    hashed = key_hash(key)
    row = await (await connection.execute(_SQL["redeem_link"], [hashed, hashed])).fetchone()
    return None if row is None else str(row[0])


def _user(row: dict[str, Any] | None) -> User | None:
    if row is None:
        return None
    accounts = None if row["accounts"] is None else tuple(row["accounts"])
    return User(row["name"], accounts, role=row["role"])
