"""``sbx retry`` and ``sbx skip``: retry failed actions, or close them. First the plan, then ``--yes``."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from log_projection import queries
from log_projection.queries import Filters
from sbx.actions.retry import Plan, Selection, perform, plan
from sbx.actions.scoped_log import VisibleLog
from sbx.cli.acting import actor, connected
from sbx.cli.cost_report import account_text
from sbx.cli.errors import BadUsage
from sbx.cli.log import entries_table
from sbx.cli.terminal import plural, print_json, say, stdout_console
from sinks.ledger import commands

_SHOWN = 20


def retry(wanted: Filters, yes: bool, as_json: bool) -> None:
    """Run ``sbx retry``."""
    if wanted.state not in (None, "failed"):
        raise BadUsage(f"--state {wanted.state}: only failed actions can be retried", "leave --state out")
    asyncio.run(_run("retry", "queued again", replace(wanted, state="failed"), "", yes, as_json))


def skip(wanted: Filters, note: str, yes: bool, as_json: bool) -> None:
    """Run ``sbx skip``."""
    if not note.strip():
        raise BadUsage("--note is blank", "give a reason for later readers of the log")
    if wanted.state not in (None, "failed", "queued"):
        raise BadUsage(
            f"--state {wanted.state}: only failed and queued actions can be skipped", "use failed or queued"
        )
    asyncio.run(_run("skip", "skipped", replace(wanted, state=wanted.state or "failed"), note, yes, as_json))


async def _run(
    verb: commands.Act, done_word: str, wanted: Filters, note: str, yes: bool, as_json: bool
) -> None:
    async with connected(f"sbx {verb}") as (database, connection):
        rows = [row async for row in queries.entries(connection, wanted)]
        ids = [row["entry_id"] for row in rows]
        done: list[str] = []
        left: list[dict[str, str]] = []
        if yes and ids:
            chosen = Selection(Filters(entry_ids=tuple(ids)), {"filters": _given(wanted)})
            _, result = await perform(database, actor(), verb, chosen, note)
            done, left = result.done, result.refused
        planned = None if yes else await plan(connection, VisibleLog(connection, actor()), verb, wanted)
        others = [] if rows else await queries.counts(connection, replace(wanted, state=None))
    if as_json:
        found: dict[str, Any] = {"selected": ids, "done": done, "applied": yes}
        print_json(
            found | ({"left": left} if planned is None else {"possible": planned.possible, **planned.cost})
        )
    elif not rows:
        say(_nothing(wanted, others))
    elif planned is None:
        print(f"{len(done)} of {plural(len(rows), 'entry', 'entries')} {done_word}")
        for message, count in Counter(one["message"] for one in left).most_common():
            say(f"left as they are: {count:,} {message}", "yellow")
    else:
        _show_plan(planned, wanted, rows)


def _given(wanted: Filters) -> dict[str, str]:
    """Return the filters that were given, for the record of the act."""
    return {name: str(value) for name, value in asdict(wanted).items() if value is not None}


def _nothing(wanted: Filters, others: Sequence[queries.Row]) -> str:
    """Say that nothing matches, and how many match but are in another state."""
    states = Counter[str]()
    for row in others:
        states[row["state"]] += row["entries"]
    counted = ", ".join(f"{count:,} {state}" for state, count in states.most_common())
    return f"no {wanted.state} entries match" + (
        f"; matching entries in other states are left as they are: {counted}" if counted else ""
    )


def _show_plan(planned: Plan, wanted: Filters, rows: Sequence[queries.Row]) -> None:
    stdout_console().print(entries_table(rows[:_SHOWN]))
    if len(rows) > _SHOWN:
        say(f"and {len(rows) - _SHOWN:,} more; 'sbx log' with the same filters and --json has all")
    state = wanted.state or ""
    causes = Counter(" ".join((row["reason_code"] or state, row["cause"])).strip() for row in rows)
    counted = ", ".join(f"{count:,} {cause}" for cause, count in causes.most_common())
    print(f"to {planned.act}: {plural(len(rows), f'{state} entry', f'{state} entries')} ({counted})")
    for count, why in (
        (planned.overtaken, "they would undo later actions; skip them"),
        (planned.unreadable, "publish corrected events instead"),
        (planned.read_again, "SalesBinder is read again by itself; 'sbx source status' says how it stands"),
    ):
        if count:
            say(f"{plural(count, 'entry', 'entries')} would be left as they are: {why}", "yellow")
    for account in planned.accounts:
        print(account_text(account))
    free = "" if planned.act == "retry" else "; no call to Xero"
    say(f"add --yes to do it{free}" if planned.possible else "nothing to do")
