"""Ten accounts in backlog, and one, two or three deliver workers: sales per second."""

import time
from contextlib import ExitStack

from bench.figures import Figure, Goal
from bench.processes import StageProcess
from bench.rig import Rig, TooSlow
from bench.sales import EVENTS_A_SALE, Message, sale
from sinks.lanes.division import share

ACCOUNTS = 10
SALES = 400
"""Of each account and number of workers."""
_WORKERS = (1, 2, 3)
_GOALS = {2: 1.9, 3: 2.7}
_ANSWER_SECONDS = 0.3
_SHARE = 0.15
"""Of one processor, for each worker: the machine has enough for all of them, so that their number binds."""
_FROM, _PART = 0.1, 0.4
"""Measured is a part of what is left of the backlog, once so much is done and accounts are divided: all have
work then.
"""
_LEAST = 0.4
"""Of the backlog must be left then: the rest would be a few batches of each account."""
_EVERY = 0.2
_OPEN = "ledger.commands WHERE state IN ('queued', 'running')"
_BY_WORKER = """SELECT count(*) FROM ledger.leases JOIN ledger.workers USING (holder)
WHERE expires_at > clock_timestamp() GROUP BY holder"""


def run() -> list[Figure]:
    """Return the speed by the number of workers, beside that of one."""
    accounts = [f"busy-{number}" for number in range(ACCOUNTS)]
    with Rig() as rig:
        rig.xero.admin.limits(minute=1_000_000, day=1_000_000)
        rig.connect(accounts)
        rig.start("transform", "deliver", "project")
        rig.warm_up(accounts)
        rates, divided = {}, {}
        for round_, workers in enumerate(_WORKERS):
            _lay_out(rig, accounts, round_)
            divided[workers], rates[workers] = _measured(rig, accounts, workers)
    speeds = [
        Figure(
            what=f"{ACCOUNTS} accounts in backlog, {workers} {'worker' if workers == 1 else 'workers'}",
            value=rate,
            unit="sales/s",
            base="" if workers == 1 else "1 worker",
            base_value=None if workers == 1 else rates[1],
            goal=Goal("ratio", _GOALS[workers], at_least=True) if workers in _GOALS else None,
        )
        for workers, rate in rates.items()
    ]
    took = [
        Figure(what=f"from the resume until {workers} workers have their shares", value=value, unit="s")
        for workers, value in divided.items()
        if workers > 1
    ]
    return [*speeds, *took]


def _lay_out(rig: Rig, accounts: list[str], round_: int) -> None:
    """Put the backlog into the ledger, then end the stages."""
    if not rig.stages:
        rig.start("transform", "deliver", "project")
    for account in accounts:
        rig.pause(account)
    before = rig.count("ledger.commands")
    first = 2 + round_ * SALES
    rig.publish(_sales(accounts, first))
    events = EVENTS_A_SALE * SALES * len(accounts)
    rig.wait(lambda: rig.count("ledger.commands") >= before + events, "the backlog is in the ledger", 240)
    for stage in list(rig.stages):
        rig.stages.pop(stage).stop()


def _sales(accounts: list[str], first: int) -> list[Message]:
    return [
        message
        for number in range(first, first + SALES)
        for account in accounts
        for message in sale(account, number)
    ]


def _measured(rig: Rig, accounts: list[str], workers: int) -> tuple[float, float]:
    """Return for so many workers, none of which has much of a processor, the seconds after which the
    accounts were divided among them, and the sales per second from then on.
    """
    names = [f"deliver-{number}" for number in range(1, workers + 1)]
    for name in names:
        rig.stages[name] = StageProcess("deliver", rig.environ, rig.directory, f"{name}-of-{workers}")
    for name in names:
        rig.stages[name].wait_until_ready()
    rig.wait(lambda: rig.count("ledger.workers") == workers, f"{workers} workers live", 60)
    fault = rig.xero.admin.fault("latency", seconds=_ANSWER_SECONDS, times=None)
    events = EVENTS_A_SALE * SALES * len(accounts)
    with ExitStack() as held_back:
        for name in names:
            held_back.enter_context(rig.stages[name].has_only(_SHARE))
        resumed = time.monotonic()
        for account in accounts:
            rig.resume(account)
        rig.wait(lambda: _divided(rig, workers), f"{workers} workers have their shares", 120, every=_EVERY)
        divided = time.monotonic() - resumed
        began, first = _when_left(rig, int((1 - _FROM) * events))
        if first < _LEAST * events:
            raise TooSlow(
                f"{events - first} of {events} events were done before {workers} workers had shares"
            )
        ended, last = _when_left(rig, int((1 - _PART) * first))
    rig.xero.admin.clear_faults(fault)
    rig.wait(lambda: rig.count(_OPEN) == 0, "the rest is done", 240)
    for name in names:
        rig.stages.pop(name).stop()
    return divided, (first - last) / EVENTS_A_SALE / (ended - began)


def _divided(rig: Rig, workers: int) -> bool:
    found = [int(row[0]) for row in rig.query(_BY_WORKER)]
    return len(found) == workers and max(found) == share(ACCOUNTS, workers)


def _when_left(rig: Rig, most: int) -> tuple[float, int]:
    """Return when no more than so many commands were open, and how many that were then."""
    found = 0

    def reached() -> bool:
        nonlocal found
        found = rig.count(_OPEN)
        return found <= most

    rig.wait(reached, f"{most} commands or less are open", 240, every=_EVERY)
    return time.monotonic(), found
