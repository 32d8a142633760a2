"""``sbx demo``: the whole pipeline with a sample shop's day and a fake Xero, and both sets of books."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import typer
from psycopg.rows import dict_row
from rich.console import Console

from contracts.events.reader import event_to_kafka
from runtime.environment import Environment
from runtime.sql import load_queries
from sandbox.fake_xero.admin_client import FakeXeroAdmin
from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET, DEFAULT_TENANT
from sandbox.shop import PAYMENT_ACCOUNTS, TAX_RATES, ShopDay, shop_day, unreadable_event
from sbx.actions import settings
from sbx.actions.connect import Wanted, by_secret
from sbx.actions.facts import answered
from sbx.cli.acting import actor, connected
from sbx.cli.demo.comparison import Comparison, compare
from sbx.cli.demo.report import show, to_json
from sbx.cli.errors import OperationFailed
from sbx.cli.local.running import Running, ended_by_signals, running, wait_until_ready
from sbx.cli.local.up import watch
from sbx.cli.publish import Delivered, Publisher, Record
from sbx.cli.terminal import Steps, bar, print_json, stderr_console, stdout_console, steps
from sbx.cli.wait import wait_until_idle
from sbx.cli.web import say_link

_SQL = load_queries(__file__)
_ACCOUNT = "demo-shop"
_SETTINGS = {
    **{f"payment_account.{how.lower()}".rstrip("."): code for how, code in PAYMENT_ACCOUNTS.items()},
    **{f"sales_tax.{rate}": sold for rate, (sold, _) in TAX_RATES.items()},
    **{f"purchase_tax.{rate}": bought for rate, (_, bought) in TAX_RATES.items()},
}
"""Accounts and tax types are the shop's own choice; everything else keeps its default."""
_CLOCK_RATE = 20
"""The fake's minute lasts three seconds, as it does for the pipeline's own count: the demo is short."""
_PUBLISHING_SECONDS = 20.0
_IDLE_WITHIN = 600.0


