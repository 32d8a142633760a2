"""A replay in words, tables and JSON. Pure."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from ops.replay_run import Totals, Work
from ops.replay_topics import Ranges
from ops.terminal import plural

_BATCH = 50
_CALLS_A_MINUTE = 60
# Elements that go in batches, and calls of their own, that an action takes when nothing is in Xero yet.
_STEPS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("contact", "created"): (1, 0),
    ("contact", "edited"): (1, 0),
    ("contact", "deleted"): (0, 0),
    ("invoice", "created"): (2, 0),
    ("invoice", "edited"): (2, 0),
    ("invoice", "payment_applied"): (1, 0),
    ("invoice", "refund_applied"): (2, 0),
    ("invoice", "reset"): (1, 1),
    ("invoice", "cancelled"): (2, 1),
    ("invoice", "deleted"): (2, 1),
    ("purchase_order", "created"): (2, 0),
    ("purchase_order", "edited"): (2, 0),
    ("purchase_order", "received"): (2, 0),
    ("purchase_order", "deleted"): (1, 0),
}


def calls_for(work: Mapping[tuple[str, str], int]) -> int:
    """About how many calls so many actions, by entity and action, take: full batches, nothing refused."""
    calls = 0
    for (entity, action), count in work.items():
        kind = "contact" if entity in ("customer", "supplier") else entity
        batched, single = _STEPS[kind, action]
        calls += batched * math.ceil(count / _BATCH) + single * count
    return calls


def accounts_of(rows: Sequence[Mapping[str, Any]], work: Counter[Work]) -> list[dict[str, Any]]:
    """By account: actions that would be done, calls, minutes, and whether today's calls are enough.

    Args:
        rows: ``account``, ``connected``, ``paused`` and ``day_left`` (none: not known).
    """
    found = []
    for row in rows:
        own = {
            (entity, action): n for (account, entity, action), n in work.items() if account == row["account"]
        }
        calls = calls_for(own)
        enough = row["day_left"] is None or calls <= row["day_left"]
        minutes = math.ceil(calls / _CALLS_A_MINUTE)
        found.append(
            {**row, "actions": sum(own.values()), "calls": calls, "minutes": minutes, "enough_today": enough}
        )
    return found


def as_object(totals: Totals, ranges: Ranges, accounts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The plan for ``--json``."""
    return {
        "applied": False,
        **totals.to_json(),
        "to_come": ranges.to_come,
        "removed": ranges.removed,
        "calls": sum(account["calls"] for account in accounts),
        "minutes": max((account["minutes"] for account in accounts), default=0),
        "accounts": list(accounts),
        "ranges": [
            {"topic": r.topic, "partition": r.partition, "first": r.first, "last": r.end - 1}
            for r in ranges.found
        ],
    }


def show_plan(console: Console, totals: Totals, accounts: Sequence[Mapping[str, Any]]) -> None:
    """The plan for people."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for count, text in _lines(totals):
        table.add_row(f"{count:,}", text)
    console.print(table)
    for account in accounts:
        console.print(_account_text(account), markup=False, soft_wrap=True)
    if totals.failed + totals.unknown:
        console.print("add --yes to do it", markup=False)
    else:
        console.print("nothing to do: no call to Xero", markup=False)


def _lines(totals: Totals) -> list[tuple[int, str]]:
    """How many, and what of them; lines of none are left out, but for the first."""
    lines = [
        (totals.done, "done: nothing to do"),
        (totals.under_way, "queued or running: left as they are"),
        (totals.failed, "failed: would be tried again"),
        (totals.unknown, "not in the ledger: would be taken in"),
        (totals.event_id_reused, "failed for good, their event id has come before with other content"),
        (
            totals.overtaken,
            "not in the ledger, and would undo what was done for later events: would be shown as failed",
        ),
    ]
    lines += [
        (count, f"unreadable ({code}): dead letters, left as they are")
        for code, count in sorted(totals.unreadable.items())
    ]
    return [(totals.events, "events"), *((count, text) for count, text in lines if count)]


def _account_text(account: Mapping[str, Any]) -> str:
    text = (
        f"{account['account']}: {plural(account['actions'], 'action')}, "
        f"about {plural(account['calls'], 'call')} to Xero, {plural(account['minutes'], 'minute')}"
    )
    if not account["enough_today"]:
        text += f"; only {plural(account['day_left'], 'call')} left today, the rest waits"
    if not account["connected"]:
        text += f"; not connected, they would fail: run 'sbx connect {account['account']}' first"
    if account["paused"]:
        text += f"; paused, they would wait for 'sbx resume {account['account']}'"
    return text


def result_text(replay_id: int, state: str, totals: Totals) -> str:
    """What came of a replay, on one line."""
    left = {
        "done": totals.done,
        "under way": totals.under_way,
        "failed for good": totals.event_id_reused,
        "overtaken": totals.overtaken,
        "unreadable": sum(totals.unreadable.values()),
    }
    kept = ", ".join(f"{count:,} {name}" for name, count in left.items() if count)
    return (
        f"replay {replay_id} {state}: {plural(totals.events, 'event')}, {totals.inserted:,} taken in, "
        f"{totals.retried:,} queued again" + (f"; left as they are: {kept}" if kept else "")
    )


def list_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Replays for people."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "state", "read", "taken in", "queued again", "started", "by", "selection"):
        table.add_column(
            name, justify="right" if name in ("id", "read", "taken in", "queued again") else "left"
        )
    for row in rows:
        total = sum(one["end"] - one["first"] for one in row["ranges"])
        read = sum(one["next"] - one["first"] for one in row["ranges"])
        selection = " ".join(
            f"{name}={','.join(value) if isinstance(value, list) else value}"
            for name, value in row["selection"].items()
        )
        table.add_row(
            str(row["replay_id"]),
            row["state"],
            f"{read:,} of {total:,}",
            f"{row['totals']['inserted']:,}",
            f"{row['totals']['retried']:,}",
            f"{row['started_at']:%Y-%m-%d %H:%M}",
            row["actor"],
            selection,
        )
    return table
