"""Users of the page: who they are, their role, and which accounts they see."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from runtime.database import fetch_all
from runtime.sql import load_queries
from sbx.web.auth.passwords import hash_password
from sbx.web.auth.roles import Role

LOCAL = "local"
"""Whoever has the terminal of this machine, as long as no users are set up."""

_SQL = load_queries(__file__)
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}")

Connection = psycopg.AsyncConnection[Any]


class UserRefused(ValueError):
    """A user that cannot be made or is not there; ``str()`` says why and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who is signed in."""

    name: str
    role: Role
    accounts: tuple[str, ...] | None
    """Accounts whose entries they see; none means all."""

    @property
    def may_act(self) -> bool:
        """True when they may retry and skip."""
        return self.role == "operator"

    def sees(self, account: str) -> bool:
        """True when entries of the account are theirs to see."""
        return self.accounts is None or account in self.accounts


async def add(
    connection: Connection,
    name: str,
    role: Role,
    password: str | None,
    accounts: Sequence[str],
    created_by: str,
) -> None:
    """Make a user. The first one ends what ``local_user`` allowed.

    Args:
        password: none for a user who signs in by token or link only.
        accounts: those that they see; all when empty.

    Raises:
        UserRefused: the name is taken or no name, or an account is none.
        WeakPassword: the password is too short.
    """
    if not _NAME.fullmatch(name) or name == LOCAL:
        raise UserRefused(
            f"'{name}' cannot be a user's name: use up to 64 of a-z, 0-9 and . _ @ + -; '{LOCAL}' is taken"
        )
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise UserRefused(f"'{account}' is not a SalesBinder account: give the sub-domain")
    parameters = {
        "name": name,
        "role": role,
        "password_hash": None if password is None else hash_password(password),
        "accounts": sorted(set(accounts)) or None,
        "created_by": created_by,
    }
    async with connection.transaction():
        await connection.execute(_SQL["lock"])
        made = await connection.execute(_SQL["insert"], parameters)
        if made.rowcount == 0:
            raise UserRefused(f"there is a user '{name}' already: use another name, or remove that one first")
        await connection.execute(_SQL["delete"], [LOCAL])


async def remove(connection: Connection, name: str) -> None:
    """Remove a user with all their sessions and tokens.

    Raises:
        UserRefused: there is no such user.
    """
    if (await connection.execute(_SQL["delete"], [name])).rowcount == 0:
        raise _unknown(name)


async def set_password(connection: Connection, name: str, password: str) -> None:
    """Give a user another password, and end their sessions.

    Raises:
        UserRefused: there is no such user.
        WeakPassword: the password is too short.
    """
    parameters = {"name": name, "password_hash": hash_password(password)}
    async with connection.transaction():
        if name == LOCAL or (await connection.execute(_SQL["set_password"], parameters)).rowcount == 0:
            raise _unknown(name)
        await connection.execute(_SQL["end_sessions"], [name])


async def set_role(connection: Connection, name: str, role: Role) -> None:
    """Give a user another role; it holds at once, in sessions and tokens that are open, too.

    Raises:
        UserRefused: there is no such user.
    """
    parameters = {"name": name, "role": role}
    if name == LOCAL or (await connection.execute(_SQL["set_role"], parameters)).rowcount == 0:
        raise _unknown(name)


async def listed(connection: Connection) -> list[dict[str, Any]]:
    """All users by name, with how many tokens they have."""
    return await fetch_all(connection, _SQL["all"])


async def password_hash(connection: Connection, name: str) -> str | None:
    """What the user's password is checked against; none where there is no such user or password."""
    row = await (await connection.execute(_SQL["password_hash"], [name])).fetchone()
    return None if row is None else row[0]


async def local_user(connection: Connection) -> str | None:
    """The operator ``local``, made where it is missing; none once users are set up."""
    async with connection.transaction():
        await connection.execute(_SQL["lock"])
        row = await (await connection.execute(_SQL["count_others"], [LOCAL])).fetchone()
        if row is None or row[0] > 0:
            return None
        await connection.execute(
            _SQL["insert"],
            {
                "name": LOCAL,
                "role": "operator",
                "password_hash": None,
                "accounts": None,
                "created_by": "sbx up",
            },
        )
    return LOCAL


def _unknown(name: str) -> UserRefused:
    return UserRefused(f"there is no user '{name}': 'sbx users list' shows them")
