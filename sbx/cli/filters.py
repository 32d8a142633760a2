"""The filters that ``sbx log``, ``sbx retry``, ``sbx skip`` and ``sbx replay`` have in common.

``Options`` declares them once; ``filtered`` gives all of them to a command as options, ``filtered_by`` some.
"""

import difflib
import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_args, get_type_hints

import typer

from contracts.commands import Action, Entity
from contracts.reasons import CATALOGUE
from contracts.results import State
from log_projection.offsets import NotOffsets, offset_range
from log_projection.queries import Filters
from sbx.cli.errors import BadUsage
from sbx.cli.options import check_account
from streams.topics import COMMANDS, SOURCES

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options as they are written, all optional; an entry must meet all that are given."""

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
    text: Annotated[str | None, typer.Option(help="How a number, name or id begins.")] = None
    since: Annotated[str | None, typer.Option(help="Since then: a time, or 30m, 2h, 1d ago.")] = None
    until: Annotated[str | None, typer.Option(help="Before then: a time, or 30m, 2h, 1d ago.")] = None
    topic: Annotated[str | None, typer.Option(help="The topic that the event came on.")] = None
    partition: Annotated[int | None, typer.Option(min=0, help="The event's partition.")] = None
    offset: Annotated[str | None, typer.Option(help="The event's offset, or a range such as 120-180.")] = None

    def filters(self) -> Filters:
        """The filters that they stand for.

        Raises:
            BadUsage: an option has a value that it cannot have; names those that it can.
        """
        since, until = moment("--since", self.since), moment("--until", self.until)
        if since is not None and until is not None and since >= until:
            raise BadUsage(
                f"--since {self.since} is not before --until {self.until}", "give the earlier time as --since"
            )
        first, last = _range("--offset", self.offset)
        return Filters(
            account=self.account,
            state=_one_of("--state", self.state, get_args(State)),
            entity=_one_of("--entity", self.entity, get_args(Entity)),
            action=_one_of("--action", self.action, get_args(Action)),
            reason=_one_of("--reason", self.reason, sorted(CATALOGUE)),
            issue=_issue("--issue", self.issue),
            number=self.number,
            record=self.record,
            entry_id=self.entry,
            text=self.text,
            since=since,
            until=until,
            topic=_one_of("--topic", self.topic, (*SOURCES, COMMANDS)),
            partition=self.partition,
            offset_from=first,
            offset_to=last,
        )


def filtered_by(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command have these filters as options; it takes them as its argument ``wanted``.

    Typer reads the signature, in which ``wanted`` is replaced by the fields of ``Options``.
    """
    chosen = [one for one in fields(Options) if one.name in names]

    def give(command: Callable[..., None]) -> Callable[..., None]:
        own = {name: p for name, p in inspect.signature(command).parameters.items() if name != "wanted"}
        hints = get_type_hints(Options, include_extras=True) | get_type_hints(command, include_extras=True)
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter(one.name, keyword, default=one.default, annotation=hints[one.name])
            for one in chosen
        ]
        parameters += [p.replace(kind=keyword, annotation=hints[name]) for name, p in own.items()]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            options = Options(**{one.name: given.pop(one.name) for one in chosen})
            command(wanted=options.filters(), **given)

        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {one.name: one.annotation for one in parameters}
        return with_options

    return give


filtered = filtered_by(*(one.name for one in fields(Options)))
"""Let a command have every filter."""


def _one_of(option: str, value: str | None, allowed: Sequence[str]) -> str | None:
    if value is None or value in allowed:
        return value
    near = difflib.get_close_matches(value, allowed, n=3) if len(allowed) > 20 else allowed
    remedy = f"use one of: {', '.join(near)}" if near else "all reason codes are in docs/reasons.md"
    raise BadUsage(f"{option} {value}: there is no such {option.lstrip('-')}", remedy)


def _issue(option: str, value: str | None) -> str | None:
    if value is None or re.fullmatch(r"[0-9a-f]{12}", value):
        return value
    raise BadUsage(
        f"{option} {value}: is no issue's id", "they are 12 characters, in integrations_log.issues.issue_id"
    )


def _range(option: str, value: str | None) -> tuple[int | None, int | None]:
    if value is None:
        return None, None
    try:
        return offset_range(value)
    except NotOffsets as error:
        raise BadUsage(f"{option} {value}: {error}", error.remedy) from error


def moment(option: str, value: str | None) -> datetime | None:
    """A time as an option is given it, or so long ago; none for none.

    Raises:
        BadUsage: it is neither.
    """
    if value is None:
        return None
    ago = re.fullmatch(r"(\d{1,6})([smhdw])", value)
    try:
        if ago:
            return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        given = datetime.fromisoformat(value)
        return given if given.tzinfo else given.astimezone()
    except (ValueError, OverflowError) as error:
        raise BadUsage(
            f"{option} {value}: is not a time",
            "write 2026-01-31T09:00:00Z, or 2h for two hours ago",
        ) from error
