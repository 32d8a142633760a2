"""One account publishes 50,000 events at once: how long the next events of another account take meanwhile."""

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

from bench.figures import Figure, at_most
from bench.latency import first_after, one_by_one
from bench.rig import STAGES, Rig, send
from bench.sales import EVENTS_A_SALE, Message, sales

FLOOD = 50_000
"""Events."""
SALES = 5
"""Of the other account, before the flood and during it: three times as many events."""
_OTHER, _FLOODING = "other", "flooding"
_PATIENCE = 300.0


def run() -> list[Figure]:
    """Measure the other account's slowest event, from published to its arrival at Xero and to completed in
    the log, in ms, beside its slowest one without a flood; and how much of the flood was still to be read.
    """
    with Rig() as rig:
        rig.xero.admin.limits(minute=1_000_000, day=1_000_000)
        tenants = rig.connect([_OTHER, _FLOODING])
        rig.xero.admin.limits(tenant_id=tenants[_FLOODING], minute=60, day=5000)
        rig.start(*STAGES)
        rig.warm_up([_OTHER, _FLOODING])
        alone = _slowest(rig, tenants[_OTHER], first=2)
        with ProcessPoolExecutor(1, get_context("spawn")) as publisher:
            publisher.submit(_prepare).result()
            began = time.monotonic()
            publishing = publisher.submit(_publish, rig.servers)
            beside = _slowest(rig, tenants[_OTHER], first=2 + SALES)
            published = publishing.result()
        left = FLOOD - rig.count(f"ledger.commands WHERE account = '{_FLOODING}'") + EVENTS_A_SALE
        took = time.monotonic() - began
    to_xero, to_log = (
        Figure(
            what=f"beside a flood of {FLOOD:,} events, {where}, slowest",
            value=seconds * 1000,
            unit="ms",
            base="alone",
            base_value=base * 1000,
            goal=at_most(5000),
        )
        for where, seconds, base in zip(("at Xero", "in the log"), beside, alone, strict=True)
    )
    return [
        to_xero,
        to_log,
        Figure(
            what=f"of the flood not taken in, {took:.0f} s after it began (published in {published:.0f} s)",
            value=left,
            unit="events",
            base="all",
            base_value=FLOOD,
        ),
    ]


_flood: list[Message] = []
"""In the publisher, a process of its own: beside it in one process, the other's events would be late."""


def _prepare() -> None:
    _flood.extend(islice(sales(_FLOODING, FLOOD, first=2), FLOOD))


def _publish(servers: str) -> float:
    """Publish the flood; return the seconds that it took."""
    began = time.monotonic()
    asyncio.run(send(servers, [(one.topic, one.key, one.value, one.headers) for one in _flood]))
    return time.monotonic() - began


def _slowest(rig: Rig, tenant: str, first: int) -> tuple[float, float]:
    """Return the seconds of the slowest event to Xero and to the log, of events one after the other."""
    seen = len(rig.xero.admin.calls())
    offset = rig.clock_offset()
    messages = list(sales(_OTHER, SALES, first=first))
    sent, shown = asyncio.run(one_by_one(rig.servers, rig.database_url, messages, _PATIENCE))
    calls = [
        call["at"] + offset
        for call in rig.xero.admin.calls(since=seen)
        if call["tenant_id"] == tenant and call["method"] in ("PUT", "POST")
    ]
    to_xero = max(first_after(calls, moment) - moment for moment in sent)
    return to_xero, max(done - moment for done, moment in zip(shown, sent, strict=True))
