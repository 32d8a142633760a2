"""The worker that reads SalesBinder where days pass in minutes, as a module to be run.

All that is due goes by the database's clock, which the address of the database makes fast (``FastClock``):
periods, budget, blocks and looks keep their proportions. Here follows what goes by the machine's own clock.
"""

import asyncio
import os
import sys
from functools import partial
from typing import Any

from runtime.environment import Environment
from sources import client, worker
from sources.reader import Reader
from sources.store import store


class _FastReader(Reader):
    """Its waits are told by the machine's clock."""

    async def turn(self) -> float:
        return await super().turn() / _environment.clock_rate


_environment = Environment.read(os.environ)
_sleep = worker._sleep


async def _look_often(seconds: float, until: asyncio.Event) -> None:
    await _sleep(min(seconds, 0.5), until)


def _hasten() -> None:
    # Whoever is late by the deadline of a call is not to lose the account.
    changes: dict[Any, dict[str, Any]] = {
        store: {"LEASE_SECONDS": store.LEASE_SECONDS * _environment.clock_rate},
        worker: {
            "Reader": _FastReader,
            "Client": partial(client.Client, deadline=client.DEADLINE / _environment.clock_rate),
            "_sleep": _look_often,
        },
    }
    for module, values in changes.items():
        for name, value in values.items():
            setattr(module, name, value)


if __name__ == "__main__":
    _hasten()
    sys.exit(worker.run(_environment))
