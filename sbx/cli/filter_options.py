"""The filters of the commands that choose entries of the log, as options."""

from dataclasses import dataclass
from typing import Annotated

import typer

from sbx.cli.options import check_account


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options as typed, all optional; an entry must match all that are given."""

    account: Annotated[str | None, typer.Option(callback=check_account, help="SalesBinder sub-domain.")] = (
        None
    )
    state: Annotated[str | None, typer.Option(help="queued, running, completed or failed.")] = None
    entity: Annotated[str | None, typer.Option(help="customer, supplier, invoice or purchase_order.")] = None
    action: Annotated[str | None, typer.Option(help="Such as created or payment_applied.")] = None
    reason: Annotated[str | None, typer.Option(help="A reason code, such as tax_rate_unmapped.")] = None
    issue: Annotated[str | None, typer.Option(help="An issue's id: failures with one cause.")] = None
    number: Annotated[str | None, typer.Option(help="A document's number.")] = None
    record: Annotated[str | None, typer.Option(help="A record's SalesBinder id.")] = None
    entry: Annotated[str | None, typer.Option("--id", help="An entry's id.")] = None
    text: Annotated[
        str | None,
        typer.Option(help="Words of a name, reference or reason, a number, an amount or range, an id."),
    ] = None
    since: Annotated[
        str | None, typer.Option(help="At or after: a time, today, yesterday, or 30m, 2h, 1d ago.")
    ] = None
    until: Annotated[
        str | None, typer.Option(help="Before: a time, today, yesterday, or 30m, 2h, 1d ago.")
    ] = None
    period: Annotated[str | None, typer.Option(help="Such as today, yesterday or last_month, in UTC.")] = None
    topic: Annotated[str | None, typer.Option(help="The event's topic.")] = None
    partition: Annotated[int | None, typer.Option(min=0, help="The event's partition.")] = None
    offset: Annotated[str | None, typer.Option(help="The event's offset, or a range such as 120-180.")] = None
