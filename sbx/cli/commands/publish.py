"""``sbx publish``: publish change events from files to their topics."""

from typing import Annotated

import typer

from sbx.cli.options import AsJson


def publish(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Files of JSON lines, one event per line; - is stdin."),
    ],
    skip_invalid: Annotated[
        bool,
        typer.Option("--skip-invalid", help="Publish the valid events of files that also have bad lines."),
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check; nothing is published.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check change events and publish them.

    All lines are checked first; if one is bad, nothing is published. Publishing an event twice
    is harmless.
    """
    from sbx.cli import publish as work

    work.publish(files, skip_invalid, check, as_json)
