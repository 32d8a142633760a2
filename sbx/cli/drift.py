"""``sbx drift``: what Xero shows otherwise than we put it there, and what to do about it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import psycopg
import typer
from rich.table import Table
from rich.text import Text

from connections import store
from runtime.environment import Environment
from sbx.actions import audit
from sbx.cli import environment
from sbx.cli.acting import ADDRESS, actor
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.facts import NOBODY
from sbx.cli.filters import moment
from sbx.cli.status import deliver_runs
from sbx.cli.terminal import age, plural, print_json, say, stdout_console, steps
from sinks.drift import acts
from sinks.drift.acts import ReadingPlan, Selection
from sinks.drift.history import MOST
from sinks.drift.scan import LISTS

_LOOK_SECONDS = 0.5
_KINDS = tuple(kind for listing in LISTS for kind in listing.kinds)
_Row = dict[str, Any]
_Db = psycopg.AsyncConnection[Any]
Stopped = Callable[[], Awaitable[bool]]
"""Whether somebody wants to wait no longer."""


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
    act = "resend" if resend else "adopt" if adopt else ""
    used = environment.required(database=True)
    found = asyncio.run(_run(used, account, moment("--since", since), full, last, wanted, act, yes))
    if as_json:
        print_json(found)
    else:
        _show(found, act, yes)
    if check and any(not row["information"] for row in found["differences"]):
        raise typer.Exit(1)


def _check_usage(**given: Any) -> None:
    if given["resend"] and given["adopt"]:
        raise BadUsage("--resend and --adopt contradict each other", "give one of them")
    if given["yes"] and not (given["resend"] or given["adopt"]):
        raise BadUsage("--yes says nothing of what to do", "give --resend or --adopt, too")
    if sum(bool(given[name]) for name in ("since", "full", "last")) > 1:
        raise BadUsage("--since, --full and --last contradict each other", "give one of them")


async def _run(
    used: Environment,
    account: str,
    since: datetime | None,
    full: bool,
    last: bool,
    wanted: Selection,
    act: str,
    yes: bool,
) -> _Row:
    async with await psycopg.AsyncConnection.connect(
        **used.psycopg("sbx drift"), autocommit=True
    ) as connection:
        connected = await store.load_connection(connection, account)
        if connected is None:
            raise store.NotConnected(account)
        if not last:
            await readable(used, connection, account)
            await have_read(connection, account, await acts.plan(connection, account, since, full=full))
        rows = await proposed(connection, connected, wanted)
        found: _Row = {
            "account": account,
            "reading": await acts.last_reading(connection, account),
            "differences": rows,
            "applied": yes,
        }
        if yes:
            target = {"account": account, "differences": [row["record_id"] for row in rows]}
            by = environment.actor()
            async with audit.recorded(connection, actor(), ADDRESS, f"drift_{act}", target) as result:
                if act == "resend":
                    found["resent"] = await acts.resend(connection, account, rows, by)
                    result["queued"] = found["resent"]
                else:
                    found["adopted"] = await acts.adopt(connection, account, rows, by)
                    result["done"] = found["adopted"]
    return found


async def proposed(connection: _Db, connected: store.Connection, wanted: Selection) -> list[_Row]:
    """The differences that stand, each with ``proposal`` and ``note``: what can be done about it."""
    rows = await acts.differences(connection, connected.account, wanted)
    for row in rows:
        row["proposal"], row["note"] = acts.proposal(row, connected.settings.edit_authorised)
    return rows


async def readable(used: Environment, connection: _Db, account: str) -> store.Connection:
    """The account's connection, when its books can be read. Only its lane reads: nothing is asked for that
    would wait for ever.

    Raises:
        NotConnected: there is no such account.
        OperationFailed: nobody would read.
    """
    connected = await store.load_connection(connection, account)
    if connected is None:
        raise store.NotConnected(account)
    if not deliver_runs(used):
        raise OperationFailed(NOBODY, "start it, or look at what was found last with --last")
    if connected.paused_at is not None:
        raise OperationFailed(f"{account} is paused: {connected.paused_reason}", f"sbx resume {account}")
    if connected.status == "lost":
        why = f"Xero no longer lets us in: {connected.status_reason}"
        raise OperationFailed(why, f"sbx connect {account}")
    return connected


async def _never() -> bool:
    return False


async def have_read(connection: _Db, account: str, wanted: ReadingPlan, stopped: Stopped = _never) -> bool:
    """Have the lane read, and show how far it has come. It goes on when the command is interrupted.

    Returns:
        False when ``stopped`` said so before the end.

    Raises:
        OperationFailed: it ended with an error, or the account can no longer be read.
    """
    if wanted.records:
        what = plural(len(wanted.records), "record")
    else:
        what = "everything" if wanted.since is None else f"what was changed since {_minute(wanted.since)}"
    say(
        f"reads {what} of {account} in Xero: at least {plural(wanted.calls, 'call')}, after all other work; "
        f"one more for each record that differs ({MOST} at most), to see who changed it"
    )
    run_id = await acts.ask(connection, account, wanted, environment.actor())
    with steps() as shown:
        while (run := await acts.reading(connection, run_id))["finished_at"] is None:
            state = await store.load_connection(connection, account)
            if state is not None and (state.status == "lost" or state.paused_at is not None):
                raise OperationFailed(
                    f"{account} was paused or Xero no longer lets us in; the reading goes on where it was",
                    "see 'sbx status'",
                )
            if await stopped():
                return False
            shown(f"{run['calls']} of about {plural(run['calls_expected'], 'call')}, {run['read']:,} records")
            await asyncio.sleep(_LOOK_SECONDS)
    if run["error"] is not None:
        raise OperationFailed(f"the reading ended: {run['error']}", "look at what was found with --last")
    return True


def _show(found: _Row, act: str, yes: bool) -> None:
    rows = found["differences"]
    reading = found["reading"]
    if reading is not None:
        say(
            f"read {_minute(reading['finished_at'])}: {plural(reading['calls'], 'call')}, "
            f"{plural(reading['read'], 'record')}, of them compared {reading['compared']:,}"
        )
    if not rows:
        print(f"{found['account']}: nothing differs" if reading else f"{found['account']}: never read")
        return
    stdout_console().print(_table(rows))
    counted = Counter("information" if row["information"] else "differences" for row in rows)
    print(", ".join(f"{count} {word}" for word, count in sorted(counted.items())))
    if yes and act == "resend":
        say(
            f"{plural(len(found['resent']), 'action')} queued again; "
            f"see 'sbx log --account {found['account']}'"
        )
    elif yes:
        say(f"{plural(found['adopted'], 'difference')} adopted")
    elif act:
        count = len(rows) if act == "adopt" else sum(row["proposal"] == "resend" for row in rows)
        say(f"to {act}: {plural(count, 'difference')}; add --yes to do it")


def _table(rows: Sequence[_Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("what", "number", "field", "ours", "in Xero", "changed (UTC)", "seen for", "proposal"):
        table.add_column(name, overflow="fold")
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


def _changed(row: _Row) -> Text:
    """When, and by whom where Xero's history names somebody."""
    if not row["changed_by"]:
        return Text(_minute(row["changed_at"]))
    return Text(f"by {row['changed_by']} on {_minute(row['changed_by_at'])}")


def _minute(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M}" if when is not None else ""
