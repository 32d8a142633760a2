"""The filters that ``sbx log``, ``sbx retry`` and ``sbx skip`` have in common."""

import difflib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, get_args

import typer

from contracts.commands import Action as CommandAction
from contracts.commands import Entity as CommandEntity
from contracts.reasons import CATALOGUE
from contracts.results import State as EntryState
from log_projection.queries import Filters
from ops.errors import BadUsage
from ops.options import check_account

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Account = Annotated[str | None, typer.Option(callback=check_account, help="SalesBinder sub-domain.")]
State = Annotated[str | None, typer.Option(help="queued, running, completed or failed.")]
Entity = Annotated[str | None, typer.Option(help="customer, supplier, invoice or purchase_order.")]
Action = Annotated[str | None, typer.Option(help="Such as created or payment_applied.")]
Reason = Annotated[str | None, typer.Option(help="A reason code, such as tax_rate_unmapped.")]
Number = Annotated[str | None, typer.Option(help="A document's number.")]
Record = Annotated[str | None, typer.Option(help="A record's SalesBinder id.")]
EntryId = Annotated[str | None, typer.Option("--id", help="An entry's id.")]
Text = Annotated[str | None, typer.Option(help="How a number, name or id begins.")]
Since = Annotated[str | None, typer.Option(help="Queued since: a time, or 30m, 2h, 1d ago.")]
Until = Annotated[str | None, typer.Option(help="Queued before: a time, or 30m, 2h, 1d ago.")]


def make(
    *,
    account: str | None,
    state: str | None,
    entity: str | None,
    action: str | None,
    reason: str | None,
    number: str | None,
    record: str | None,
    entry_id: str | None,
    text: str | None,
    since: str | None,
    until: str | None,
) -> Filters:
    """Options as filters.

    Raises:
        BadUsage: an option has a value that it cannot have; names those that it can.
    """
    return Filters(
        account=account,
        state=_one_of("--state", state, get_args(EntryState)),
        entity=_one_of("--entity", entity, get_args(CommandEntity)),
        action=_one_of("--action", action, get_args(CommandAction)),
        reason=_one_of("--reason", reason, sorted(CATALOGUE)),
        number=number,
        record=record,
        entry_id=entry_id,
        text=text,
        since=_moment("--since", since),
        until=_moment("--until", until),
    )


def _one_of(option: str, value: str | None, allowed: Sequence[str]) -> str | None:
    if value is None or value in allowed:
        return value
    near = difflib.get_close_matches(value, allowed, n=3) if len(allowed) > 20 else allowed
    remedy = f"use one of: {', '.join(near)}" if near else "all reason codes are in docs/reasons.md"
    raise BadUsage(f"{option} {value}: there is no such {option.lstrip('-')}", remedy)


def _moment(option: str, value: str | None) -> datetime | None:
    if value is None:
        return None
    ago = re.fullmatch(r"(\d{1,6})([smhdw])", value)
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise BadUsage(
            f"{option} {value}: is not a time",
            "write 2026-01-31T09:00:00Z, or 2h for two hours ago",
        ) from error
    return moment if moment.tzinfo else moment.astimezone()
