"""``sbx up``: everything on this machine, until Ctrl-C."""

import gc
import os
from typing import Annotated

import typer

from sbx.cli.options import AsJson


def up(
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes of each stage.")] = 1,
    web_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Port of the page. [default: that of the last time, else 8321, else any free one]",
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="How many seconds to wait for an unavailable Kafka or database.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Run everything on this machine until Ctrl-C.

    Starts Kafka and PostgreSQL unless they are configured, creates topics and tables, and keeps all
    stages and the page running.

    The line "ready" (on stderr; with --json, an object on stdout) says that events are being processed.
    """
    # Kafka and PostgreSQL start while the rest is loaded.
    from sbx.cli.local.services import FirstSteps, begun, ended_by_signals

    gc.disable()  # until the first processes are forked: most of what is made until then stays
    first = FirstSteps()
    try:
        with ended_by_signals(), begun(os.environ, first) as stack:
            from sbx.cli.local import up as work

            work.up(stack, first.steps(), workers, web_port, wait, as_json)
    except KeyboardInterrupt:
        first.steps().report("stopped", False)
