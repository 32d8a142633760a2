"""``sbx users``: who may use the page and the API."""

from typing import Annotated

import typer

from sbx.actions.roles import Role
from sbx.cli.commands.groups import new_group
from sbx.cli.commands.options import PORT, AsJson

app = new_group("Users of the page and the API.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]


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
    from sbx.cli import users as work

    work.add(name, role, account, no_password)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Show who is set up."""
    from sbx.cli import users as work

    work.list_users(as_json)


@app.command("remove")
def remove(name: Name) -> None:
    """Remove a user: their sessions and tokens end at once."""
    from sbx.cli import users as work

    work.remove(name)


@app.command("set-password")
def set_password(name: Name) -> None:
    """Give a user another password, asked for or read from stdin. Their sessions end."""
    from sbx.cli import users as work

    work.set_password(name)


@app.command("token")
def token(
    name: Name,
    label: Annotated[str, typer.Option(help="What it is for; a new one of this label replaces it.")] = "api",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 365,
) -> None:
    """Print a token for the JSON API. It is shown this once and kept as a hash."""
    from sbx.cli import users as work

    work.token(name, label, days)


@app.command("set-role")
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(metavar="ROLE", help="viewer or operator.")]
) -> None:
    """Give a user another role. It holds at once, in open sessions and tokens, too."""
    from sbx.cli import users as work

    work.set_role(name, role)


@app.command("tokens")
def tokens(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Of this user. [default: of all]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the tokens that are good, and when each was used last."""
    from sbx.cli import users as work

    work.tokens(name, as_json)


@app.command("revoke")
def revoke(
    name: Name,
    label: Annotated[str | None, typer.Option(help="The token of this label.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All tokens of the user.")] = False,
) -> None:
    """End tokens of a user at once. 'sbx users tokens' shows them."""
    from sbx.cli import users as work

    work.revoke(name, label, every)


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
    from sbx.cli import users as work

    work.link(name, url)
