"""``sbx drift``: what Xero shows otherwise than we put it there, and what to do about it."""

from typing import Annotated

import typer

from sbx.cli.commands.options import Account, AsJson, Yes

KINDS = ("contact", "invoice", "bill", "credit_note", "purchase_order", "payment", "refund")
"""Those that ``sinks.drift`` reads."""


def drift(
    account: Account,
    since: Annotated[
        str | None,
        typer.Option(help="Read what was changed in Xero since: a time, or 30m, 2h, 1d ago."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what was changed.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Ask Xero nothing: what was found last.")] = False,
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}.")] = None,
    number: Annotated[str | None, typer.Option(help="A document's number in Xero, a contact's name.")] = None,
    record: Annotated[str | None, typer.Option(help="A record's SalesBinder id.")] = None,
    field: Annotated[str | None, typer.Option(help="Such as total, status or phone.")] = None,
    resend: Annotated[bool, typer.Option("--resend", help="Send what we put there once more.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Take Xero's state as known.")] = False,
    yes: Yes = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 when something differs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare Xero with what we put there.

    Reads what was changed in Xero since the last time, the first time everything; says first how many calls
    that takes. With --resend or --adopt it says what would be done; --yes does it.
    """
    from sbx.cli import drift as work

    work.drift(
        account=account,
        since=since,
        full=full,
        last=last,
        kind=kind,
        number=number,
        record=record,
        field=field,
        resend=resend,
        adopt=adopt,
        yes=yes,
        check=check,
        as_json=as_json,
    )
