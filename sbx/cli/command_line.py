"""The ``sbx`` command line: find the command, and turn expected failures into plain messages."""

import importlib
import logging
import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from sbx.cli.commands.groups import PLAIN, Group

PANELS = {
    "Run it": {
        "demo": "Show the pipeline at work with a sample shop.",
        "up": "Run everything on this machine until Ctrl-C.",
        "worker": "Run one stage until SIGTERM or Ctrl-C.",
        "open": "Open the page in the browser, signed in.",
        "web": "Serve the Integrations Log: pages and JSON API, until SIGTERM or Ctrl-C.",
        "notify": "Notify people about new issues, held accounts and work that waits too long, until SIGTERM "
        "or Ctrl-C.",
    },
    "Set it up": {
        "setup": "Set an account up, step by step.",
        "connect": "Connect an account to Xero, or reconnect it.",
        "source": "SalesBinder accounts whose changes are read through SalesBinder's API.",
        "settings": "Show, set and check an account's settings.",
        "users": "Users of the page and the API.",
        "secrets": "The key that encrypts stored secrets.",
        "topics": "Set up the broker.",
        "migrate": "Bring the database schema up to date.",
    },
    "Bring in events": {
        "preview": "Show what would be sent to Xero.",
        "publish": "Check change events and publish them.",
        "wait": "Wait until all events published have ended.",
    },
    "See what happened to them": {
        "status": "Show what is running, what is waiting and what failed.",
        "log": "Show what happened to every action.",
        "explain": "Tell the full story of one document.",
        "archive": "List what has gone from the database to files, show it, and check the files.",
        "acts": "Show who did what, on the page, through the API and on the command line.",
    },
    "Act": {
        "retry": "Retry failed actions with today's settings and the newest data.",
        "skip": "Skip failed actions: nothing is done for them in Xero, and they count as completed.",
        "decide": "Decide what happened to a call whose response was lost.",
        "pause": "Pause an account: nothing is sent to Xero.",
        "resume": "Resume a paused account.",
        "replay": "Read events again from their topics, and do what is not yet done.",
        "drift": "Compare Xero with what was last synced.",
        "reconcile": "Compare SalesBinder with Xero, document by document and month by month.",
        "recover": "After a restore, find what is missing or uncertain, and recover it.",
    },
}
"""The commands under the headings of the help, with how their own help begins (a test compares the two)."""
COMMANDS = tuple(name for commands in PANELS.values() for name in commands)
_ELSEWHERE = {"open": "users", "migrate": "topics", "resume": "pause", "skip": "retry"}
"""Commands without a module of their own in ``sbx.cli.commands``."""


class _Commands(Group):
    """Loads only the requested command: loading the others would take half of a command's time."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # for the names that are alike

    def get_params(self, ctx: Any) -> list[Any]:
        found: list[Any] = super().get_params(ctx)
        for one in found:
            if one.is_flag and one.default is None:
                one.default = False  # of completion: typer loads pydantic to find out that None is no bool
        return found

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def sections(self, ctx: Any) -> Mapping[str, Mapping[str, str]]:
        return PANELS

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"sbx.cli.commands.{_ELSEWHERE.get(cmd_name, cmd_name)}")
        found = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_", None)
        if found is None:
            command: Any = typer.main.get_group(module.app)
        else:
            alone = typer.Typer(**PLAIN)
            alone.command(cmd_name)(found)
            command = typer.main.get_command(alone)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="sbx",
    cls=_Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    **PLAIN | {"add_completion": True},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from runtime.version import VERSION

        typer.echo(f"sbx {VERSION}")
        raise typer.Exit


@app.callback()
def sbx(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Keeps a company's Xero books in sync with SalesBinder."""


def run() -> int:
    """Run the command line and return the exit code: 0 done, 1 failed, 2 bad usage."""
    # Its warnings repeat what our errors say in words.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        app()
    except BrokenPipeError:
        # The reader of our output has enough (``| head``): nothing more to write, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        # They know all libraries' errors, secrets and colours: loaded only where there is an error.
        from runtime.secrets import mask
        from sbx.cli.errors import in_words
        from sbx.cli.terminal import say

        failure = in_words(error)
        if failure is None:
            raise
        say(mask(f"error: {failure.problem}"), "red")
        if failure.remedy:
            say(mask(f"remedy: {failure.remedy}"))
        return failure.exit_code
    return 0
