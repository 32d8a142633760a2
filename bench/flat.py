"""Growth of the ledger: what an event costs with ten thousand actions done before it, and with many more."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from statistics import median

import psycopg

from bench import ledger_fill
from bench.figures import Figure, times_base
from bench.rig import STAGES, Rig
from bench.sales import sales
from runtime.sql import load_queries

ACTIONS = (1_000_000,)
_FEW = 10_000
ACCOUNTS = 20
_SALES = 20
"""Of each account, in each part."""
_PARTS = 3
_CLOCK_RATE = 60.0
_SETTLED_SECONDS = 2.0
"""Sessions of PostgreSQL report what they did at most once a second, and when they are idle."""
_SECONDS = 180.0
_GOAL = times_base(1.2)
_COUNTS = {
    "blocks": "blocks of PostgreSQL read or written",
    "rows": "rows of PostgreSQL read",
    "read_through": "of them by reading a growing table through",
    "commits": "transactions of PostgreSQL",
}
_SQL = load_queries(__file__)


def run(actions: Sequence[int] = ACTIONS) -> list[Figure]:
    """Measure each cost per event as the median of three parts, beside the cost with few actions."""
    accounts = [f"shop-{number:03}" for number in range(1, ACCOUNTS + 1)]
    found: list[Figure] = []
    with Rig(_CLOCK_RATE) as rig:
        _end_autovacuum(rig.database_url)
        rig.connect(accounts)
        few: Mapping[str, float] = {}
        before, number = 0, 1
        for size in (_FEW, *sorted(actions)):
            began = time.monotonic()
            until = datetime.now(UTC)
            ledger_fill.fill(rig.database_url, size, until, ACCOUNTS, first=before + 1)
            filled = time.monotonic() - began
            costs = _costs(rig, accounts, number)
            few = few or costs
            found += _figures(rig, size, filled, costs, few)
            before, number = size, number + 1 + _PARTS * _SALES
    return found


def _end_autovacuum(database_url: str) -> None:
    """It would come at one size and not at another."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")


def _costs(rig: Rig, accounts: Sequence[str], number: int) -> Mapping[str, float]:
    """Return each cost per event; its sales are numbered from ``number``, the first one warms up."""
    rig.start(*STAGES)
    _sell(rig, accounts, number, 1)
    parts = [_part(rig, accounts, number + 1 + part * _SALES) for part in range(_PARTS)]
    for stage in list(rig.stages):
        rig.stages.pop(stage).stop()
    return {name: median(part[name] for part in parts) for name in parts[0]}


def _part(rig: Rig, accounts: Sequence[str], first: int) -> Mapping[str, float]:
    before = _used(rig)
    events = _sell(rig, accounts, first, _SALES)
    return {name: (used - before[name]) / events for name, used in _used(rig).items()}


def _sell(rig: Rig, accounts: Sequence[str], first: int, count: int) -> int:
    """Publish so many sales of each account, and wait for their end; how many events that were."""
    [(completed,)] = rig.query(_SQL["completed"])
    messages = [message for account in accounts for message in sales(account, count, first=first)]
    rig.publish(messages)
    rig.wait_until_completed(completed + len(messages), _SECONDS)
    return len(messages)


def _used(rig: Rig) -> Mapping[str, float]:
    time.sleep(_SETTLED_SECONDS)
    [row] = rig.query(_SQL["counts"])
    return {**dict(zip(_COUNTS, map(float, row), strict=True)), **rig.cpu()}


def _figures(
    rig: Rig, size: int, filled: float, costs: Mapping[str, float], few: Mapping[str, float]
) -> list[Figure]:
    """Return the figures of one size."""
    where = f"with {size:,} actions"
    base = "" if costs is few else f"with {_FEW:,}"
    [(size_in_bytes,)] = rig.query(_SQL["size"])
    return [
        Figure(what=f"{where}: tables and indexes", value=int(size_in_bytes) / 1e6, unit="MB"),
        Figure(what=f"{where}: time to fill them", value=filled, unit="s"),
        *(
            Figure(
                what=f"{where}: processor time of {name}",
                value=costs[name] * 1e6,
                unit="µs/event",
                base=base,
                base_value=few[name] * 1e6 if base else None,
                goal=_GOAL if base else None,
            )
            for name in ("transform", "deliver", "project", "postgres")
        ),
        *(
            Figure(
                what=f"{where}: {what}",
                value=costs[name],
                unit="per event",
                base=base,
                base_value=few[name] if base else None,
            )
            for name, what in _COUNTS.items()
        ),
    ]
