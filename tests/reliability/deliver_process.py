"""The sink's work in a process of its own, to be killed: ``python deliver_process.py``, environment as for
a worker. With ``wait`` it begins when it is given a line. Results go straight into the log, as the project
stage puts them there. Leases are renewed so often that it happens within the smallest history.
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

from contracts.results import decode_result
from log_projection.projection import apply
from runtime.environment import Environment
from sinks.delivery import new_supervisor
from sinks.lanes import runner

runner._RENEW_EVERY = 0.3


async def main() -> None:
    environment = Environment.read(os.environ)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    print("ready", flush=True)
    if "wait" in sys.argv:
        sys.stdin.readline()

    async with AsyncConnectionPool[psycopg.AsyncConnection[Any]](
        str(environment.database_url), open=False
    ) as pool:

        async def publish(results: Sequence[tuple[str, bytes]]) -> None:
            async with pool.connection() as connection:
                await apply(connection, [decode_result(value) for _, value in results])

        await new_supervisor(pool=pool, publish=publish, environment=environment).run(stop)


asyncio.run(main())
