"""SalesBinder and Xero compared when nothing has changed: calls to each side."""

import asyncio
import secrets
from typing import Any

import psycopg

from bench.figures import Figure, at_most
from bench.rig import STAGES
from bench.salesbinder import SourceRig
from sources.client import Client, api_address
from sources.reconcile import runs
from sources.reconcile.reconciler import Reconciler
from sources.store import store

SHOP = "compared"
DOCUMENTS = 500
_PAID = "27.00"
_LINES = [{"name": "Fitting", "quantity": 2, "price": "12.50", "tax": 8}]
_GOAL = 0.02
_PATIENCE = 300.0
_WAIT = 0.1


def run() -> list[Figure]:
    """Measure calls per document, as each of the fakes counts them, in a second comparison."""
    with SourceRig() as rig:
        rig.xero.admin.limits(minute=1_000_000, day=1_000_000)
        rig.salesbinder.admin.add_shop(SHOP)
        rig.lift_source_limits()
        rig.connect([SHOP])
        rig.connect_sources([SHOP])
        rig.start(*STAGES)
        worker = rig.start_source()
        rig.wait_for_stock(1, 60)
        _sell(rig)
        rig.wait_until_completed(2 * DOCUMENTS + 1, _PATIENCE)
        # The comparing goes on here, so that SalesBinder counts its calls alone.
        worker.stop()
        del rig.stages["source"]
        first = asyncio.run(_compared(rig))
        rig.salesbinder.admin.reset_counters()
        rig.xero.admin.reset_counters()
        second = asyncio.run(_compared(rig))
        calls = {
            "SalesBinder": rig.salesbinder.admin.counters()["by_shop"].get(SHOP, 0),
            "Xero": len(rig.xero.admin.calls()),
        }
    _check(second)
    by_side = {"SalesBinder": "calls", "Xero": "xero_calls"}
    return [
        Figure(
            what=f"calls to {side} per document, nothing changed",
            value=count / DOCUMENTS,
            unit="",
            base="the first comparison",
            base_value=first[by_side[side]] / DOCUMENTS,
            goal=at_most(_GOAL),
        )
        for side, count in calls.items()
    ]


def _sell(rig: SourceRig) -> None:
    """Sell and be paid, as often as there are to be documents."""
    act = rig.salesbinder.admin.act
    customer = act("create_party", shop=SHOP, kind="customer", name="Bolt & Co")
    for _ in range(DOCUMENTS):
        invoice = act("create_document", shop=SHOP, kind="invoice", party_id=customer, lines=_LINES)
        act("pay", shop=SHOP, document_id=invoice, paid=_PAID)


def _check(run: dict[str, Any]) -> None:
    """Raise RuntimeError if the comparison was not one of all documents, which agree."""
    agreeing = sum(month["agreeing"] for month in run["months"])
    if run["error"] is not None or agreeing != DOCUMENTS:
        raise RuntimeError(f"{agreeing} of {DOCUMENTS} documents agree: {run['error'] or run['months']}")


async def _compared(rig: SourceRig) -> dict[str, Any]:
    """Compare both sides, and return the run."""
    address = api_address(SHOP, rig.salesbinder.api_url)
    async with (
        asyncio.timeout(_PATIENCE),
        await psycopg.AsyncConnection.connect(rig.database_url, autocommit=True) as connection,
        Client(address, f"{SHOP}-key") as client,
    ):
        holder = secrets.randbits(62)
        await connection.execute("SELECT pg_advisory_lock(%s)", [holder])
        lease = await store.take_lease(connection, SHOP, holder)
        assert lease is not None, "the worker has ended"
        reconciler = Reconciler(connection, lease, client)
        run_id = await runs.ask(connection, SHOP, "bench")
        while await runs.under_way(connection, SHOP) is not None:
            if await reconciler.turn():
                await asyncio.sleep(_WAIT)
        await store.release_lease(connection, lease)
        return await runs.seen(connection, run_id)
