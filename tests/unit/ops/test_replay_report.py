"""The plan of a replay: what it costs, and how it is said."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from rich.console import Console

from contracts.events.types import EVENT_TYPES
from sbx.actions.replay.run import Totals
from sbx.cli.replay.report import list_table, result_text, show_plan
from sinks.ledger.cost import accounts_of, calls_for
from sinks.replay.replay import Standing


@pytest.mark.parametrize(
    ("work", "calls"),
    [
        ({}, 0),
        ({("customer", "created"): 1}, 1),
        ({("customer", "created"): 51}, 2),
        ({("invoice", "created"): 50, ("invoice", "payment_applied"): 50}, 3),
        ({("customer", "deleted"): 7}, 0),
        ({("invoice", "reset"): 3}, 4),
    ],
)
def test_calls_are_those_of_full_batches(work: dict[tuple[str, str], int], calls: int) -> None:
    assert calls_for(work) == calls


def test_every_kind_of_event_has_its_calls() -> None:
    for kind in EVENT_TYPES.values():
        assert calls_for({(kind.entity, kind.action): 1}) >= 0


def account(**more: Any) -> dict[str, Any]:
    return {"account": "acme", "connected": True, "paused": False, "day_left": 5000, **more}


def test_an_account_is_told_with_minutes_and_what_is_left_today() -> None:
    work = Counter({("acme", "invoice", "payment_applied"): 5000, ("other", "invoice", "reset"): 9})
    [plenty] = accounts_of([account()], work)
    assert (plenty["actions"], plenty["calls"], plenty["minutes"], plenty["enough_today"]) == (
        5000,
        100,
        2,
        True,
    )
    [few] = accounts_of([account(day_left=99)], work)
    assert few["enough_today"] is False
    [unknown] = accounts_of([account(day_left=None)], work)
    assert unknown["enough_today"] is True


def said(totals: Totals, *accounts: dict[str, Any]) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        show_plan(console, totals, accounts)
    return " ".join(captured.get().split())


def test_the_plan_says_what_there_is_and_what_is_in_the_way() -> None:
    totals = Totals()
    totals.count(["done", "done", "failed", "unknown", "under_way"], [])
    totals.unreadable = {"event_field_wrong": 4}
    work = Counter({("acme", "invoice", "created"): 2})
    [one] = accounts_of([account(connected=False, paused=True, day_left=1)], work)
    text = said(totals, one)
    for part in (
        "9 events",
        "2 done",
        "1 failed",
        "4 unreadable (event_field_wrong)",
        "2 actions, about 2 calls",
    ):
        assert part in text
    for part in ("only 1 call left today", "sbx connect acme", "sbx resume acme", "add --yes"):
        assert part in text
    assert "event id" not in text


def test_nothing_to_do_is_said() -> None:
    totals = Totals()
    totals.count(["done"], [])
    assert "nothing to do: no call to Xero" in said(totals)
    assert result_text(3, "completed", totals) == (
        "replay 3 completed: 1 event, 0 taken in, 0 queued again; left as they are: 1 done"
    )


def test_totals_count_every_standing_and_come_back_as_they_were_kept() -> None:
    totals = Totals()
    totals.count(list(get_args(Standing)), [])
    assert totals.events == len(get_args(Standing))
    assert Totals.of_json(totals.to_json()) == totals


@pytest.mark.parametrize(
    ("waiting", "told"), [(0, "completed"), (1200, "being sent, 1,200 to go")], ids=["ended", "open"]
)
def test_a_listed_replay_is_completed_once_its_actions_are(waiting: int, told: str) -> None:
    row = dict.fromkeys(("replay_id", "offsets_read", "offsets", "events", "done", "under_way", "failed"), 1)
    more = {"state": "completed", "cancelling": False, "queued": 1500, "waiting": waiting, "actor": "cli:ann"}
    listed = list_table([row | more | {"started_at": datetime(2026, 3, 2, tzinfo=UTC), "selection": {}}])
    console = Console(width=200)
    with console.capture() as shown:
        console.print(listed)
    assert told in shown.get()
