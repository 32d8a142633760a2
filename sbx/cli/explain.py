"""``sbx explain``: a document's current state, its history, what is wrong and what to do."""

import asyncio
from collections import defaultdict
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contracts.commands import Entity
from log_projection import story
from log_projection.queries import Row
from log_projection.steps import in_words
from log_projection.story import Record, Story
from sbx.cli.acting import connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.terminal import STATE_COLOURS, plural, print_json, stdout_console
from sinks.ledger.commands import obstacle


def explain(record: str, account: str | None, entity: Entity | None, as_json: bool) -> None:
    """Run ``sbx explain``."""
    told = asyncio.run(_told(record, account, entity))
    if as_json:
        print_json(to_json(told))
    else:
        stdout_console().print(screen(told))


async def _told(text: str, account: str | None, entity: str | None) -> Story:
    async with connected("sbx explain") as (_, connection):
        found = [r for r in await story.find(connection, text, account) if entity in (None, r.entity)]
        told = await story.tell(connection, _only(text, found)) if found else None
    if told is None:
        raise OperationFailed(
            f"nothing is known about {text}{' in ' + account if account else ''}",
            "none of its events has arrived, or they could not be read: 'sbx log --state failed' shows "
            "unreadable ones, 'sbx status' whether events are waiting; what ended long ago may be in the "
            "archive: 'sbx archive --show --record ID'",
        )
    return told


def _only(text: str, found: list[Record]) -> Record:
    if len(found) == 1:
        return found[0]
    which = "; ".join(f"{r.entity.replace('_', ' ')} {r.record_id} of {r.account}" for r in found[:10])
    raise BadUsage(
        f"{text} is {plural(len(found), 'record')}: {which}{' …' if len(found) > 10 else ''}",
        "choose one with --account, --entity or the id",
    )


def to_json(told: Story) -> dict[str, Any]:
    """Return the story for scripts."""
    return {
        **told.record._asdict(),
        "title": told.title,
        "standing": told.standing(),
        "salesbinder_url": told.newest["salesbinder_url"],
        "in_xero": list(told.objects),
        "failed": [entry["entry_id"] for entry in told.failed],
        "waiting": [entry["entry_id"] for entry in told.waiting],
        "entries": list(told.entries),
        "steps": list(told.steps),
        "attempts": list(told.attempts),
        "archived": told.archived,
    }


def screen(told: Story) -> Group:
    """Print the story for people."""
    shown: list[Any] = [
        Text(f"{told.title[0].upper()}{told.title[1:]}", "bold"),
        Text(f"{told.record.account}  {told.record.record_id}  {told.newest['salesbinder_url']}", "dim"),
        Text(),
        Text(told.standing()),
    ]
    for entry in (*told.failed, *told.waiting):
        shown += [Text(), *_trouble(entry)]
    if told.objects:
        shown += [Text(), Text("In Xero", "bold"), _objects(told)]
    shown += [Text(), Text("What happened", "bold"), _history(told)]
    if told.archived:
        earlier = (
            f"{plural(told.archived, 'earlier action')}: sbx archive --show --record {told.record.record_id}"
        )
        shown += [Text(f"In the archive, {earlier}", "dim")]
    return Group(*shown)


def _trouble(entry: Row) -> list[Any]:
    """Print what is wrong with one action, what to do, and what happens automatically."""
    heading = Text(f"{entry['action'].replace('_', ' ')} of {_when(entry)}: ")
    heading.append(entry["state"], STATE_COLOURS[entry["state"]])
    lines = []
    if entry["reason"]:
        lines.append(Text(entry["reason"]))
    if entry["remedy"]:
        lines.append(Text.assemble(("What to do: ", "bold"), entry["remedy"]))
    if entry["reason_code"] == "needs_review":
        lines.append(Text(f"Then: sbx decide {entry['entry_id']}", "dim"))
    elif entry["state"] == "failed":
        if not obstacle("retry", "failed", entry["reason_code"], entry["triggered_by"]):
            lines.append(Text(f"Then: sbx retry --id {entry['entry_id']} --yes", "dim"))
    elif entry["next_attempt_at"]:
        lines.append(Text(f"Next attempt at {entry['next_attempt_at']:%Y-%m-%d %H:%M:%S} UTC.", "dim"))
    elif entry["remedy"] in ("", None, "Nothing."):
        lines.append(Text("It will be sent when its turn comes; there is nothing to do.", "dim"))
    return [heading, Padding(Group(*lines), (0, 0, 0, 2))]


def _objects(told: Story) -> Table:
    table = _table("what", "number", "amount", "date", "reference", "id in Xero", "")
    for found in told.objects:
        table.add_row(
            found["kind"].replace("_", " "),
            found["xero_number"],
            found["amount"] or "",
            found["date"] or "",
            found["reference"] or "",
            found["xero_id"],
            "removed" if found["removed"] else "",
            style="dim" if found["removed"] else None,
        )
    return table


def _history(told: Story) -> Table:
    calls = {attempt["attempt_id"]: attempt for attempt in told.attempts}
    steps: dict[str, list[Row]] = defaultdict(list)
    for step in told.steps:
        steps[step["entry_id"]].append(step)
    table = _table("when (UTC)", "what", "amount", "state", "by", "steps and notes")
    for entry in told.entries:
        amount = "" if entry["amount"] is None else f"{entry['amount']:,} {entry['currency']}".rstrip()
        state = Text(entry["state"], STATE_COLOURS[entry["state"]])
        if entry["outcome"] not in (None, "posted"):
            state.append(f" ({entry['outcome'].replace('_', ' ')})", "dim")
        by = entry["actor"] or entry["triggered_by"].replace("_", " ")
        remarks = [_step(step, calls) for step in steps[entry["entry_id"]]]
        remarks += [Text(warning["text"], "yellow") for warning in entry["warnings"]]
        what = entry["action"].replace("_", " ")
        table.add_row(_when(entry), what, amount, state, by, Text("\n").join(remarks))
    return table


def _step(step: Row, calls: dict[str, Row]) -> Text:
    """Return a step in a line, with its time in UTC."""
    line = Text(f"{step['at']:%Y-%m-%d %H:%M:%S} ", "dim")
    call = calls.get((step["detail"] or {}).get("attempt_id", ""))
    if call is not None:
        return line.append(f"{call['step']}: {call['method']} {call['path']} → {_answer(call)}", "dim")
    code = f" ({step['reason_code']})" if step["reason_code"] else ""
    return line.append(in_words(step) + code, "red" if step["step"] == "failed" else "")


def _answer(call: Row) -> str:
    """Return a call's result. Xero answers a batch with 200 even if it refuses the entry's own element."""
    if not call["status"]:
        return "no answer"
    refused = call["refusal"] and call["status"] < 400
    return f"{call['status']}, refused: {call['refusal']}" if refused else str(call["status"])


def _when(entry: Row) -> str:
    return f"{entry['event_time'] or entry['queued_at']:%Y-%m-%d %H:%M:%S}"


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(
            name, justify="right" if name == "amount" else "left", overflow="fold", no_wrap=name == "amount"
        )
    return table
