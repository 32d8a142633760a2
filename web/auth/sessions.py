"""How somebody shows who they are: a session of the browser, a token of a program, a link for once."""

from typing import Any

from psycopg.rows import dict_row

from connections.sql import load_queries
from web.auth.keys import key_hash, new_key
from web.auth.users import Connection, User, UserRefused

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
    return await _user(connection, "session_user", key)


async def user_of_token(connection: Connection, token: str) -> User | None:
    """Whose token this is; none when it is unknown or has run out."""
    return await _user(connection, "token_user", token)


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


async def _user(connection: Connection, statement: str, key: str) -> User | None:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[statement], [key_hash(key)])
        row: dict[str, Any] | None = await cursor.fetchone()
    if row is None:
        return None
    accounts = None if row["accounts"] is None else tuple(row["accounts"])
    return User(row["name"], row["role"], accounts)
