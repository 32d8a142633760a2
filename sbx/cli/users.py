"""``sbx users``: who may use the page and the API."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Annotated, Any, TypeVar

import psycopg
import typer
from rich.table import Table

from sbx.actions import audit
from sbx.cli import environment
from sbx.cli.acting import ADDRESS, actor
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.options import AsJson
from sbx.cli.terminal import print_json, say, stdout_console
from sbx.cli.web import PORT, link_of
from sbx.web.auth import sessions, users
from sbx.web.auth.passwords import WeakPassword
from sbx.web.auth.users import LOCAL, Connection, Role, UserRefused

app = typer.Typer(help="Users of the page and the API.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]
T = TypeVar("T")


@app.command("add")
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="A viewer looks, an operator acts, too.")] = "viewer",
    account: Annotated[
        list[str] | None, typer.Option(help="Only entries of this account; may be repeated. [default: all]")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Signs in by token or link only.")
    ] = False,
) -> None:
    """Make a user. The password is asked for, or read from stdin."""
    password = None if no_password else _password()
    by = environment.actor()
    _act(
        "add_user",
        {"user": name, "role": role},
        lambda c: users.add(c, name, role, password, account or [], by),
    )
    say(f"{name} is set up as {role}")


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Show who is set up."""
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


@app.command("remove")
def remove(name: Name) -> None:
    """Remove a user: their sessions and tokens end at once."""
    _act("remove_user", {"user": name}, lambda c: users.remove(c, name))
    say(f"{name} is removed")


@app.command("set-password")
def set_password(name: Name) -> None:
    """Give a user another password, asked for or read from stdin. Their sessions end."""
    password = _password()
    _act("set_password", {"user": name}, lambda c: users.set_password(c, name, password))
    say(f"{name} has a new password")


@app.command("token")
def token(
    name: Name,
    label: Annotated[str, typer.Option(help="What it is for; a new one of this label replaces it.")] = "api",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 365,
) -> None:
    """Print a token for the JSON API. It is shown this once and kept as a hash."""
    target = {"user": name, "label": label}
    print(_act("token", target, lambda c: sessions.new_token(c, name, label, days)))


@app.command("set-role")
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(metavar="ROLE", help="viewer or operator.")]
) -> None:
    """Give a user another role. It holds at once, in open sessions and tokens, too."""
    _act("set_role", {"user": name, "role": role}, lambda c: users.set_role(c, name, role))
    say(f"{name} is {role} now")


@app.command("tokens")
def tokens(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Of this user. [default: of all]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the tokens that are good, and when each was used last."""
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


@app.command("revoke")
def revoke(
    name: Name,
    label: Annotated[str | None, typer.Option(help="The token of this label.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All tokens of the user.")] = False,
) -> None:
    """End tokens of a user at once. 'sbx users tokens' shows them."""
    if (label is None) != every:
        raise BadUsage("which tokens is not said", "give --label LABEL for one, or --all")
    target = {"user": name, "label": label}
    ended = _act("revoke", target, lambda c: sessions.revoke(c, name, label))
    if label is not None and not ended:
        raise OperationFailed(f"{name} has no token '{label}'", f"sbx users tokens {name}")
    say(f"{ended} {'token' if ended == 1 else 'tokens'} of {name} ended")


@app.command("link")
def link(
    name: Annotated[
        str | None, typer.Argument(help="The user. [default: the operator of this machine]")
    ] = None,
    url: Annotated[str, typer.Option(help="Where the page is.")] = f"http://127.0.0.1:{PORT}",
) -> None:
    """Print a link that signs in once, within 15 minutes.

    Without a name it is for the operator of this machine, for as long as no users are set up.
    """
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
