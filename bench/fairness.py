"""One account in trouble: how long an event of another account then takes to Xero."""

import asyncio
from collections.abc import Callable
from itertools import count

from bench.figures import Figure, percentile, times_base
from bench.latency import first_after, one_by_one
from bench.rig import STAGES, Rig
from bench.sales import sales

SALES = 20
"""Of the healthy account in each trouble of the other: three times as many events."""
_BACKLOG = 600
_HEALTHY = "healthy"
_SLOW_APP = ("slow-app", "slow-secret")
_SLOW_SECONDS = 30.0


def run() -> list[Figure]:
    """Measure p95 of the healthy account from published to its arrival at Xero, in ms, beside its p95
    alone.
    """
    with Rig() as rig:
        rig.xero.admin.limits(minute=1_000_000, day=1_000_000)
        measuring = _Healthy(rig)
        alone = min(measuring.p95() for _ in range(2))
        figures = []
        for name, trouble in _TROUBLES.items():
            trouble(rig)
            figures.append(
                Figure(
                    what=f"another account {name}, p95",
                    value=measuring.p95() * 1000,
                    unit="ms",
                    base="alone, p95",
                    base_value=alone * 1000,
                    goal=times_base(2),
                )
            )
        return figures


class _Healthy:
    """The account that is measured. Its sales are numbered on."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._first = count(2, SALES)
        self._tenant = rig.connect([_HEALTHY])[_HEALTHY]
        rig.start(*STAGES)
        rig.warm_up([_HEALTHY])

    def p95(self) -> float:
        """Return seconds from published to the arrival of the call, for sales one after the other."""
        rig, seen = self._rig, len(self._rig.xero.admin.calls())
        messages = list(sales(_HEALTHY, SALES, first=next(self._first)))
        offset = rig.clock_offset()
        sent, _ = asyncio.run(one_by_one(rig.servers, rig.database_url, messages))
        calls = [
            call["at"] + offset
            for call in rig.xero.admin.calls(since=seen)
            if call["tenant_id"] == self._tenant and call["method"] in ("PUT", "POST")
        ]
        return percentile([first_after(calls, moment) - moment for moment in sent], 0.95)


def _in_backlog(rig: Rig) -> None:
    """Give the account Xero's usual 60 calls per minute, and so much to do that they never suffice."""
    tenant = rig.connect(["backlog"])["backlog"]
    rig.xero.admin.limits(tenant_id=tenant, minute=60, day=5000)
    _publish(rig, "backlog", _BACKLOG)


def _out_of_budget(rig: Rig) -> None:
    tenant = rig.connect(["spent"])["spent"]
    rig.xero.admin.limits(tenant_id=tenant, minute=60, day=8)
    _publish(rig, "spent", _BACKLOG)
    _wait_held(rig, "spent", "xero_day_limit")


def _paused(rig: Rig) -> None:
    rig.connect(["paused"])
    rig.pause("paused")
    _publish(rig, "paused", _BACKLOG)


def _revoked(rig: Rig) -> None:
    tenant = rig.connect(["revoked"])["revoked"]
    rig.xero.admin.connections(disconnect=[tenant])
    _publish(rig, "revoked", _BACKLOG)
    _wait_held(rig, "revoked", "connection_lost")


def _slow(rig: Rig) -> None:
    rig.xero.admin.add_client(*_SLOW_APP)
    rig.connect(["slow"], _SLOW_APP)
    rig.xero.admin.fault("latency", client_id=_SLOW_APP[0], seconds=_SLOW_SECONDS, times=None)
    _publish(rig, "slow", _BACKLOG)
    rig.wait(lambda: any(rule["hits"] for rule in rig.xero.admin.faults()), "a slow call", 60)


_TROUBLES: dict[str, Callable[[Rig], None]] = {
    "in backlog": _in_backlog,
    "out of its day's calls": _out_of_budget,
    "paused": _paused,
    "no longer authorised": _revoked,
    f"answered after {_SLOW_SECONDS:.0f} s": _slow,
}
"""They add up: an account in trouble stays in it."""


def _publish(rig: Rig, account: str, number: int) -> None:
    """Publish sales, and wait until the ledger has them: the time of reading them is not measured."""
    rig.publish(list(sales(account, number)))
    rig.wait(
        lambda: rig.count(f"ledger.commands WHERE account = '{account}'") == 3 * number,
        f"sales of {account}",
        120,
    )


def _wait_held(rig: Rig, account: str, reason: str) -> None:
    statement = f"ledger.accounts WHERE account = '{account}' AND held = '{reason}'"
    rig.wait(lambda: rig.count(statement) > 0, f"{account} held: {reason}", 90)
