"""The whole pipeline at once: twenty accounts, each with a backlog, and a Xero whose limits do not bind."""

import time
from collections.abc import Mapping

from bench import bare
from bench.counted import counts, figures
from bench.figures import Figure, Goal, at_least
from bench.rig import STAGES, Rig
from bench.sales import EVENTS_A_SALE, sales
from streams.topics import SOURCES

ACCOUNTS = 20
SALES = 100
CLOCK_RATE = 60.0
"""Seconds of Xero's per second of ours: each account then has 60 calls per second."""


_WARM_SECONDS = 180.0


def run() -> list[Figure]:
    """Measure sales per second from published to completed in the log, and each process's use of the
    processors.
    """
    return measured(ACCOUNTS, SALES, {"sales": at_least(200)})


def measured(number: int, each: int, goals: Mapping[str, Goal]) -> list[Figure]:
    """Return the figures of so many accounts with so many sales each.

    Args:
        goals: of ``sales`` per second, of ``calls`` per sale, of the milliseconds of a process per sale.
    """
    accounts = [f"shop-{place}" for place in range(1, number + 1)]
    total = number * each
    with Rig(CLOCK_RATE) as rig:
        rig.connect(accounts)
        rig.start(*STAGES)
        rig.warm_up(accounts, _WARM_SECONDS)
        done = counts(rig)
        messages = [m for account in accounts for m in sales(account, each, first=2)]
        rig.freeze()
        rig.publish(messages)
        before = rig.cpu()
        began = time.monotonic()
        rig.go_on()
        rig.wait_until_completed(EVENTS_A_SALE * (total + number), 180)
        seconds = time.monotonic() - began
        calls = rig.xero.admin.counters()["calls"]
        used = {name: after - before[name] for name, after in rig.cpu().items()}
        per_sale = figures(done, counts(rig), total)
        least = bare.measure(rig.servers, SOURCES, len(messages), "produce", "1000")
    bare_rate = least.messages / least.seconds / EVENTS_A_SALE
    return [
        Figure(
            what=f"{total:,} sales of {number} accounts",
            value=total / seconds,
            unit="sales/s",
            base="bare aiokafka loop",
            base_value=bare_rate,
            goal=goals.get("sales"),
        ),
        Figure(
            what="calls a sale, where calls are plenty",
            value=calls / total,
            unit="",
            base="a call of each kind for each account, fifty sales in it",
            base_value=3 / min(50, each),
            goal=goals.get("calls"),
        ),
        *(
            Figure(
                what=f"processor time of {name}",
                value=spent / total * 1000,
                unit="ms/sale",
                base="bare aiokafka loop",
                base_value=least.cpu_a_message * EVENTS_A_SALE / 1000,
                goal=goals.get(name),
            )
            for name, spent in used.items()
        ),
        *per_sale,
    ]
