"""``sbx demo --publish``: a sample shop's day that a publisher tells, and both sets of books."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta

import psycopg
from rich.console import Console

from contracts.events.reader import event_to_kafka
from runtime.environment import Environment
from sandbox.fake_xero.admin_client import FakeXeroAdmin
from sandbox.fake_xero.world import DEFAULT_TENANT
from sandbox.shop import PAYMENT_ACCOUNTS, TAX_RATES, ShopDay, shop_day, unreadable_event
from sbx.cli.demo.comparison import compare
from sbx.cli.demo.fakes import CLOCK_RATE
from sbx.cli.demo.log import entries_of, states_of
from sbx.cli.demo.report import show, to_json
from sbx.cli.demo.setting_up import connect_xero
from sbx.cli.local.running import Running
from sbx.cli.publish import Delivered, Publisher, Record
from sbx.cli.terminal import bar, print_json, stdout_console, steps
from sbx.cli.wait import wait_until_idle

ACCOUNT = "demo-shop"
_SETTINGS = {
    **{f"payment_account.{how.lower()}".rstrip("."): code for how, code in PAYMENT_ACCOUNTS.items()},
    **{f"sales_tax.{rate}": sold for rate, (sold, _) in TAX_RATES.items()},
    **{f"purchase_tax.{rate}": bought for rate, (_, bought) in TAX_RATES.items()},
}
"""Accounts and tax types are the shop's own choice; everything else keeps its default."""
_PUBLISHING_SECONDS = 20.0
_IDLE_WITHIN = 600.0
NEXT_STEPS = (
    "Fix what failed for a tax rate that is not set up, on the page under Issues, or:",
    f"  sbx settings set {ACCOUNT} sales_tax.15=OUTPUT2",
    f"  sbx retry --account {ACCOUNT} --reason tax_rate_unmapped --yes",
)
"""What can be tried afterwards."""


def play(console: Console, pipeline: Running, xero: str, as_json: bool) -> bool:
    """Run the day from its first event to the comparison; return whether the books agree."""
    day = shop_day(ACCOUNT, datetime.now(UTC).date() - timedelta(days=1))
    console.print(
        f"A day of the shop '{ACCOUNT}': {len(day.contacts)} customers and suppliers, {len(day.invoices)} "
        f"invoices, {len(day.orders)} purchase orders.\n{len(day.events)} events, {day.repeated} of them "
        f"sent twice, and one that cannot be read. Xero's limit of\n60 calls a minute is kept, by a clock "
        f"that runs {CLOCK_RATE} times as fast.",
        markup=False,
    )
    used = pipeline.environment
    asyncio.run(connect_xero(used, ACCOUNT, day.opened, _SETTINGS))
    letter = unreadable_event(ACCOUNT, day.opened)
    _publish_live(console, used, day, letter)
    with steps() as shown:
        wait_until_idle(used, _IDLE_WITHIN, lambda still_open: shown(f"Waiting: {still_open}"))
    entries = entries_of(used)
    admin = FakeXeroAdmin(xero)
    result = compare(day, entries, admin.state(DEFAULT_TENANT), unreadable=1)
    calls = int(admin.counters()["by_tenant"].get(DEFAULT_TENANT, 0))
    if as_json:
        print_json(to_json(entries, result, calls))
    else:
        show(stdout_console(), entries, result, calls)
    return result.agreed


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
            states = states_of(database, ACCOUNT)
            text = f"published; in Xero {states['completed']}, failed {states['failed']}"
            shown.at(delivered.total, text)
            if not console.is_terminal and time.monotonic() - said >= 5:
                said = time.monotonic()
                console.print(f"{delivered.total} of {len(records)} events {text}", markup=False)
            time.sleep(0.2)
