"""``python -m sbx.cli.reference`` prints ``docs/commands.md``: every command with its options."""

import typer
from typer.cli import get_docs_for_click

from sbx.cli.command_line import app

_HEAD = """\
# Commands

<!-- Written by "python -m sbx.cli.reference > docs/commands.md"; a test compares them. -->

Every command writes data to stdout and all else to stderr. Exit codes: 0 done, 1 failed, 2 bad usage.
Commands that print data take `--json`. Kafka and the database are found by `SBX_KAFKA_BOOTSTRAP_SERVERS`
and `SBX_DATABASE_URL` ([settings.md](settings.md)); where those are unset, by the data directory
(`SBX_DATA_DIR`) in which `sbx up` runs.

## `sbx`
"""


def reference() -> str:
    """The page in Markdown."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="sbx")
    _, _, body = get_docs_for_click(obj=command, ctx=context, name="sbx").partition("# `sbx`\n")
    return _HEAD + body.rstrip() + "\n"


if __name__ == "__main__":
    print(reference(), end="")
