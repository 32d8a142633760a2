"""``sbx retry`` and ``sbx skip``: try failed actions again, or leave them. The plan first, then ``--yes``."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any

import psycopg
import typer

from log_projection import queries
from log_projection.queries import Filters
from ops import environment
from ops.errors import BadUsage
from ops.filters import filtered
from ops.log import entries_table
from ops.options import AsJson
from ops.terminal import print_json, say, stdout_console
from sinks import operators

Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it, only say what would be done.")]
Act = Callable[[psycopg.AsyncConnection[Any], Sequence[str], str], Awaitable[list[str]]]
_SHOWN = 20


@filtered
def retry(wanted: Filters, yes: Yes = False, as_json: AsJson = False) -> None:
    """Try failed actions again, with today's settings and the newest data.

    Says first what would be tried; --yes does it.
    """
    if wanted.state not in (None, "failed"):
        raise BadUsage(f"--state {wanted.state}: only failed actions can be tried again", "leave --state out")
    asyncio.run(_run("retry", "queued again", replace(wanted, state="failed"), operators.retry, yes, as_json))


@filtered
def skip(
    wanted: Filters,
    note: Annotated[str, typer.Option(help="Why; the log shows it.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Leave failed actions as they are: they end as skipped, and nothing is done in Xero.

    Says first what would be skipped; --yes does it. What is queued is skipped with --state queued.
    """
    if not note.strip():
        raise BadUsage("--note is blank", "say why, for whoever reads the log later")
    if wanted.state not in (None, "failed", "queued"):
        raise BadUsage(
            f"--state {wanted.state}: only failed and queued actions can be skipped", "use failed or queued"
        )

    async def act(connection: psycopg.AsyncConnection[Any], ids: Sequence[str], actor: str) -> list[str]:
        return await operators.skip(connection, ids, actor, note)

    asyncio.run(_run("skip", "skipped", replace(wanted, state=wanted.state or "failed"), act, yes, as_json))


async def _run(verb: str, done_word: str, wanted: Filters, act: Act, yes: bool, as_json: bool) -> None:
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
        say(f"no {wanted.state} entries match")
    elif yes:
        print(f"{len(done)} of {len(rows)} {done_word}")
        if len(done) < len(rows):
            say(
                "the others have changed in the meantime, or could not be read as events: publish those "
                "anew, corrected"
            )
    else:
        _show_plan(verb, str(wanted.state), rows)


def _show_plan(verb: str, state: str, rows: Sequence[queries.Row]) -> None:
    stdout_console().print(entries_table(rows[:_SHOWN]))
    if len(rows) > _SHOWN:
        say(f"and {len(rows) - _SHOWN} more")
    causes = Counter(" ".join((row["reason_code"] or state, row["cause"])).strip() for row in rows)
    counted = ", ".join(f"{count} {cause}" for cause, count in causes.most_common())
    say(f"to {verb}: {len(rows)} {state} entries ({counted}); add --yes to do it")
