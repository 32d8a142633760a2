"""Print ``docs/commands.md``, every command with its options, with ``python -m sbx.cli.reference``."""

import typer
from typer.cli import get_docs_for_click

from sbx.cli.command_line import app

_HEAD = """\
# Commands

<!-- Written by "python -m sbx.cli.reference > docs/commands.md"; a test compares them. -->

Every command writes data to stdout and everything else to stderr. Exit codes: 0 done, 1 failed, 2 bad usage.
Commands that print data take `--json`. Kafka and the database are found through `SBX_KAFKA_BOOTSTRAP_SERVERS`
and `SBX_DATABASE_URL` ([settings.md](settings.md)); if those are unset, through the
data directory (`SBX_DATA_DIR`) of `sbx up`.

## `sbx`
"""


def reference() -> str:
    """Return the page in Markdown."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="sbx")
    _, _, body = get_docs_for_click(obj=command, ctx=context, name="sbx").partition("# `sbx`\n")
    return _HEAD + body.rstrip() + "\n"


if __name__ == "__main__":
    print(reference(), end="")
