"""``sbx up``: everything on this machine, until Ctrl-C."""

import os
import time

from rich.console import Console
from rich.live import Live

from sandbox import EmbeddedStack
from sbx.cli import targets
from sbx.cli.local.running import Running, check_services, running, wait_until_ready
from sbx.cli.status import ask_workers, gather
from sbx.cli.status_report import tables
from sbx.cli.terminal import Steps, print_json, stderr_console
from sbx.cli.web import say_link

_REFRESH_SECONDS = 3.0


def up(
    stack: EmbeddedStack, shown: Steps, workers: int, web_port: int | None, wait: float, as_json: bool
) -> None:
    """Run ``sbx up`` with services that have begun."""
    console = stderr_console()
    try:
        with running(
            os.environ,
            stack,
            workers=workers,
            web_port=web_port,
            wait=wait,
            progress=shown,
            report=shown.report,
            forks=shown.pause,
        ) as pipeline:
            wait_until_ready(pipeline, shown)
            shown.pause()
            announce(console, pipeline)
            if as_json:
                found = gather(pipeline.environment)
                ask_workers(found)
                print_json(found.to_json() | {"web": {"url": pipeline.web_url}})
            watch(console, pipeline)
    finally:
        shown.pause()


def announce(console: Console, pipeline: Running) -> None:
    """Print the processes with their addresses, and the line ``ready``."""
    used = pipeline.environment
    for name, address in (("Kafka", used.kafka_bootstrap_servers), ("PostgreSQL", used.database_url_shown)):
        kind = "embedded" if name in pipeline.embedded else "configured"
        console.print(f"{name:<11}{address} ({kind})", markup=False, soft_wrap=True)
    console.print(f"{'Xero':<11}{used.xero_api_url}", markup=False, soft_wrap=True)
    console.print(f"{'data':<11}{used.data_dir}", markup=False, soft_wrap=True)
    console.print(
        f"{'workers':<11}{pipeline.workers} of each stage, logs in {pipeline.logs}",
        markup=False,
        soft_wrap=True,
    )
    ports = " ".join(f"{one.worker} {one.address}" for one in targets.read(used.data_dir))
    console.print(f"{'metrics':<11}{ports}", markup=False, soft_wrap=True)
    console.print(f"{'page':<11}{pipeline.web_url}", markup=False, soft_wrap=True)
    console.print("ready", style="bold green")
    say_link(used, pipeline.web_url)


def watch(console: Console, pipeline: Running) -> None:
    """Show the status until interrupted; without a terminal, only watch.

    Raises:
        OperationFailed: an embedded service has ended.
    """
    if not console.is_terminal:
        while True:
            time.sleep(_REFRESH_SECONDS)
            check_services(pipeline)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(tables(gather(pipeline.environment)), refresh=True)
            time.sleep(_REFRESH_SECONDS)
            check_services(pipeline)
