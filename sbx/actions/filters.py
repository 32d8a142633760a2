"""Which entries: filters of the log as people write them, checked alike for command line, page and API."""

import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import get_args

from contracts.commands import Action, Entity
from contracts.reasons import CATALOGUE
from contracts.results import State
from log_projection.offsets import NotOffsets, offset_range
from log_projection.paging import Order
from log_projection.queries import Filters
from sbx.actions.periods import PERIODS, within
from sbx.actions.refused import ActionRefused

CHOICES: dict[str, tuple[str, ...]] = {
    "state": get_args(State),
    "entity": get_args(Entity),
    "action": get_args(Action),
    "reason": tuple(sorted(CATALOGUE)),
    "period": tuple(PERIODS),
}
SORTS: dict[str, Order] = {
    "-time": Order("time", descending=True),
    "time": Order("time"),
    "-amount": Order("amount", descending=True),
    "amount": Order("amount"),
    "document": Order("document"),
    "-document": Order("document", descending=True),
}
"""Orders by their names in addresses and options; ``-`` turns one round."""
_LONGEST_TEXT = 255
_FEW = 20
"""How many choices are all named in an error; if there are more, only similar ones are."""
_ISSUE = re.compile(r"[0-9a-f]{12}")


def read(
    given: Mapping[str, str | None],
    since: datetime | None,
    until: datetime | None,
    partition: int | None = None,
) -> Filters:
    """Return the filters for these values, by their names in addresses and options.

    Args:
        since, until: read already, since each face writes times in its own way.

    Raises:
        ActionRefused: one has a value that it cannot have; names those that it can.
    """
    for name, choices in CHOICES.items():
        check_choice(name, given.get(name), choices)
    issue = given.get("issue")
    if issue is not None and not _ISSUE.fullmatch(issue):
        raise _wrong("issue", issue, "is no issue's id", "they are 12 characters, in issue_id of an issue")
    if since is not None and until is not None and since >= until:
        text = f"is not after since {given.get('since')}"
        raise _wrong("until", str(given.get("until")), text, "give the earlier time as since")
    period = given.get("period")
    if period is not None:
        since, until = within(period, since, until)
    first, last = _offsets(given.get("offset"))
    words = given.get("text")
    if words is not None and len(words) > _LONGEST_TEXT:
        raise _wrong(
            "text", f"{words[:20]}…", f"is longer than {_LONGEST_TEXT} characters", "give fewer words"
        )
    return Filters(
        account=given.get("account"),
        state=given.get("state"),
        entity=given.get("entity"),
        action=given.get("action"),
        reason=given.get("reason"),
        issue=issue,
        number=given.get("number"),
        record=given.get("record"),
        text=words,
        entry_id=given.get("id"),
        topic=given.get("topic"),
        since=since,
        until=until,
        partition=partition,
        offset_from=first,
        offset_to=last,
    )


def read_order(value: str | None) -> Order:
    """Return the order of this name; newest first if there is none.

    Raises:
        ActionRefused: there is no such order; names those that there are.
    """
    check_choice("sort", value, tuple(SORTS))
    return SORTS[value or "-time"]


def check_choice(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of these.

    Raises:
        ActionRefused: names those that there are, or that are alike.
    """
    if value is None or value in choices:
        return
    near = difflib.get_close_matches(value, choices, n=3) if len(choices) > _FEW else choices
    remedy = f"use one of: {', '.join(near)}" if near else "all reason codes are in docs/reasons.md"
    raise _wrong(name, value, f"there is no such {name}", remedy)


def _offsets(value: str | None) -> tuple[int | None, int | None]:
    if value is None:
        return None, None
    try:
        return offset_range(value)
    except NotOffsets as error:
        raise _wrong("offset", value, str(error), error.remedy) from error


def _wrong(name: str, value: str, problem: str, remedy: str) -> ActionRefused:
    return ActionRefused("bad_request", f"{name} {value}: {problem}", remedy, field=name)
