"""A reader of one account in a process of its own, which a crash point may kill.

What it would publish it appends to a file. Its arguments: the database, the address of SalesBinder's API, the
file, how many cycles.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import psycopg

from sources import details
from sources.client import Client
from sources.entries import RESULTS
from sources.reader import Publish, Published, Reader
from sources.store import store

ACCOUNT = "acme"
_ALL_DUE = """
DELETE FROM source.calls;
UPDATE source.wanted SET due_at = clock_timestamp();
UPDATE source.accounts SET held_until = NULL
"""


def to_file(path: Path) -> Publish:
    """Return a broker that is a file: a line per event, on disk when it returns."""

    async def publish(events: Sequence[Published]) -> None:
        with path.open("ab") as file:
            for topic, _, value in events:
                if topic != RESULTS:
                    file.write(value + b"\n")
            file.flush()
            os.fsync(file.fileno())

    return publish


async def read(database_url: str, address: str, path: Path, cycles: int) -> None:
    """Read all that is due, so often; what is due only later is due at once, so nothing is waited for."""
    connection = await psycopg.AsyncConnection.connect(database_url, autocommit=True)
    async with connection, Client(address, "key") as client:
        holder = secrets.randbits(62)
        await connection.execute("SELECT pg_advisory_lock(%s)", [holder])
        lease = await store.take_lease(connection, ACCOUNT, holder)
        assert lease is not None, "the one before it is dead, and its session gone"
        reader = Reader(connection, lease, client, to_file(path), b"encrypted")
        with patch.object(details, "SETTLED", timedelta(0)):
            for _ in range(cycles):
                await _one_cycle(connection, reader)
                await connection.execute("DELETE FROM source.scans WHERE scan IS NULL")
            await _one_cycle(connection, reader)
        await store.release_lease(connection, lease)


async def _one_cycle(connection: psycopg.AsyncConnection[tuple[object, ...]], reader: Reader) -> None:
    idle = 0
    while idle < 2:
        idle = idle + 1 if await reader.turn() else 0
        if idle:
            await connection.execute(_ALL_DUE)


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
