"""``sbx drift``: where Xero differs from what was last synced, and what to do about it."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from log_projection.queries import Row
from sbx.actions import drift as actions
from sbx.actions.drift import Act, Follow
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage
from sbx.cli.terminal import age, new_table, plural, print_json, say, stdout_console, steps
from sbx.cli.times import moment
from sinks.drift.acts import ReadingPlan, Selection
from sinks.drift.history import MOST
from sinks.drift.scan import LISTS

_KINDS = tuple(kind for listing in LISTS for kind in listing.kinds)


def drift(
    *,
    account: str,
    since: str | None,
    full: bool,
    last: bool,
    kind: str | None,
    number: str | None,
    record: str | None,
    field: str | None,
    resend: bool,
    adopt: bool,
    yes: bool,
    check: bool,
    as_json: bool,
) -> None:
    """Run ``sbx drift``."""
    _check_usage(since=since, full=full, last=last, resend=resend, adopt=adopt, yes=yes)
    if kind is not None and kind not in _KINDS:
        raise BadUsage(f"--kind {kind}: there is no such kind", f"use one of: {', '.join(_KINDS)}")
    wanted = Selection(kind, number, record, field)
    act: Act | None = "resend" if resend else "adopt" if adopt else None
    found = asyncio.run(_run(account, moment("--since", since), full, last, wanted, act, yes))
    if as_json:
        print_json(found)
    else:
        _show(found, act, yes)
    if check and any(not row["information"] for row in found["differences"]):
        raise typer.Exit(1)


def _check_usage(**given: Any) -> None:
    if given["resend"] and given["adopt"]:
        raise BadUsage("--resend and --adopt cannot be combined", "use one of them")
    if given["yes"] and not (given["resend"] or given["adopt"]):
        raise BadUsage("--yes without anything to do", "add --resend or --adopt")
    if sum(bool(given[name]) for name in ("since", "full", "last")) > 1:
        raise BadUsage("--since, --full and --last cannot be combined", "use one of them")


async def _run(
    account: str,
    since: datetime | None,
    full: bool,
    last: bool,
    wanted: Selection,
    act: Act | None,
    yes: bool,
) -> Row:
    async with connected("sbx drift") as (database, connection):
        if not last:
            plan, run = await actions.read(database, actor(), account, since, full=full)
            with following(account, plan) as follow:
                await actions.until_read(connection, account, run["run_id"], follow)
        state = await actions.load(connection, actor(), account, wanted)
        found: Row = {
            "account": account,
            "reading": state.last,
            "differences": state.differences,
            "applied": yes,
        }
        if yes and act is not None:
            ids = [row["id"] for row in _wanted(state.differences, act)]
            _, result = await actions.perform(database, actor(), account, act, ids)
            found |= {"resent": result.queued} if act == "resend" else {"adopted": result.done}
    return found


@contextmanager
def following(account: str, wanted: ReadingPlan) -> Iterator[Follow]:
    """Say what is read in Xero and how many calls that takes, then show the progress."""
    if wanted.records:
        what = plural(len(wanted.records), "record")
    else:
        what = "everything" if wanted.since is None else f"what was changed since {_minute(wanted.since)}"
    say(
        f"reads {what} of {account} in Xero: at least {plural(wanted.calls, 'call')}, after all other work; "
        f"one more per record that differs ({MOST} at most) to see who changed it"
    )
    with steps() as shown:
        yield lambda run: shown(
            f"{run['calls']} of about {plural(run['calls_expected'], 'call')}, "
            f"{plural(run['read'], 'record')}"
        )


def _show(found: Row, act: Act | None, yes: bool) -> None:
    rows = found["differences"]
    reading = found["reading"]
    if reading is not None:
        say(
            f"read {_minute(reading['finished_at'])}: {plural(reading['calls'], 'call')}, "
            f"{plural(reading['read'], 'record')}, of them compared {reading['compared']:,}"
        )
    if not rows:
        print(f"{found['account']}: nothing differs" if reading else f"{found['account']}: never compared")
        return
    stdout_console().print(_table(rows))
    counted = Counter("information" if row["information"] else "difference" for row in rows)
    print(", ".join(_counted(count, word) for word, count in sorted(counted.items())))
    if yes and act == "resend":
        say(
            f"{plural(len(found['resent']), 'action')} queued again; "
            f"see 'sbx log --account {found['account']}'"
        )
    elif yes:
        say(f"{plural(found['adopted'], 'difference')} adopted")
    elif act:
        say(f"to {act}: {plural(len(_wanted(rows, act)), 'difference')}; add --yes to do it")
    failing = sum(actions.would_fail(row) for row in rows) if act == "resend" else 0
    if failing:
        say(f"{plural(failing, 'difference')} left out: sent again, they would fail, as their proposal says")


def _wanted(rows: Sequence[Row], act: Act) -> list[Row]:
    if act == "adopt":
        return list(rows)
    return [row for row in rows if row["proposal"] == "resend" and not actions.would_fail(row)]


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if word == "information" else plural(count, word)


def _table(rows: Sequence[Row]) -> Table:
    names = ("what", "number", "field", "ours", "in Xero", "changed (UTC)", "seen for", "proposal")
    table = new_table(*names)
    for row in rows:
        seen = (row["last_seen_at"] - row["first_seen_at"]).total_seconds()
        note = "sent again" if row["resent_at"] else row["note"]
        proposed = f"{row['proposal']}: {note}" if note else row["proposal"]
        table.add_row(
            row["kind"].replace("_", " "),
            row["number"],
            row["field"],
            Text(row["ours"]),
            Text(row["xeros"]),
            _changed(row),
            age(seen) if seen >= 1 else "new",
            Text("; ".join(filter(None, (proposed, row["why"])))),
            style="dim" if row["information"] else "",
        )
    return table


def _changed(row: Row) -> Text:
    """Say when, and by whom if Xero's history has a name."""
    if not row["changed_by"]:
        return Text(_minute(row["changed_at"]))
    return Text(f"by {row['changed_by']} on {_minute(row['changed_by_at'])}")


def _minute(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when is not None else ""
