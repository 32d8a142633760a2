"""``sbx users``: who may use the page and the API."""

from typing import Annotated

import typer

from sbx.actions.roles import Role
from sbx.cli.commands.groups import new_group
from sbx.cli.options import PORT, AsJson

app = new_group("Users of the page and the API.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The user.")]


@app.command("add")
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="A viewer can look; an operator can also act.")] = "viewer",
    account: Annotated[
        list[str] | None, typer.Option(help="Limit to this account; may be repeated. [default: all]")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Can sign in by token or link only.")
    ] = False,
) -> None:
    """Create a user. The password is prompted for, or read from stdin."""
    from sbx.cli import users as work

    work.add(name, role, account, no_password)


@app.command("list")
def list_users(as_json: AsJson = False) -> None:
    """Show all users."""
    from sbx.cli import users as work

    work.list_users(as_json)


@app.command("remove")
def remove(name: Name) -> None:
    """Remove a user; their sessions and tokens end at once."""
    from sbx.cli import users as work

    work.remove(name)


@app.command("set-password")
def set_password(name: Name) -> None:
    """Change a user's password, prompted for or read from stdin. Their sessions end."""
    from sbx.cli import users as work

    work.set_password(name)


@app.command("token")
def token(
    name: Name,
    label: Annotated[
        str, typer.Option(help="What the token is for; a new token with this label replaces it.")
    ] = "api",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is valid.")] = 365,
) -> None:
    """Print a token for the JSON API. It is shown only once and stored as a hash."""
    from sbx.cli import users as work

    work.token(name, label, days)


@app.command("set-role")
def set_role(
    name: Name, role: Annotated[Role, typer.Argument(metavar="ROLE", help="viewer or operator.")]
) -> None:
    """Change a user's role. Takes effect at once, also for open sessions and tokens."""
    from sbx.cli import users as work

    work.set_role(name, role)


@app.command("tokens")
def tokens(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only tokens of this user. [default: all users]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the valid tokens and when each was last used."""
    from sbx.cli import users as work

    work.tokens(name, as_json)


@app.command("revoke")
def revoke(
    name: Name,
    label: Annotated[str | None, typer.Option(help="The token with this label.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All tokens of the user.")] = False,
) -> None:
    """Revoke a user's tokens at once. 'sbx users tokens' lists them."""
    from sbx.cli import users as work

    work.revoke(name, label, every)


@app.command("link")
def link(
    name: Annotated[
        str | None, typer.Argument(help="The user. [default: the operator of this machine]")
    ] = None,
    url: Annotated[str, typer.Option(help="Address of the page.")] = f"http://localhost:{PORT}",
) -> None:
    """Print a link that signs in once, valid for 15 minutes.

    Without a name, it is for the operator of this machine, as long as no users are set up.
    """
    from sbx.cli import users as work

    work.link(name, url)
