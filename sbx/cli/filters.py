"""The filters of ``sbx log``, ``sbx retry``, ``sbx skip`` and ``sbx replay``, from their options."""

import difflib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

from contracts.commands import Action, Entity
from contracts.reasons import CATALOGUE
from contracts.results import State
from log_projection.offsets import NotOffsets, offset_range
from log_projection.queries import Filters
from sbx.cli.commands.filters import Options
from sbx.cli.errors import BadUsage
from streams.topics import COMMANDS, SOURCES

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def filters(options: Options) -> Filters:
    """The filters that the options stand for.

    Raises:
        BadUsage: an option has a value that it cannot have; names those that it can.
    """
    since, until = moment("--since", options.since), moment("--until", options.until)
    if since is not None and until is not None and since >= until:
        raise BadUsage(
            f"--since {options.since} is not before --until {options.until}",
            "give the earlier time as --since",
        )
    first, last = _range("--offset", options.offset)
    return Filters(
        account=options.account,
        state=_one_of("--state", options.state, get_args(State)),
        entity=_one_of("--entity", options.entity, get_args(Entity)),
        action=_one_of("--action", options.action, get_args(Action)),
        reason=_one_of("--reason", options.reason, sorted(CATALOGUE)),
        issue=_issue("--issue", options.issue),
        number=options.number,
        record=options.record,
        entry_id=options.entry,
        text=options.text,
        since=since,
        until=until,
        topic=_one_of("--topic", options.topic, (*SOURCES, COMMANDS)),
        partition=options.partition,
        offset_from=first,
        offset_to=last,
    )


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
