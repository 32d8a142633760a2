"""``sbx settings``: show, set and check the settings of an account's connection."""

from typing import Annotated

import typer

from sbx.cli.commands.groups import new_group
from sbx.cli.options import Account, AsJson

app = new_group("Show, set and check an account's settings.")


@app.command()
def show(account: Account, as_json: AsJson = False) -> None:
    """Show all settings; those that were set are in bold."""
    from sbx.cli import settings as work

    work.show(account, as_json)


@app.command(name="set")
def set_(
    account: Account,
    changes: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE…", help="KEY= resets a setting to its default.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change settings: all of them or none.

    Account codes and tax types must exist in the organisation.
    """
    from sbx.cli import settings as work

    work.set_(account, changes, as_json)


@app.command()
def check(account: Account, as_json: AsJson = False) -> None:
    """Check the settings against Xero.

    Compares them with its chart of accounts and tax rates, which are read again, and lists what has failed
    because of a setting so far. Exit code 1 if actions would fail.
    """
    from sbx.cli import settings as work

    work.check(account, as_json)


@app.command()
def history(
    account: Account,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="Only changes to this setting.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who changed what and when, oldest first.

    Includes pauses and changes of the Xero organisation (tenant_id).
    """
    from sbx.cli import settings as work

    work.history(account, key, as_json)
