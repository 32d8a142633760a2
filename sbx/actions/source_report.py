"""How an account is read from SalesBinder, for programs: one shape for status, commands and API."""

from typing import Any, Final, Literal, get_args

from contracts.reasons import CATALOGUE, render
from sources.schedule.layers import Layer
from sources.store.overview import Overview

State = Literal["no_answers", "unread", "taking_stock", "read"]

_LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
_UNREAD: Final = (
    "No worker reads it.",
    "start one: 'sbx up', or 'sbx worker source'. Nothing is lost meanwhile.",
)


def state_of(found: Overview) -> State:
    """Return the most important condition."""
    if found.trouble is not None:
        return "no_answers"
    if not found.is_read:
        return "unread"
    return "read" if found.stock_is_taken else "taking_stock"


def why_of(found: Overview) -> tuple[str, str]:
    """Return in sentences why it is not read at the moment, and what to do; blank if it is."""
    if found.trouble is not None and found.trouble in CATALOGUE:
        return render(found.trouble, {"account": found.account, "problem": found.trouble_text})
    return ("", "") if found.is_read or found.trouble is not None else _UNREAD


def as_object(found: Overview) -> dict[str, Any]:
    """Return all that is known of how the account is read; times aware, durations in seconds."""
    reason, remedy = why_of(found)
    return {
        "account": found.account,
        "state": state_of(found),
        "reason": reason,
        "remedy": remedy,
        "needs_somebody": found.needs_somebody,
        "connected_at": found.connected_at,
        "is_read": found.is_read,
        "trouble": found.trouble,
        "trouble_text": found.trouble_text,
        "trouble_since": found.trouble_since,
        "held_until": found.held_until,
        "calls_last_minute": found.calls,
        "details_wanted": found.wanted,
        "events_to_publish": found.untold,
        "history_left": found.history,
        "stock": {
            listing: {"rows": each.rows, "count": each.count, "done": each.is_done, "unseen": each.unseen}
            for listing, each in found.stock.items()
        },
        "stock_seconds_left": None if found.stock_left is None else found.stock_left.total_seconds(),
        "layer_ages": {
            layer: None if (each := found.age(layer)) is None else each.total_seconds() for layer in _LAYERS
        },
        "latest_seconds": {kind: each.total_seconds() for kind, each in found.lateness.items()},
        "modified": {
            kind: {"moved": each.moved, "unmoved": each.unmoved, "run": each.run}
            for kind, each in found.trust.items()
        },
        "feed": None
        if found.feed is None
        else {"last_at": found.feed.last_at, "trouble": found.feed.trouble},
        "comparison": {"ended_at": found.compared_at, "error": found.comparison_error},
        "problem_count": sum(each.count for each in found.problems),
        "problems": [
            {
                "code": each.code,
                "count": each.count,
                "since": each.since,
                "example": each.example,
                "remedy": each.remedy,
            }
            for each in found.problems
        ],
    }
