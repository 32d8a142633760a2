"""``sbx settings``: show, set and check the settings of an account's connection."""

from typing import Annotated

import typer

from sbx.cli.commands.groups import new_group
from sbx.cli.commands.options import Account, AsJson

app = new_group("Show, set and check an account's settings.")


@app.command()
def show(account: Account, as_json: AsJson = False) -> None:
    """Show all settings, those that were set in bold."""
    from sbx.cli import settings as work

    work.show(account, as_json)


@app.command(name="set")
def set_(
    account: Account,
    changes: Annotated[
        list[str], typer.Argument(metavar="KEY=VALUE…", help="KEY= takes a setting back to its default.")
    ],
    as_json: AsJson = False,
) -> None:
    """Change settings, all of them or none.

    Account codes and tax types must exist in the organisation.
    """
    from sbx.cli import settings as work

    work.set_(account, changes, as_json)


@app.command()
def check(account: Account, as_json: AsJson = False) -> None:
    """Hold the settings against Xero.

    Against its chart of accounts and tax rates, read anew, with what has failed for a setting so far. Exit
    code 1 when actions would fail.
    """
    from sbx.cli import settings as work

    work.check(account, as_json)


@app.command()
def history(
    account: Account,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="Only changes of this setting.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who changed what and when, the oldest first.

    Pauses and the Xero organisation (tenant_id) are in it, too.
    """
    from sbx.cli import settings as work

    work.history(account, key, as_json)
