"""How somebody shows who they are: a session of the browser, a token of a program, a link for once."""

from typing import Any

from runtime.database import fetch_all, fetch_one
from runtime.sql import load_queries
from sbx.web.auth.keys import key_hash, new_key
from sbx.web.auth.users import Connection, User, UserRefused

SESSION_SECONDS = 12 * 3600
"""A session lasts a working day; then one signs in again."""
LINK_SECONDS = 15 * 60
TOKEN_PREFIX = "sbx_"
"""Lets scanners for leaked secrets find ours."""

_SQL = load_queries(__file__)


async def start(connection: Connection, user_name: str) -> str:
    """Begin a session; its key, for the cookie."""
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
    """Whose session this is; none when it has ended."""
    return _user(await fetch_one(connection, _SQL["session_user"], [key_hash(key)]))


async def user_of_token(connection: Connection, token: str) -> User | None:
    """Whose token this is; none when it is unknown or has run out. Its use is noted, to the minute."""
    row = await fetch_one(connection, _SQL["token_user"], [key_hash(token)])
    if row is not None and row["stale"]:
        await connection.execute(_SQL["note_use"], [key_hash(token)])
    return _user(row)


async def tokens(connection: Connection, user_name: str | None = None) -> list[dict[str, Any]]:
    """Tokens that are good, of a user or of all, with when each was made, used last, and ends."""
    return await fetch_all(connection, _SQL["tokens"], {"user_name": user_name})


async def revoke(connection: Connection, user_name: str, label: str | None) -> int:
    """End a user's token of this label, or all of them; how many there were."""
    parameters = {"user_name": user_name, "label": label}
    return (await connection.execute(_SQL["revoke"], parameters)).rowcount


async def of_user(connection: Connection, user_name: str, key: str) -> list[dict[str, Any]]:
    """A user's sessions, the newest first; ``this_one`` says whether it is that of ``key``."""
    return await fetch_all(connection, _SQL["sessions"], {"user_name": user_name, "key_hash": key_hash(key)})


async def end_one(connection: Connection, user_name: str, session_id: str) -> None:
    """End one of a user's sessions by its id; nothing where it has ended."""
    await connection.execute(_SQL["end_one"], {"user_name": user_name, "id": session_id})


async def new_token(connection: Connection, user_name: str, label: str, days: int) -> str:
    """A token for programs, shown this once. It replaces the user's token of the same label.

    Raises:
        UserRefused: there is no such user.
    """
    token = new_key(TOKEN_PREFIX)
    parameters = {"key_hash": key_hash(token), "user_name": user_name, "label": label, "days": days}
    if (await connection.execute(_SQL["new_token"], parameters)).rowcount == 0:
        raise UserRefused(f"there is no user '{user_name}': 'sbx users list' shows them")
    return token


async def new_link(connection: Connection, user_name: str) -> str:
    """The key of a link that signs the user in once, within a quarter of an hour.

    Raises:
        UserRefused: there is no such user.
    """
    key = new_key()
    parameters = {"key_hash": key_hash(key), "user_name": user_name, "seconds": LINK_SECONDS}
    if (await connection.execute(_SQL["new_link"], parameters)).rowcount == 0:
        raise UserRefused(f"there is no user '{user_name}': 'sbx users list' shows them")
    return key


async def redeem_link(connection: Connection, key: str) -> str | None:
    """The name of the user whose link this is, which cannot be used again; none when it is not good."""
    hashed = key_hash(key)
    row = await (await connection.execute(_SQL["redeem_link"], [hashed, hashed])).fetchone()
    return None if row is None else str(row[0])


def _user(row: dict[str, Any] | None) -> User | None:
    if row is None:
        return None
    accounts = None if row["accounts"] is None else tuple(row["accounts"])
    return User(row["name"], row["role"], accounts)
