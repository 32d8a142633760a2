"""The whole pipeline at once: twenty accounts, each with a backlog, and a Xero whose limits do not bind."""

import time

from bench import bare
from bench.figures import Figure, at_least
from bench.rig import STAGES, Rig
from bench.sales import EVENTS_A_SALE, sales
from streams.topics import SOURCES

ACCOUNTS = 20
SALES = 100
CLOCK_RATE = 60.0
"""Seconds of Xero's per second of ours: each account then has 60 calls per second."""


def run() -> list[Figure]:
    """Measure sales per second from published to completed in the log, and each process's use of the
    processors.
    """
    accounts = [f"shop-{number}" for number in range(1, ACCOUNTS + 1)]
    total = ACCOUNTS * SALES
    with Rig(CLOCK_RATE) as rig:
        rig.connect(accounts)
        rig.start(*STAGES)
        rig.warm_up(accounts)
        messages = [m for account in accounts for m in sales(account, SALES, first=2)]
        rig.freeze()
        rig.publish(messages)
        before = rig.cpu()
        began = time.monotonic()
        rig.go_on()
        rig.wait_until_completed(EVENTS_A_SALE * (total + ACCOUNTS), 180)
        seconds = time.monotonic() - began
        calls = rig.xero.admin.counters()["calls"]
        used = {name: after - before[name] for name, after in rig.cpu().items()}
        least = bare.measure(rig.servers, SOURCES, len(messages), "produce", "1000")
    bare_rate = least.messages / least.seconds / EVENTS_A_SALE
    return [
        Figure(
            what=f"{total:,} sales of {ACCOUNTS} accounts",
            value=total / seconds,
            unit="sales/s",
            base="bare aiokafka loop",
            base_value=bare_rate,
            goal=at_least(200),
        ),
        Figure(
            what="calls a sale, where calls are plenty",
            value=calls / total,
            unit="",
            base="three calls for fifty sales",
            base_value=3 / 50,
        ),
        *(
            Figure(
                what=f"processor time of {name}",
                value=spent / total * 1000,
                unit="ms/sale",
                base="bare aiokafka loop",
                base_value=least.cpu_a_message * EVENTS_A_SALE / 1000,
            )
            for name, spent in used.items()
        ),
    ]
