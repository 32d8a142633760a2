"""``sbx worker``: one stage in this process."""

from dataclasses import replace

import typer

from sbx.cli import environment
from streams import StageName, run_stage


def worker(stage: StageName, metrics_port: int | None) -> None:
    """Run ``sbx worker``."""
    used = environment.required(kafka=True, database=stage != "transform")
    raise typer.Exit(run_stage(stage, replace(used, metrics_port=metrics_port)))
