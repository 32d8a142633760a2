"""Users of the page and their tokens: who they are, their role, and which accounts they see."""

import re
from collections.abc import Sequence
from typing import Any

from argon2 import PasswordHasher

from runtime.database import fetch_all
from runtime.secrets import key_hash, new_key
from runtime.sql import load_queries
from sbx.actions import audit
from sbx.actions.actors import Actor, Connection
from sbx.actions.refused import ActionRefused, not_possible
from sbx.actions.roles import Role

LOCAL = "local"
"""The operator of this machine, as long as no users are set up."""
MIN_LENGTH = 12
MAX_LENGTH = 512
"""Characters of a password."""
LINK_SECONDS = 15 * 60
TOKEN_PREFIX = "sbx_"
"""Lets secret scanners recognise leaked tokens."""

HASHER = PasswordHasher()
"""Argon2id with the library's parameters (RFC 9106, low memory: 64 MiB, 3 passes)."""
_SQL = load_queries(__file__)
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_ACCOUNT = re.compile(r"[a-z0-9-]{1,63}")


async def add(
    connection: Connection, actor: Actor, name: str, role: Role, password: str | None, accounts: Sequence[str]
) -> None:
    """Create a user. The first one ends the access that ``local_user`` gave.

    Args:
        password: None for a user who signs in by token or link only.
        accounts: those that they can see; empty means all.

    Raises:
        ActionRefused: the name is taken or no name, an account is none, or the password is too short.
    """
    if not _NAME.fullmatch(name) or name == LOCAL:
        rule = f"use up to 64 of a-z, 0-9 and . _ @ + -; '{LOCAL}' is taken"
        raise not_possible(f"'{name}' cannot be a user's name", rule)
    for account in accounts:
        if not _ACCOUNT.fullmatch(account):
            raise not_possible(f"'{account}' is not a SalesBinder account", "give the sub-domain")
    parameters = {
        "name": name,
        "role": role,
        "password_hash": None if password is None else hash_password(password),
        "accounts": sorted(set(accounts)) or None,
        "created_by": actor.name,
    }
    async with audit.recorded(connection, actor, "add_user", {"user": name, "role": role}):
        await connection.execute(_SQL["lock"])
        made = await connection.execute(_SQL["insert"], parameters)
        if made.rowcount == 0:
            raise not_possible(
                f"there is a user '{name}' already", "use another name, or remove that one first"
            )
        await connection.execute(_SQL["delete"], [LOCAL])


async def remove(connection: Connection, actor: Actor, name: str) -> None:
    """Remove a user with all their sessions and tokens.

    Raises:
        ActionRefused: there is no such user.
    """
    async with audit.recorded(connection, actor, "remove_user", {"user": name}):
        if (await connection.execute(_SQL["delete"], [name])).rowcount == 0:
            raise _unknown(name)


async def set_password(connection: Connection, actor: Actor, name: str, password: str) -> None:
    """Change a user's password, and end their sessions.

    Raises:
        ActionRefused: there is no such user, or the password is too short.
    """
    parameters = {"name": name, "password_hash": hash_password(password)}
    async with audit.recorded(connection, actor, "set_password", {"user": name}):
        if name == LOCAL or (await connection.execute(_SQL["set_password"], parameters)).rowcount == 0:
            raise _unknown(name)
        await connection.execute(_SQL["end_sessions"], [name])


async def set_role(connection: Connection, actor: Actor, name: str, role: Role) -> None:
    """Change a user's role; it takes effect at once, also in open sessions and tokens.

    Raises:
        ActionRefused: there is no such user.
    """
    parameters = {"name": name, "role": role}
    async with audit.recorded(connection, actor, "set_role", {"user": name, "role": role}):
        if name == LOCAL or (await connection.execute(_SQL["set_role"], parameters)).rowcount == 0:
            raise _unknown(name)


async def listed(connection: Connection) -> list[dict[str, Any]]:
    """Return all users by name, with their numbers of tokens."""
    return await fetch_all(connection, _SQL["all"])


async def local_user(connection: Connection) -> str | None:
    """Return the operator ``local``, created if missing; None once users are set up."""
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


async def tokens(connection: Connection, name: str | None = None) -> list[dict[str, Any]]:
    """Return valid tokens of one user or all, with when each was created, last used, and expires."""
    return await fetch_all(connection, _SQL["tokens"], {"user_name": name})


async def new_token(connection: Connection, actor: Actor, name: str, label: str, days: int) -> str:
    """Create a token for programs, shown only once. It replaces the user's token with the same label.

    Raises:
        ActionRefused: there is no such user.
    """
    token = new_key(TOKEN_PREFIX)
    parameters = {"key_hash": key_hash(token), "user_name": name, "label": label, "days": days}
    async with audit.recorded(connection, actor, "token", {"user": name, "label": label}):
        if (await connection.execute(_SQL["new_token"], parameters)).rowcount == 0:
            raise _unknown(name)
    return token


async def revoke(connection: Connection, actor: Actor, name: str, label: str | None) -> int:
    """End a user's token with this label, or all of them; return how many there were.

    Raises:
        ActionRefused: there is no token of this label.
    """
    async with audit.recorded(connection, actor, "revoke", {"user": name, "label": label}) as record:
        ended = (await connection.execute(_SQL["revoke"], {"user_name": name, "label": label})).rowcount
        if label is not None and not ended:
            raise not_possible(f"{name} has no token '{label}'", f"sbx users tokens {name}")
        record.result["ended"] = ended
    return ended


async def link(connection: Connection, actor: Actor, name: str | None) -> str:
    """Return the key of a link that signs the user in once; none: the operator of this machine.

    Raises:
        ActionRefused: there is no such user, or users are set up and none is named.
    """
    async with audit.recorded(connection, actor, "link", {"user": name or LOCAL}):
        if name is None or name == LOCAL:
            name = await local_user(connection)
            if name is None:
                raise not_possible("users are set up", "name the one that the link is for ('sbx users list')")
        return await new_link(connection, name)


async def new_link(connection: Connection, name: str) -> str:
    """Return the key of a link that signs the user in once, within 15 minutes.

    Raises:
        ActionRefused: there is no such user.
    """
    key = new_key()
    parameters = {"key_hash": key_hash(key), "user_name": name, "seconds": LINK_SECONDS}
    if (await connection.execute(_SQL["new_link"], parameters)).rowcount == 0:
        raise _unknown(name)
    return key


def hash_password(password: str) -> str:
    """Return the hash to store.

    Raises:
        ActionRefused: it is shorter than 12 characters or longer than 512.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise not_possible(
            f"a password must have {MIN_LENGTH} to {MAX_LENGTH} characters; this one has {len(password)}"
        )
    return HASHER.hash(password)


def _unknown(name: str) -> ActionRefused:
    return not_possible(f"there is no user '{name}'", "'sbx users list' shows them")
