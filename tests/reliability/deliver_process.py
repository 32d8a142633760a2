"""The sink's work in a process of its own, to be killed: ``python deliver_process.py``, environment as for
a worker.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import psycopg
from psycopg_pool import AsyncConnectionPool

from connections.environment import Environment
from sinks.delivery import Delivery


async def main() -> None:
    environment = Environment.read(os.environ)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    print("ready", flush=True)

    async def publish(results: Sequence[tuple[str, bytes]]) -> None:
        """Nobody listens here: the ledger and the books are compared."""

    async with AsyncConnectionPool[psycopg.AsyncConnection[Any]](
        str(environment.database_url), open=False
    ) as pool:
        await Delivery(pool=pool, publish=publish, environment=environment).run(stop)


asyncio.run(main())
