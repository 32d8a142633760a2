"""``sbx worker``: one stage in this process."""

from typing import Annotated

import typer

from ops import environment
from streams import Stage, run_stage


def worker(
    stage: Annotated[Stage, typer.Argument(help="Which stage.")],
) -> None:
    """Run one stage until SIGTERM or Ctrl-C.

    Any number of processes share its work. Logs to stderr: JSON lines, or text on a terminal.
    Exit code 70 means: start me again.
    """
    raise typer.Exit(run_stage(stage, environment.required(kafka=True, database=stage != "transform")))
