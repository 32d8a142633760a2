"""``sbx secrets``: the keys of stored secrets."""

from typing import Annotated

import typer

from sbx.cli.commands.groups import new_group
from sbx.cli.options import AsJson, Yes

app = new_group("The key that encrypts stored secrets.")


@app.command("new-key")
def new_key() -> None:
    """Print a new key for SBX_SECRET_KEY. Nothing is changed."""
    from sbx.cli import secrets as work

    work.new_key()


@app.command("rotate")
def rotate(
    yes: Yes = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit code 1 if a secret is under another key than SBX_SECRET_KEY."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Encrypt stored secrets again, those that are under the old key.

    The new key is SBX_SECRET_KEY, the old one SBX_SECRET_KEY_OLD (or secret.key and secret.key.old in the
    data directory). Without --yes, only counts what is under which key. Workers go on meanwhile; a run that
    was broken off is gone on with by the next one. Exit code 1 if a secret stays under another key.
    """
    from sbx.cli import secrets as work

    work.rotate(yes=yes, check=check, as_json=as_json)
