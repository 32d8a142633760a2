"""The filters of ``sbx log``, ``sbx retry``, ``sbx skip`` and ``sbx replay``, from their options."""

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from log_projection.queries import Filters
from sbx.actions import filters as actions
from sbx.cli.errors import BadUsage
from sbx.cli.filter_options import Options
from streams.topics import COMMANDS, SOURCES

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def filters(options: Options) -> Filters:
    """Return the filters for the options.

    Raises:
        ActionRefused, BadUsage: an option has an invalid value; names the valid ones.
    """
    since, until = moment("--since", options.since), moment("--until", options.until)
    actions.check_choice("topic", options.topic, (*SOURCES, COMMANDS))
    return actions.read(asdict(options) | {"id": options.entry}, since, until, options.partition)


def moment(option: str, value: str | None) -> datetime | None:
    """Parse a time, or how long ago; None for None.

    Raises:
        BadUsage: the value is neither.
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
            f"{option} {value}: not a time",
            "write 2026-01-31T09:00:00Z, or 2h for two hours ago",
        ) from error
