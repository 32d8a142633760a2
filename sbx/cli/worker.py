"""``sbx worker``: one stage in this process."""

from dataclasses import replace

import typer

from sbx.cli import environment
from sbx.cli.options import WorkerName
from streams import run_stage


def worker(stage: WorkerName, metrics_port: int | None) -> None:
    """Run ``sbx worker``."""
    used = environment.required(kafka=True, database=stage != "transform")
    if stage == "source":
        from sources.worker import run

        raise typer.Exit(run(replace(used, metrics_port=metrics_port)))
    raise typer.Exit(run_stage(stage, replace(used, metrics_port=metrics_port)))
