"""The ``sbx`` command: puts the command groups together and turns expected trouble into words."""

import logging
import os
import sys

import typer

from connections.secrets import mask
from ops import (
    connect,
    demo,
    drift,
    explain,
    holding,
    log,
    preview,
    publish,
    replay,
    retry,
    settings,
    status,
    topics,
    up,
    users,
    wait,
    web,
    worker,
)
from ops.errors import in_words
from ops.notify import command as notify
from ops.terminal import say

app = typer.Typer(
    name="sbx",
    help="Keeps a company's Xero books equal to its SalesBinder data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up.up)
app.command()(demo.demo)
app.command()(worker.worker)
app.command()(notify.notify)
app.command()(web.web)
app.add_typer(users.app, name="users")
app.add_typer(topics.app, name="topics")
app.command()(topics.migrate)
app.command()(connect.connect)
app.add_typer(settings.app, name="settings")
app.command()(publish.publish)
app.command()(preview.preview)
app.command()(status.status)
app.command()(wait.wait)
app.command()(log.log)
app.command()(explain.explain)
app.command()(retry.retry)
app.command()(retry.skip)
app.command()(replay.replay)
app.command()(drift.drift)
app.command()(holding.pause)
app.command()(holding.resume)


def main() -> int:
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
        failure = in_words(error)
        if failure is None:
            raise
        say(mask(f"error: {failure.problem}"), "red")
        if failure.remedy:
            say(mask(f"remedy: {failure.remedy}"))
        return failure.exit_code
    return 0
