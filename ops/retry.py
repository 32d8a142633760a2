"""``sbx retry`` and ``sbx skip``: try failed actions again, or leave them. The plan first, then ``--yes``."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import psycopg
import typer

from log_projection import queries
from ops import environment, filters
from ops.errors import BadUsage
from ops.log import entries_table
from ops.options import AsJson
from ops.terminal import print_json, say, stdout_console
from sinks import operators

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")]
Act = Callable[[psycopg.AsyncConnection[Any], Sequence[str], str], Awaitable[list[str]]]
_SHOWN = 20


def retry(
    account: filters.Account = None,
    entity: filters.Entity = None,
    action: filters.Action = None,
    reason: filters.Reason = None,
    number: filters.Number = None,
    record: filters.Record = None,
    entry: filters.EntryId = None,
    text: filters.Text = None,
    since: filters.Since = None,
    until: filters.Until = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Try failed actions again, with today's settings and the newest data.

    Says first what would be tried; --yes does it.
    """
    wanted = filters.make(
        account=account,
        state="failed",
        entity=entity,
        action=action,
        reason=reason,
        number=number,
        record=record,
        entry_id=entry,
        text=text,
        since=since,
        until=until,
    )
    asyncio.run(_run("retry", "queued again", wanted, operators.retry, yes, as_json))


def skip(
    note: Annotated[str, typer.Option(help="Why; the log shows it.")],
    account: filters.Account = None,
    entity: filters.Entity = None,
    action: filters.Action = None,
    reason: filters.Reason = None,
    number: filters.Number = None,
    record: filters.Record = None,
    entry: filters.EntryId = None,
    text: filters.Text = None,
    since: filters.Since = None,
    until: filters.Until = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Leave failed actions as they are: they end as skipped, and nothing is done in Xero.

    Says first what would be skipped; --yes does it.
    """
    if not note.strip():
        raise BadUsage("--note is blank", "say why, for whoever reads the log later")
    wanted = filters.make(
        account=account,
        state="failed",
        entity=entity,
        action=action,
        reason=reason,
        number=number,
        record=record,
        entry_id=entry,
        text=text,
        since=since,
        until=until,
    )

    async def act(connection: psycopg.AsyncConnection[Any], ids: Sequence[str], actor: str) -> list[str]:
        return await operators.skip(connection, ids, actor, note)

    asyncio.run(_run("skip", "skipped", wanted, act, yes, as_json))


async def _run(
    verb: str, done_word: str, wanted: queries.Filters, act: Act, yes: bool, as_json: bool
) -> None:
    used = environment.required(database=True)
    async with await psycopg.AsyncConnection.connect(**used.psycopg(f"sbx {verb}")) as connection:
        rows = [row async for row in queries.entries(connection, wanted)]
        done = (
            await act(connection, [str(row["entry_id"]) for row in rows], environment.actor()) if yes else []
        )
    if as_json:
        ids = [str(row["entry_id"]) for row in rows]
        print_json({"selected": ids, "done": done, "applied": yes})
    elif not rows:
        say("no failed entries match")
    elif yes:
        print(f"{len(done)} of {len(rows)} {done_word}")
        if len(done) < len(rows):
            say("the others could not be read as events: publish them anew, corrected")
    else:
        _show_plan(verb, rows)


def _show_plan(verb: str, rows: Sequence[queries.Row]) -> None:
    stdout_console().print(entries_table(rows[:_SHOWN]))
    if len(rows) > _SHOWN:
        say(f"and {len(rows) - _SHOWN} more")
    causes = Counter(row["reason_code"] for row in rows)
    counted = ", ".join(f"{count} {code}" for code, count in causes.most_common())
    say(f"to {verb}: {len(rows)} failed entries ({counted}); add --yes to do it")
