"""``sbx preview``: what would be sent to Xero for a file of events; nothing is sent or stored."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer

from contracts.commands import Command
from contracts.events.reader import event_to_kafka, read_event
from mappers import to_command
from runtime.environment import Environment
from runtime.logs import configure_logging
from sbx.actions.preview import preview as preview_account
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.event_files import STDIN, checked
from sbx.cli.preview_report import Line, as_json_line, as_text, failing, summary, summary_text
from sbx.cli.terminal import age, plural, say, stdout_console
from sinks.preview import Previewed

_NOWHERE = -1
"""Partition and offset of events that were not read from Kafka."""


def preview(file: str, account: str | None, as_json: bool) -> None:
    """Run ``sbx preview``."""
    if file != STDIN and not Path(file).is_file():
        raise BadUsage(f"{file}: there is no such file", "name a file of JSON lines, or - for stdin")
    commands = _commands(file, account)
    configure_logging()
    used = environment.required(database=True)
    lines = asyncio.run(_preview(used, commands)) if commands else []
    total = summary(lines)
    if as_json:
        for line in lines:
            print(as_json_line(line))
        print(as_json_line(total))
    else:
        console = stdout_console()
        for text, style in as_text(lines):
            console.print(text, style=style or None, markup=False, soft_wrap=True)
        console.print(summary_text(total), markup=False, soft_wrap=True)
    if any(failing(line) for line in lines):
        raise typer.Exit(1)


def _commands(file: str, account: str | None) -> list[tuple[int, Command]]:
    """Return the commands of the file's events with their line numbers."""
    with checked([file]) as events:
        for bad in events.bad:
            say(str(bad), "red")
        if events.bad:
            raise OperationFailed(
                f"{plural(len(events.bad), 'bad line')}; nothing was planned", "correct them"
            )
        found = []
        for number, _, _, value in events.numbered():
            topic, key, value, headers = event_to_kafka(value)
            event = read_event(topic, key, value, headers)
            if account is None or event.account == account:
                found.append((number, to_command(event, topic, _NOWHERE, _NOWHERE)))
    if not found:
        say("no events" if account is None else f"no events of {account}")
    return found


async def _preview(used: Environment, commands: Sequence[tuple[int, Command]]) -> list[Line]:
    by_account: defaultdict[str, list[Command]] = defaultdict(list)
    for _, command in commands:
        by_account[command.account].append(command)
    found = {}
    for account, own in by_account.items():
        found[account] = await _of_account(used, account, own)
    first: dict[str, int] = {}
    lines = []
    for number, command in commands:
        same_as = first.setdefault(command.command_id, number)
        planned = found[command.account].commands[command.command_id]
        lines.append(Line(number, planned, same_as if same_as != number else None))
    return lines


async def _of_account(used: Environment, account: str, commands: Sequence[Command]) -> Previewed:
    async with connected("sbx preview", used) as (_, connection):
        planned = await preview_account(connection, actor(), used, account, commands)
    _say_beside(planned)
    return planned


def _say_beside(planned: Previewed) -> None:
    """Print on stderr the remarks about the account."""
    link = planned.link
    assert link.facts is not None
    old = (datetime.now(UTC) - link.facts.fetched_at).total_seconds()
    say(f"{link.account}: planned for {link.facts.name} as Xero described it {age(old)} ago")
    if link.status == "lost":
        say(f"{link.account} is no longer connected: nothing is sent until 'sbx connect'", "yellow")
    if link.paused_reason is not None:
        say(f"{link.account} is paused ({link.paused_reason}): nothing is sent until 'sbx resume'", "yellow")
    if planned.waiting:
        waiting = plural(planned.waiting, "other action")
        say(
            f"{waiting} of these records are still waiting in the ledger and would go first; not shown",
            "yellow",
        )
