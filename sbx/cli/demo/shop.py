"""``sbx demo``: a shop on a fake SalesBinder, read into the pipeline and a fake Xero, compared at the end."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
from rich.console import Console

from runtime.environment import Environment
from sandbox.fake_salesbinder.admin_client import FakeSalesBinderAdmin
from sandbox.fake_xero.admin_client import FakeXeroAdmin
from sandbox.fake_xero.world import DEFAULT_TENANT
from sbx.actions import reconcile, source
from sbx.cli.acting import actor, connected
from sbx.cli.demo.fakes import CLOCK_RATE
from sbx.cli.demo.log import entries_of, states_of
from sbx.cli.demo.setting_up import connect_salesbinder, connect_xero
from sbx.cli.demo.three import Three, three_sides
from sbx.cli.demo.three_report import show, to_json
from sbx.cli.errors import OperationFailed
from sbx.cli.local.running import Running, check_services
from sbx.cli.terminal import age, plural, print_json, stdout_console, steps
from sbx.cli.wait import wait_until_idle
from sources.reconcile.why import PASSING
from sources.store.overview import Overview

ACCOUNT: Final = "demo-shop"
_TAXES: Final = {
    "5": ("TAX003", "TAX004"),
    "8": ("OUTPUT", "INPUT"),
    "12.5": ("TAX005", "TAX006"),
    "0+7": ("TAX009", "TAX010"),
    "5+7": ("TAX007", "TAX008"),
    "8+7": ("TAX011", "TAX012"),
    "12.5+7": ("TAX013", "TAX014"),
}
"""Rates in the shop to the tax types of the fake Xero, for sales and for purchases."""
_MORE_TAXES: Final = [("TAX011", "8"), ("TAX012", "8"), ("TAX013", "12.5"), ("TAX014", "12.5")]
"""Those that the fake Xero does not have from the start, each with 7 % beside its rate."""
TAX_SETTINGS: Final = {
    **{f"sales_tax.{rate}": sold for rate, (sold, _) in _TAXES.items()},
    **{f"purchase_tax.{rate}": bought for rate, (_, bought) in _TAXES.items()},
}
"""What an account has to say of a shopkeeper's rates, which the fake Xero has with ``add_taxes``."""
_SETTINGS: Final = {
    "payment_account": "090",
    "payment_account.cash": "091",
    "edit_authorised": "push",
    # Asked for at the end: a comparison by itself would come before anything happened.
    "reconcile_every": "off",
    **TAX_SETTINGS,
}
_NEVER: Final = ("archive_party", "archive_invoice", "unarchive", "edit_party_unnamed", "close_order")
WEIGHTS: Final = {**dict.fromkeys(_NEVER, 0), "new_invoice": 24, "pay": 24, "edit_invoice": 4}
"""What happens in the shop, and how often; not what no event tells."""
_DEEDS: Final = 60
_DEEDS_AT_ONCE: Final = 3
_PAUSE: Final = 1.5
_WITHIN: Final = 900.0
_LOOK: Final = 1.0
NEXT_STEPS: Final = (
    "Compare both sides again, or see how the reader stands:",
    f"  sbx reconcile {ACCOUNT}",
    f"  sbx source status {ACCOUNT}",
)
"""What can be tried afterwards."""


def play(
    console: Console, pipeline: Running, salesbinder: FakeSalesBinderAdmin, xero: str, as_json: bool
) -> bool:
    """Run the shop from its connection to the comparison; return whether all three sides agree."""
    used, books = pipeline.environment, FakeXeroAdmin(xero)
    key = salesbinder.add_shop(ACCOUNT, seed=5)["key"]
    salesbinder.fill(shop=ACCOUNT, customers=8, suppliers=3, invoices=12)
    add_taxes(books)
    console.print(
        f"The shop '{ACCOUNT}' on a fake SalesBinder: 11 customers and suppliers, 12 invoices from before\n"
        f"the connection, which stay out of Xero. Its API is asked within SalesBinder's limits, by the real\n"
        f"clock; Xero's limit of 60 calls a minute is kept by a clock that runs {CLOCK_RATE} times as fast.\n"
        f"It takes about four minutes.",
        markup=False,
    )
    asyncio.run(connect_xero(used, ACCOUNT, datetime.now(UTC), _SETTINGS))
    asyncio.run(connect_salesbinder(used, ACCOUNT, key))
    _until(pipeline, "Reading what is there: {rows} rows", lambda found: found.stock_is_taken)
    # Stamps have whole seconds: what is made in the second of the connection may be from before it.
    time.sleep(2)
    changes = _happen(console, pipeline, salesbinder)
    last = datetime.now(UTC)
    _until(pipeline, "The reader catches up: {wanted} details to read", lambda found: _has_seen(found, last))
    with steps() as shown:
        wait_until_idle(used, _WITHIN, lambda still_open: shown(f"Waiting for Xero: {still_open}"))
    rows, run = asyncio.run(_compared(used))
    result = three_sides(salesbinder.truth(ACCOUNT)["documents"], rows, books.state(DEFAULT_TENANT))
    numbers = {
        "changes": changes,
        "salesbinder_calls": int(salesbinder.counters()["by_shop"].get(ACCOUNT, 0)),
        "xero_calls": int(books.counters()["by_tenant"].get(DEFAULT_TENANT, 0)),
    }
    _show(used, result, run, numbers, as_json)
    return result.agreed


