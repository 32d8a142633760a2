"""``sbx drift``: where Xero differs from what was last synced, and what to do about it."""

from typing import Annotated

import typer

from sbx.cli.options import Account, AsJson, Yes

KINDS = ("contact", "invoice", "bill", "credit_note", "purchase_order", "payment", "refund")
"""The kinds that ``sinks.drift`` reads."""


def drift(
    account: Account,
    since: Annotated[
        str | None,
        typer.Option(
            help="Read what was changed in Xero since then: a time, today, yesterday, or 30m, 2h, 1d ago."
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what has changed.")] = False,
    last: Annotated[bool, typer.Option("--last", help="Do not ask Xero; show what was found last.")] = False,
    kind: Annotated[str | None, typer.Option(help=f"One of {', '.join(KINDS)}.")] = None,
    number: Annotated[
        str | None, typer.Option(help="A document's number in Xero, or a contact's name.")
    ] = None,
    record: Annotated[str | None, typer.Option(help="A record's SalesBinder id.")] = None,
    field: Annotated[str | None, typer.Option(help="Such as total, status or phone.")] = None,
    resend: Annotated[bool, typer.Option("--resend", help="Send SalesBinder's version again.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Accept Xero's version.")] = False,
    yes: Yes = False,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if something differs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare Xero with what was last synced.

    Reads what was changed in Xero since the last comparison (everything, the first time), after saying how
    many calls that takes. --resend and --adopt say what would be done; add --yes to do it.
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
