"""``sbx archive``: what has gone from the database to files."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson, check_account


def archive(
    account: Annotated[
        str | None, typer.Option(callback=check_account, help="Only what belongs to this account.")
    ] = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="Only the files of this month (UTC).")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show what is in the files.")] = False,
    record: Annotated[
        str | None,
        typer.Option(
            help="With --show: only what belongs to the record, entry or event with this id or number."
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Read all files, and compare them with what the database says there is."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what has gone from the database to files, show it, and check the files.

    With --json, one account and month per line; with --show --json, one row per line, as it was in the
    database. Exit code 1 with --check if a file is missing or damaged.
    """
    from sbx.cli import archive as work

    work.archive(account=account, month=month, show=show, record=record, check=check, as_json=as_json)