def add_taxes(books: FakeXeroAdmin, tenant: str = DEFAULT_TENANT) -> None:
    """Give an organisation of the fake Xero a rate for each of the shop's."""
    rates = [
        {"tax_type": tax_type, "name": f"{rate}% and 7%", "components": [["Tax", rate], ["City", "7"]]}
        for tax_type, rate in _MORE_TAXES
    ]
    books.seed(tenant, tax_rates=rates)


def _happen(console: Console, pipeline: Running, salesbinder: FakeSalesBinderAdmin) -> int:
    """Let the shopkeeper act; return how many changes SalesBinder had by then that concern Xero."""
    with (
        psycopg.connect(**pipeline.environment.psycopg("sbx demo"), autocommit=True) as database,
        steps() as shown,
    ):
        for done in range(0, _DEEDS, _DEEDS_AT_ONCE):
            salesbinder.keep(_DEEDS_AT_ONCE, shop=ACCOUNT, seed=11, weights=WEIGHTS)
            states = states_of(database, ACCOUNT)
            shown(
                f"{plural(done + _DEEDS_AT_ONCE, 'thing')} happened in the shop; in Xero "
                f"{states['completed']}, failed {states['failed']}"
            )
            check_services(pipeline)
            time.sleep(_PAUSE)
    history = salesbinder.history(ACCOUNT)
    changes = sum(bool(change["is_event"]) for change in history)
    console.print(f"{plural(changes, 'change')} in SalesBinder, its history included", markup=False)
    return changes


def _until(pipeline: Running, said: str, is_over: Callable[[Overview], bool]) -> None:
    """Wait for something of the reader's.

    Raises:
        OperationFailed: it did not come.
    """
    give_up = time.monotonic() + _WITHIN
    with steps() as shown:
        while True:
            found = asyncio.run(_standing(pipeline.environment))
            if is_over(found):
                return
            if time.monotonic() > give_up:
                raise OperationFailed(
                    f"the reader of SalesBinder needs more than {age(_WITHIN)}",
                    f"see its log in {pipeline.logs}",
                )
            rows = sum(each.rows for each in found.stock.values())
            shown(said.format(rows=rows, wanted=found.wanted))
            check_services(pipeline)
            time.sleep(_LOOK)


async def _standing(used: Environment) -> Overview:
    async with connected("sbx demo", used) as (_, connection):
        (found,) = await source.standing(connection, actor(), ACCOUNT)
    return found


def _has_seen(found: Overview, last: datetime) -> bool:
    """Return True if nothing is left to read and publish, and all lists were asked for after the last act."""
    since = found.now - last + timedelta(seconds=1)
    ages = (found.age("delta"), found.age("log"))
    return not found.wanted and not found.untold and all(each is not None and each < since for each in ages)


async def _compared(used: Environment) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Compare as ``sbx reconcile`` does, until nothing is on its way; return its documents and the run."""
    give_up = time.monotonic() + _WITHIN
    async with connected("sbx demo", used) as (database, connection):
        with steps() as shown:
            while True:
                run_id = await reconcile.ask(database, actor(), ACCOUNT)
                shown("Comparing SalesBinder with Xero")
                await reconcile.until_compared(connection, run_id, lambda _: None)
                rows = [row async for row in reconcile.results(connection, actor(), ACCOUNT)]
                report = await reconcile.load(connection, actor(), ACCOUNT)
                on_their_way = [row for row in rows if row["reason"] in PASSING]
                if not on_their_way or time.monotonic() > give_up:
                    assert report.last is not None
                    return rows, report.last
                await asyncio.sleep(_LOOK)


def _show(
    used: Environment, result: Three, run: dict[str, Any], numbers: dict[str, int], as_json: bool
) -> None:
    entries = entries_of(used)
    if as_json:
        print_json(to_json(entries, result, numbers))
    else:
        show(stdout_console(), entries, result, run, numbers)
