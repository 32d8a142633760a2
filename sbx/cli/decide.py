"""``sbx decide``: settle a call whose response was lost and that only a person can resolve. Plans first."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sbx.actions.decide import decide as perform
from sbx.actions.decide import question
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage
from sbx.cli.terminal import new_table, print_json, say, stdout_console
from sinks.ledger import commands


def decide(*, entry: str, adopt: str | None, send: bool, yes: bool, as_json: bool) -> None:
    """Run ``sbx decide``."""
    if adopt is not None and send:
        raise BadUsage("--adopt and --send cannot be combined", "use one of them")
    if yes and adopt is None and not send:
        raise BadUsage("--yes without a decision", "add --adopt ID or --send")
    try:
        entry_id = str(uuid.UUID(entry))
    except ValueError as error:
        raise BadUsage(
            f"{entry}: not the id of an entry", "take it from 'sbx log --reason needs_review'"
        ) from error
    options, queued = asyncio.run(_run(entry_id, adopt, send, yes))
    if as_json:
        decision = "adopt" if adopt else "send" if send else None
        print_json(
            {
                "entry": entry_id,
                "candidates": options,
                "decision": decision,
                "xero_id": adopt,
                "done": queued,
                "applied": yes,
            }
        )
    elif yes:
        print(f"{'adopted' if adopt else 'to be sent again'}: entry {entry_id} is queued again")
    else:
        _show_plan(options, adopt, send)


async def _run(
    entry_id: str, adopt: str | None, send: bool, yes: bool
) -> tuple[Sequence[Mapping[str, Any]], list[str]]:
    async with connected("sbx decide") as (database, connection):
        asked = await question(connection, actor(), entry_id, None if yes else adopt)
        queued: list[str] = []
        if yes:
            _, queued = await perform(database, actor(), entry_id, adopt)
    return asked.candidates, queued


def _show_plan(options: Sequence[Mapping[str, Any]], adopt: str | None, send: bool) -> None:
    table = new_table(*("id in Xero" if name == "xero_id" else name for name in commands.CANDIDATE))
    for option in options:
        table.add_row(
            *(str(option[name]).replace("_", " " if name == "kind" else "_") for name in commands.CANDIDATE)
        )
    stdout_console().print(table)
    if adopt is not None:
        say(
            f"to adopt: {adopt} will be linked and nothing sent for it; later actions will continue; add "
            f"--yes"
        )
    elif send:
        say("to send: none of them will be linked, and it will be sent again; add --yes to do it")
        if options[0]["kind"] in commands.NUMBERED:
            say(
                "Xero does not allow the same number twice: first change the number of the existing document "
                "in Xero"
            )
    else:
        say("look at them in Xero, then decide: --adopt ID, or --send if it is none of them")