def demo(once: bool, as_json: bool) -> None:
    """Run ``sbx demo``."""
    console = stderr_console()
    result: Comparison | None = None

    try:
        with ended_by_signals(), ExitStack() as ending:
            shown = Steps(console)
            ending.callback(shown.pause)
            directory = ending.enter_context(_directory())
            xero = ending.enter_context(_fake_xero(directory))
            pipeline = ending.enter_context(
                running(
                    _environ(directory, xero),
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
            result = _play(console, pipeline, xero, as_json)
            if not once:
                _look_around(console, directory, xero, pipeline.web_url)
                watch(console, pipeline)
    except KeyboardInterrupt:
        console.print("stopped")
    if once and (result is None or not result.agreed):
        raise typer.Exit(1)


def _environ(directory: Path, xero: str) -> dict[str, str]:
    """Drop everything configured for real work: the demo must not touch it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SBX_")}
    if "SBX_CACHE_DIR" in os.environ:
        kept["SBX_CACHE_DIR"] = os.environ["SBX_CACHE_DIR"]
    return {
        **kept,
        "SBX_DATA_DIR": str(directory),
        "SBX_XERO_API_URL": xero,
        "SBX_XERO_IDENTITY_URL": xero,
        "SBX_CLOCK_RATE": str(_CLOCK_RATE),
    }


@contextmanager
def _directory() -> Iterator[Path]:
    """Yield a new directory each time, because the fake Xero forgets everything when it exits."""
    parent = Environment.read(os.environ).data_dir if "SBX_DATA_DIR" in os.environ else None
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="sbx-demo-", dir=parent, ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def _fake_xero(directory: Path) -> Iterator[str]:
    """Run a fake Xero in its own session, so that Ctrl-C does not end it first; yield its address."""
    command = [sys.executable, "-P", "-m", "sandbox.fake_xero", "--print-url", "--exit-with-parent"]
    with (directory / "fake-xero.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--clock-rate", str(_CLOCK_RATE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    with process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().decode().strip()
            if not url:
                raise OperationFailed(
                    f"the fake Xero did not start: exit code {process.wait()}", "run the demo again"
                )
            yield url
        finally:
            process.terminate()


def _play(console: Console, pipeline: Running, xero: str, as_json: bool) -> Comparison:
    """Run the day from its first event to the comparison."""
    day = shop_day(_ACCOUNT, datetime.now(UTC).date() - timedelta(days=1))
    console.print(
        f"A day of the shop '{_ACCOUNT}': {len(day.contacts)} customers and suppliers, {len(day.invoices)} "
        f"invoices, {len(day.orders)} purchase orders.\n{len(day.events)} events, {day.repeated} of them "
        f"sent twice, and one that cannot be read. Xero's limit of\n60 calls a minute is kept, by a clock "
        f"that runs {_CLOCK_RATE} times as fast.",
        markup=False,
    )
    used = pipeline.environment
    asyncio.run(_connect(used, day))
    letter = unreadable_event(_ACCOUNT, day.opened)
    _publish_live(console, used, day, letter)
    with steps() as shown:
        wait_until_idle(used, _IDLE_WITHIN, lambda still_open: shown(f"Waiting: {still_open}"))
    entries = _entries(used)
    admin = FakeXeroAdmin(xero)
    result = compare(day, entries, admin.state(DEFAULT_TENANT), unreadable=1)
    calls = int(admin.counters()["by_tenant"].get(DEFAULT_TENANT, 0))
    if as_json:
        print_json(to_json(entries, result, calls))
    else:
        show(stdout_console(), entries, result, calls)
    return result


async def _connect(used: Environment, day: ShopDay) -> None:
    """Connect and set up the account, as ``sbx connect`` and ``sbx settings set`` do."""
    wanted = Wanted(_ACCOUNT, DEFAULT_TENANT, DEFAULT_CLIENT, DEFAULT_SECRET, day.opened)
    async with connected("sbx demo", used) as (database, connection):
        request = await by_secret(database, used, actor(), wanted)
        await settings.change(database, actor(), _ACCOUNT, _SETTINGS, insist=True)
        trouble = await answered(connection, request)
    if trouble is not None:
        raise OperationFailed(f"the fake Xero was not read: {trouble}", "see the logs of the deliver worker")


def _publish_live(console: Console, used: Environment, day: ShopDay, letter: Record) -> None:
    """Publish the day within a few seconds, showing how the pipeline keeps up."""
    records = [event_to_kafka(json.dumps(event).encode())[:3] for event in day.events]
    records.insert(len(records) // 2, letter)
    delivered = Delivered()
    started = time.monotonic()
    with (
        Publisher(used) as publisher,
        psycopg.connect(**used.psycopg("sbx demo"), autocommit=True) as database,
        bar("publishing", len(records)) as shown,
    ):
        said = 0.0
        while delivered.total < len(records):
            share = min(1.0, (time.monotonic() - started) / _PUBLISHING_SECONDS)
            due = max(1, round(share * len(records)))
            publisher.publish(records[delivered.total : due], delivered, lambda _: None)
            states = _states(database)
            text = f"published; in Xero {states['completed']}, failed {states['failed']}"
            shown.at(delivered.total, text)
            if not console.is_terminal and time.monotonic() - said >= 5:
                said = time.monotonic()
                console.print(f"{delivered.total} of {len(records)} events {text}", markup=False)
            time.sleep(0.2)


def _states(database: psycopg.Connection[Any]) -> Mapping[str, int]:
    rows = database.execute(_SQL["states"], {"account": _ACCOUNT}).fetchall()
    return {"completed": 0, "failed": 0, **{row[0]: int(row[1]) for row in rows}}


def _entries(used: Environment) -> list[dict[str, Any]]:
    with psycopg.connect(**used.psycopg("sbx demo"), row_factory=dict_row) as database:
        return database.execute(_SQL["entries"]).fetchall()


def _look_around(console: Console, directory: Path, xero: str, page: str) -> None:
    console.print()
    console.print("ready", style="bold green")
    # A command that is not on the PATH is shown with its path.
    sbx = "sbx" if shutil.which("sbx") else str(Path(sys.argv[0]).absolute())
    console.print(
        f"Look around on the page, or from another terminal:\n"
        f"  export SBX_DATA_DIR={directory} SBX_XERO_API_URL={xero} SBX_XERO_IDENTITY_URL={xero}\n"
        f"  {sbx} status\n"
        f"  {sbx} users link --url {page}\n"
        f"  {sbx} log --state failed\n"
        f"Fix what failed for a tax rate that is not set up, on the page under Issues, or:\n"
        f"  {sbx} settings set {_ACCOUNT} sales_tax.15=OUTPUT2\n"
        f"  {sbx} retry --account {_ACCOUNT} --reason tax_rate_unmapped --yes\n"
        f"Press Ctrl-C to stop and remove the directory.",
        markup=False,
        soft_wrap=True,
    )
