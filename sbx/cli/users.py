"""``sbx users``: who may use the page and the API."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Any, TypeVar

import psycopg
import typer
from rich.table import Table

from sbx.actions import audit
from sbx.cli import environment
from sbx.cli.acting import ADDRESS, actor
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.terminal import print_json, say, stdout_console
from sbx.cli.web import link_of
from sbx.web.auth import sessions, users
from sbx.web.auth.passwords import WeakPassword
from sbx.web.auth.roles import Role
from sbx.web.auth.users import LOCAL, Connection, UserRefused

T = TypeVar("T")


def add(name: str, role: Role, account: list[str] | None, no_password: bool) -> None:
    """Run ``sbx users add``."""
    password = None if no_password else _password()
    by = environment.actor()
    _act(
        "add_user",
        {"user": name, "role": role},
        lambda c: users.add(c, name, role, password, account or [], by),
    )
    say(f"{name} is set up as {role}")


def list_users(as_json: bool) -> None:
    """Run ``sbx users list``."""
    rows = _run(users.listed)
    if as_json:
        for row in rows:
            print_json(row)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "role", "accounts", "password", "tokens"):
        table.add_column(column)
    for row in rows:
        accounts = "all" if row["accounts"] is None else ", ".join(row["accounts"])
        password = "set" if row["has_password"] else "none"
        table.add_row(row["name"], row["role"], accounts, password, str(row["tokens"]))
    stdout_console().print(table)


def remove(name: str) -> None:
    """Run ``sbx users remove``."""
    _act("remove_user", {"user": name}, lambda c: users.remove(c, name))
    say(f"{name} is removed")


def set_password(name: str) -> None:
    """Run ``sbx users set-password``."""
    password = _password()
    _act("set_password", {"user": name}, lambda c: users.set_password(c, name, password))
    say(f"{name} has a new password")


def token(name: str, label: str, days: int) -> None:
    """Run ``sbx users token``."""
    target = {"user": name, "label": label}
    print(_act("token", target, lambda c: sessions.new_token(c, name, label, days)))


def set_role(name: str, role: Role) -> None:
    """Run ``sbx users set-role``."""
    _act("set_role", {"user": name, "role": role}, lambda c: users.set_role(c, name, role))
    say(f"{name} is {role} now")


def tokens(name: str | None, as_json: bool) -> None:
    """Run ``sbx users tokens``."""
    rows = _run(lambda c: sessions.tokens(c, name))
    if as_json:
        for row in rows:
            print_json(row)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("user", "label", "made (UTC)", "used last (UTC)", "good until (UTC)"):
        table.add_column(column)
    for row in rows:
        times = (row["created_at"], row["last_used_at"], row["expires_at"])
        shown = (f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else "never" for at in times)
        table.add_row(row["user_name"], row["label"], *shown)
    stdout_console().print(table)


def revoke(name: str, label: str | None, every: bool) -> None:
    """Run ``sbx users revoke``."""
    if (label is None) != every:
        raise BadUsage("which tokens is not said", "give --label LABEL for one, or --all")
    target = {"user": name, "label": label}
    ended = _act("revoke", target, lambda c: sessions.revoke(c, name, label))
    if label is not None and not ended:
        raise OperationFailed(f"{name} has no token '{label}'", f"sbx users tokens {name}")
    say(f"{ended} {'token' if ended == 1 else 'tokens'} of {name} ended")


def link(name: str | None, url: str) -> None:
    """Run ``sbx users link``."""
    key = _run(lambda c: _new_link(c, name))
    print(link_of(url.rstrip("/"), key))


async def _new_link(connection: Connection, name: str | None) -> str:
    if name is None or name == LOCAL:
        name = await users.local_user(connection)
        if name is None:
            raise UserRefused("users are set up: name the one that the link is for ('sbx users list')")
    return await sessions.new_link(connection, name)


def _password() -> str:
    """From a prompt, twice, or the first line of stdin: never from the arguments, which others can read."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def _act(name: str, target: dict[str, Any], act: Callable[[Connection], Awaitable[T]]) -> T:
    """Do it, and write down who did it."""

    async def recorded(connection: Connection) -> T:
        async with audit.recorded(connection, actor(), ADDRESS, name, target):
            return await act(connection)

    return _run(recorded)


def _run(act: Callable[[Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        used = environment.required(database=True)
        async with await psycopg.AsyncConnection.connect(
            **used.psycopg("sbx users"), autocommit=True
        ) as connection:
            return await act(connection)

    try:
        return asyncio.run(run())
    except (UserRefused, WeakPassword) as error:
        problem, _, remedy = str(error).partition(": ")
        raise OperationFailed(problem, remedy) from error
