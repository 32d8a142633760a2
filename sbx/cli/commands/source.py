"""``sbx source``: SalesBinder accounts whose changes are read through SalesBinder's API."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sbx.cli.commands.groups import new_group
from sbx.cli.options import Account, AsJson, Yes, check_account

app = new_group("SalesBinder accounts whose changes are read through SalesBinder's API.")


@app.command("connect")
def connect(
    account: Account,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            "--key-file",
            help="File with the API key. [default: prompted for, or read from stdin]",
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Connect a SalesBinder account with an API key, or give it another key.

    The key is that of a user, from their Profile page in SalesBinder. Nothing is stored until SalesBinder
    has taken it. What is there already is read silently; changes from now on are published.
    """
    from sbx.cli import source as work

    work.connect(account, key_file, as_json)


@app.command("status")
def status(
    account: Annotated[
        str | None,
        typer.Argument(metavar="[ACCOUNT]", callback=check_account, help="Only this account."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is read, how late a change can be seen at most, and what cannot be read."""
    from sbx.cli import source as work

    work.status(account, as_json)


@app.command("hook")
def hook(
    account: Account,
    renew: Annotated[
        bool, typer.Option("--renew", help="Make another one; the present one stops working.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the address where SalesBinder may send webhooks for an account. It is secret.

    With webhooks a change is seen within seconds. Nothing that is sent there is trusted.
    """
    from sbx.cli import source as work

    work.hook(account, renew, as_json)


@app.command("set")
def set_(
    account: Account,
    shrunk: Annotated[
        Literal["correction", "refund"],
        typer.Option(
            help="What it is when a payment becomes smaller: it was corrected, or returned in part."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Say how this shop's records are to be read, from now on; the status shows it.

    SalesBinder does not say how it keeps a payment that is returned in part.
    """
    from sbx.cli import source as work

    work.set_(account, shrunk, as_json)


@app.command("feed")
def feed(
    account: Account,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            "--key-file",
            help="File with a key of version 3. [default: prompted for, or read from stdin]",
            dir_okay=False,
        ),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Follow it no more, and forget its key.")] = False,
    as_json: AsJson = False,
) -> None:
    """Follow the change feed of SalesBinder's API 3, too: a hint beside webhooks, off unless you give a key.

    The key (sb_live_...) needs to read invoices and purchase orders. The feed is never trusted.
    """
    from sbx.cli import source as work

    work.feed(account, key_file, off, as_json)


@app.command("backfill")
def backfill(
    account: Account,
    since: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Documents made from this day on: 2026-01-31, or 2w ago."),
    ] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="Publish no more of them.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Publish documents from before the connection, with their payments, behind all live work.

    Without --yes, say how many documents and calls it would take. It goes on after any restart.
    """
    from sbx.cli import source as work

    work.backfill(account, since, cancel, yes, as_json)


@app.command("probe")
def probe(
    account: Account,
    report: Annotated[
        Path | None, typer.Option(help="Write the report to this file, to be sent to us.", dir_okay=False)
    ] = None,
    watch: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Then watch the invoice with this number, or the document with this id, until Ctrl-C, while "
            "you pay, return, reset or archive it in SalesBinder.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn what SalesBinder's API leaves open, from the account's answers and what its reader has measured.

    It only reads. Each open question is shown with what was learnt, or with what to do to learn it.
    The report holds forms, counts and names of fields and statuses, and nothing of the shop's.
    """
    from sbx.cli import probe as work

    work.probe(account, report, watch, as_json)
