"""``sbx users``: who may use the page and the API."""

import asyncio
import webbrowser
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from sbx.actions import users
from sbx.actions.actors import Connection
from sbx.actions.roles import Role
from sbx.cli import environment, page_address
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.terminal import ask_secret, say, show_rows
from sbx.cli.web import link_of

T = TypeVar("T")


def add(name: str, role: Role, account: list[str] | None, no_password: bool) -> None:
    """Run ``sbx users add``."""
    password = None if no_password else _password()
    _run(lambda c: users.add(c, actor(), name, role, password, account or []))
    say(f"{name} is now set up as {role}")


def list_users(as_json: bool) -> None:
    """Run ``sbx users list``."""
    show_rows(
        _run(users.listed),
        as_json,
        ("name", "role", "accounts", "password", "tokens"),
        lambda row: (
            row["name"],
            row["role"],
            "all" if row["accounts"] is None else ", ".join(row["accounts"]),
            "set" if row["has_password"] else "none",
            str(row["tokens"]),
        ),
    )


def remove(name: str) -> None:
    """Run ``sbx users remove``."""
    _run(lambda c: users.remove(c, actor(), name))
    say(f"{name} is removed")


def set_password(name: str) -> None:
    """Run ``sbx users set-password``."""
    password = _password()
    _run(lambda c: users.set_password(c, actor(), name, password))
    say(f"{name} has a new password")


def token(name: str, label: str, days: int) -> None:
    """Run ``sbx users token``."""
    print(_run(lambda c: users.new_token(c, actor(), name, label, days)))


def set_role(name: str, role: Role) -> None:
    """Run ``sbx users set-role``."""
    _run(lambda c: users.set_role(c, actor(), name, role))
    say(f"{name} is now {role}")


def tokens(name: str | None, as_json: bool) -> None:
    """Run ``sbx users tokens``."""
    rows = _run(lambda c: users.tokens(c, name))
    names = ("user", "label", "created (UTC)", "last used (UTC)", "valid until (UTC)")
    times = ("created_at", "last_used_at", "expires_at")
    show_rows(
        rows,
        as_json,
        names,
        lambda row: (row["user_name"], row["label"], *(_minute(row[one]) for one in times)),
    )


def _minute(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else "never"


def revoke(name: str, label: str | None, every: bool) -> None:
    """Run ``sbx users revoke``."""
    if (label is None) != every:
        raise BadUsage("no tokens named", "give --label LABEL for one, or --all")
    ended = _run(lambda c: users.revoke(c, actor(), name, label))
    say(f"{ended} {'token' if ended == 1 else 'tokens'} of {name} ended")


def link(name: str | None, url: str | None) -> None:
    """Run ``sbx users link``."""
    base = url or page_address.kept(environment.read().data_dir) or page_address.USUAL
    key = _run(lambda c: users.link(c, actor(), name))
    print(link_of(base.rstrip("/"), key))


def open_page(name: str | None) -> None:
    """Run ``sbx open``."""
    base = page_address.kept(environment.read().data_dir) or page_address.USUAL
    if not page_address.answers(base):
        raise OperationFailed(f"the page at {base} does not answer", "start it with 'sbx up' or 'sbx web'")
    opened = link_of(base, _run(lambda c: users.link(c, actor(), name)))
    if not webbrowser.open(opened):
        print(opened)


def _password() -> str:
    """Read it from a prompt, twice, or from stdin; never from arguments, which others can see."""
    return ask_secret("Password", twice=True)


def _run(act: Callable[[Connection], Awaitable[T]]) -> T:
    async def run() -> T:
        async with connected("sbx users") as (_, connection):
            return await act(connection)

    return asyncio.run(run())
