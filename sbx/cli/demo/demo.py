"""``sbx demo``: the whole pipeline between a fake SalesBinder and a fake Xero, compared at the end."""

import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import typer
from rich.console import Console

from sandbox.fake_salesbinder.admin_client import FakeSalesBinderAdmin
from sbx.cli.demo import by_hand as hands
from sbx.cli.demo import published, shop
from sbx.cli.demo.fakes import environ, fake_salesbinder, fake_xero, own_directory
from sbx.cli.errors import BadUsage
from sbx.cli.local.running import running, wait_until_ready
from sbx.cli.local.services import begun, ended_by_signals
from sbx.cli.local.up import watch
from sbx.cli.terminal import Steps, stderr_console
from sbx.cli.web import say_link


def demo(once: bool, publish: bool, by_hand: bool, as_json: bool) -> None:
    """Run ``sbx demo``."""
    if by_hand and (once or publish or as_json):
        raise BadUsage(
            "--by-hand cannot be combined with --once, --publish or --json", "leave the others out"
        )
    console = stderr_console()
    agreed = False
    try:
        with ended_by_signals(), ExitStack() as ending:
            shown = Steps(console)
            ending.callback(shown.pause)
            directory = ending.enter_context(own_directory())
            xero = ending.enter_context(fake_xero(directory))
            addresses = {"SBX_XERO_API_URL": xero, "SBX_XERO_IDENTITY_URL": xero}
            if not publish:
                salesbinder = FakeSalesBinderAdmin(ending.enter_context(fake_salesbinder(directory)))
                addresses["SBX_SALESBINDER_API_URL"] = f"{salesbinder.url}/{{account}}/api/2.0"
            variables = environ(directory, xero, addresses)
            stack = ending.enter_context(begun(variables, shown))
            pipeline = ending.enter_context(
                running(
                    variables,
                    stack,
                    workers=1,
                    web_port=None,
                    wait=60,
                    progress=shown,
                    report=shown.report,
                )
            )
            wait_until_ready(pipeline, shown)
            shown.pause()
            if not once:
                console.print(f"Watch it in the browser: {pipeline.web_url}", markup=False)
                say_link(pipeline.environment, pipeline.web_url)
            if by_hand:
                hands.prepare(console, salesbinder, xero, pipeline.web_url)
                _look_around(console, directory, addresses, pipeline.web_url, hands.NEXT_STEPS)
                hands.keep_shop(pipeline, salesbinder)
            elif publish:
                agreed = published.play(console, pipeline, xero, as_json)
            else:
                agreed = shop.play(console, pipeline, salesbinder, xero, as_json)
            if not once:
                next_steps = published.NEXT_STEPS if publish else shop.NEXT_STEPS
                _look_around(console, directory, addresses, pipeline.web_url, next_steps)
                watch(console, pipeline)
    except KeyboardInterrupt:
        console.print("stopped")
    if once and not agreed:
        raise typer.Exit(1)


def _look_around(
    console: Console, directory: Path, addresses: dict[str, str], page: str, next_steps: Sequence[str]
) -> None:
    console.print()
    console.print("ready", style="bold green")
    # A command that is not on the PATH is shown with its path.
    sbx = "sbx" if shutil.which("sbx") else str(Path(sys.argv[0]).absolute())
    variables = " ".join(f"{name}='{value}'" for name, value in addresses.items())
    commands = "\n".join(line.replace("  sbx ", f"  {sbx} ") for line in next_steps)
    console.print(
        f"Look around on the page, or from another terminal:\n"
        f"  export SBX_DATA_DIR={directory} {variables}\n"
        f"  {sbx} status\n"
        f"  {sbx} users link --url {page}\n"
        f"  {sbx} log --state failed\n"
        f"{commands}\n"
        f"Press Ctrl-C to stop and remove the directory.",
        markup=False,
        soft_wrap=True,
    )
