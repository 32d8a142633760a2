"""One account's backlog, published while it is paused, then resumed: how well Xero's limits are used."""

import time
from collections.abc import Sequence

from bench import bare
from bench.figures import Figure, at_least, at_most
from bench.rig import STAGES, Rig
from bench.sales import EVENTS_A_SALE, sales
from streams.topics import SOURCES

SALES = 2500
CLOCK_RATE = 6.0
"""Seconds of Xero's per second of ours: its 60 calls per minute are then 6 calls, or 100 sales, per second.
Much faster, and the processors would be the bottleneck instead of the limit.
"""
_MINUTE = 60.0
_MINUTE_LIMIT = 60
_FULL_BATCHES = 3 / 50
"""Calls a sale when contact, invoice and payment each go in calls of fifty."""


def run() -> list[Figure]:
    """Return calls a sale, refusals, share of the limit used, time and memory."""
    with Rig(CLOCK_RATE) as rig:
        rig.connect(["backlog"])
        rig.start(*STAGES)
        rig.warm_up(["backlog"])
        rig.pause("backlog")
        events = EVENTS_A_SALE * SALES
        rig.publish(list(sales("backlog", SALES, first=2)))
        rig.wait(lambda: rig.count("ledger.commands") >= events, "the backlog is in the ledger", 120)
        time.sleep(_MINUTE / CLOCK_RATE)  # a fresh minute
        rig.xero.admin.reset_counters()
        began = time.monotonic()
        rig.resume("backlog")
        rig.wait_until_completed(events + EVENTS_A_SALE, 240)
        seconds = time.monotonic() - began
        calls = rig.xero.admin.calls()
        limited = sum(rig.xero.admin.counters()["rate_limited"].values())
        memory = {stage: process.memory() for stage, process in rig.stages.items()}
        least = bare.measure(rig.servers, SOURCES, events, "insert", rig.database_url)
    shares = _shares([call["at"] for call in calls])
    return [
        Figure(
            what="calls a sale",
            value=len(calls) / SALES,
            unit="",
            base="three calls for fifty sales",
            base_value=_FULL_BATCHES,
            goal=at_most(0.07),
        ),
        Figure(what="calls refused for a limit (429)", value=limited, unit="", goal=at_most(0)),
        Figure(
            what=f"of the minute's calls used, mean of {len(shares)} full minutes",
            value=100 * sum(shares) / len(shares),
            unit="%",
            base="all of them",
            base_value=100,
            goal=at_least(95),
        ),
        Figure(
            what=f"{SALES:,} sales, time",
            value=seconds,
            unit="s",
            base="calls by Xero's limits alone",
            base_value=len(calls) / _MINUTE_LIMIT * _MINUTE / CLOCK_RATE,
        ),
        *(
            Figure(
                what=f"memory of {stage}",
                value=used,
                unit="MB",
                base="bare aiokafka loop",
                base_value=least.memory,
                goal=at_most(200),
            )
            for stage, used in memory.items()
        ),
    ]


def _shares(moments: Sequence[float]) -> list[float]:
    """Share of the limit that was used in each of Xero's minutes but the last, which need not be full.

    A minute begins with the first call after the one before.
    """
    used: list[int] = []
    opened = float("-inf")
    for moment in sorted(moments):
        if moment >= opened + _MINUTE:
            opened = moment
            used.append(0)
        used[-1] += 1
    return [count / _MINUTE_LIMIT for count in used[:-1]] or [used[-1] / _MINUTE_LIMIT]
