"""One round of the archive in a process of its own, to be killed: environment as for a worker."""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from runtime.environment import Environment
from streams import archiving
from streams.batch_writer import Pool

archiving.REST_SECONDS = 0.0


async def main() -> None:
    environment = Environment.read(os.environ)
    url = str(environment.database_url)
    async with Pool(url, open=False) as pool:
        taken = archiving.archiving_of(pool, environment)
        assert taken is not None
        await taken.go_round(asyncio.Event())


asyncio.run(main())
