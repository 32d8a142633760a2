"""A replay as text, tables and JSON. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from sbx.actions.replay.run import Totals
from sbx.actions.replay.topics import Ranges
from sbx.cli.cost_report import account_text
from sbx.cli.terminal import new_table, plural
from sinks.ledger.cost import of_all

Compared = Sequence[Mapping[str, Any]] | None
"""The comparison that ``--force`` would make, by account; None without it."""


def as_object(
    totals: Totals, ranges: Ranges, accounts: Sequence[Mapping[str, Any]], compared: Compared = None
) -> dict[str, Any]:
    """Return the plan for ``--json``."""
    return {
        **({} if compared is None else {"compare": list(compared)}),
        "applied": False,
        **totals.to_json(),
        "to_come": ranges.to_come,
        "removed": ranges.removed,
        **of_all(accounts),
        "ranges": [
            {"topic": r.topic, "partition": r.partition, "first": r.first, "last": r.end - 1}
            for r in ranges.found
        ],
    }


def show_plan(
    console: Console, totals: Totals, accounts: Sequence[Mapping[str, Any]], compared: Compared = None
) -> None:
    """Print the plan for people."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for count, text in _lines(totals):
        table.add_row(f"{count:,}", text)
    console.print(table)
    for account in accounts:
        console.print(account_text(account), markup=False, soft_wrap=True)
    for one in compared or ():
        console.print(_compared_text(one), markup=False, soft_wrap=True)
    if totals.failed + totals.unknown or compared:
        console.print("add --yes to do it", markup=False)
    else:
        console.print("nothing to do: no call to Xero", markup=False)


def _compared_text(account: Mapping[str, Any]) -> str:
    records, known = plural(account["records"], "record"), plural(len(account["differences"]), "difference")
    calls, minutes = plural(account["calls"], "call"), plural(account["minutes"], "minute")
    return (
        f"{account['account']}: {records} to compare with Xero: at least {calls}, {minutes}, plus the calls "
        f"to send differences again; {known} known so far"
    )


def _lines(totals: Totals) -> list[tuple[int, str]]:
    """Return the counts, and the effect on each group; lines with none are left out, except the first."""
    lines = [
        (totals.done, "done: nothing to do"),
        (totals.under_way, "queued or running: left as they are"),
        (totals.failed, "failed: would be retried"),
        (totals.unknown, "not in the ledger: would be taken in"),
        (totals.event_id_reused, "failed for good: their event id was used before with different content"),
        (
            totals.overtaken,
            "not in the ledger, and would undo later events: would be shown as failed",
        ),
    ]
    lines += [
        (count, f"unreadable ({code}): dead letters, left as they are")
        for code, count in sorted(totals.unreadable.items())
    ]
    return [(totals.events, "events"), *((count, text) for count, text in lines if count)]


def result_text(replay_id: int, state: str, totals: Totals) -> str:
    """Return the result of a replay, on one line."""
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
    ) + _compared(totals)


def _compared(totals: Totals) -> str:
    text = ""
    if totals.compared:
        differing, resent = plural(totals.differing, "difference"), plural(totals.resent, "action")
        text = f"; {plural(totals.compared, 'record')} compared with Xero, {differing}, {resent} sent again"
    return text + "".join(f"; {name} not compared: {why}" for name, why in totals.not_compared.items())


def list_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return a table of replays for people."""
    figures = ("read", "events", *_COUNTS.values())
    table = new_table("id", "state", *figures, "started", "by", "selection", right=("id", *figures))
    for row in rows:
        table.add_row(
            str(row["replay_id"]),
            _state(row),
            f"{row['offsets_read']:,} of {row['offsets']:,}",
            f"{row['events']:,}",
            *(f"{row[name]:,}" for name in _COUNTS),
            f"{row['started_at']:%Y-%m-%d %H:%M}",
            row["actor"],
            _selection(row["selection"]),
        )
    return table


def _state(row: Mapping[str, Any]) -> str:
    """Return how a replay stands; one that has read everything is not completed while its actions wait."""
    if row["cancelling"]:
        return "cancelling"
    if row["state"] == "completed" and row["waiting"]:
        return f"being sent, {row['waiting']:,} to go"
    return str(row["state"])


_COUNTS = {"done": "done", "under_way": "under way", "queued": "queued", "failed": "left failed"}


def _selection(selection: Mapping[str, Any]) -> str:
    return " ".join(
        f"{name}={','.join(value) if isinstance(value, list) else value}" for name, value in selection.items()
    )
