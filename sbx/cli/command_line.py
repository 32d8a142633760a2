"""The ``sbx`` command line: finds the command that is meant and turns expected trouble into words."""

import importlib
import logging
import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from runtime.secrets import mask
from sbx.cli.terminal import say

PANELS = {
    "Run it": {
        "demo": "sbx.cli.demo.demo:demo",
        "up": "sbx.cli.local.up:up",
        "worker": "sbx.cli.worker:worker",
        "web": "sbx.cli.web:web",
        "notify": "sbx.notify.command:notify",
    },
    "Set it up": {
        "connect": "sbx.cli.connect:connect",
        "settings": "sbx.cli.settings:app",
        "users": "sbx.cli.users:app",
        "topics": "sbx.cli.topics:app",
        "migrate": "sbx.cli.topics:migrate",
    },
    "Bring in events": {
        "preview": "sbx.cli.preview:preview",
        "publish": "sbx.cli.publish:publish",
        "wait": "sbx.cli.wait:wait",
    },
    "See what became of them": {
        "status": "sbx.cli.status:status",
        "log": "sbx.cli.log:log",
        "explain": "sbx.cli.explain:explain",
        "acts": "sbx.cli.acts:acts",
    },
    "Act": {
        "retry": "sbx.cli.retry:retry",
        "skip": "sbx.cli.retry:skip",
        "decide": "sbx.cli.decide:decide",
        "pause": "sbx.cli.pause:pause",
        "resume": "sbx.cli.pause:resume",
        "replay": "sbx.cli.replay.replay:replay",
        "drift": "sbx.cli.drift:drift",
        "recover": "sbx.cli.recover:recover",
    },
}
"""Where each command is, under the headings of the help."""
COMMANDS = {name: place for commands in PANELS.values() for name, place in commands.items()}


class _Commands(TyperGroup):
    """Loads only the command that is meant: half of a command's time would go into loading the others."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # for the names that are alike

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found = getattr(importlib.import_module(module), name)
        if isinstance(found, typer.Typer):
            command: Any = typer.main.get_group(found)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command(cmd_name)(found)
            command = typer.main.get_command(alone)
        command.name = cmd_name
        command.rich_help_panel = next(title for title, names in PANELS.items() if cmd_name in names)
        return command


app = typer.Typer(
    name="sbx",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def sbx() -> None:
    """Keeps a company's Xero books equal to its SalesBinder data."""


def run() -> int:
    """Run the command line; the exit code: 0 done, 1 failed, 2 bad usage."""
    # Its warnings repeat what our errors say in words.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has enough (``| head``): nothing more to write, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from sbx.cli.errors import in_words  # knows all libraries' errors: loaded only where there is one

        failure = in_words(error)
        if failure is None:
            raise
        say(mask(f"error: {failure.problem}"), "red")
        if failure.remedy:
            say(mask(f"remedy: {failure.remedy}"))
        return failure.exit_code
    return 0
