"""``sbx worker``: one stage in this process."""

from typing import Annotated

import typer

from sbx.cli.options import WorkerName


def worker(
    stage: Annotated[
        WorkerName, typer.Argument(help="The stage to run; source: the reader of SalesBinder accounts.")
    ],
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            envvar="SBX_METRICS_PORT",
            help="Serve /metrics, /healthz and /readyz on this port of SBX_METRICS_HOST (127.0.0.1).",
        ),
    ] = None,
) -> None:
    """Run one stage until SIGTERM or Ctrl-C.

    Any number of processes share its work. Logs to stderr: JSON lines, or text on a terminal.
    Exit code 70 means: start me again.
    """
    from sbx.cli import worker as work

    work.worker(stage, metrics_port)
