"""Growth of PostgreSQL per event: with dead rows, without them, and after old rows went to the archive."""

import asyncio
import time
from pathlib import Path

import psycopg

from bench.figures import Figure, at_most
from bench.rig import STAGES, Rig
from bench.sales import EVENTS_A_SALE, sales
from runtime.archive import Archive
from runtime.sql import load_queries
from streams import archiving
from streams.batch_writer import Pool

ACCOUNTS = 5
SALES = 400
_LARGEST = 7
"""How many tables are shown."""
_SQL = load_queries(__file__)


def run() -> list[Figure]:
    """Measure bytes per event, in tables and files, and how many actions a second go to the archive."""
    accounts = [f"shop-{number}" for number in range(1, ACCOUNTS + 1)]
    events = ACCOUNTS * SALES * EVENTS_A_SALE
    with Rig(60.0) as rig:
        rig.connect(accounts)
        rig.start(*STAGES)
        rig.warm_up(accounts)
        empty = _sizes(rig, whole=True)
        rig.publish([m for account in accounts for m in sales(account, SALES, first=2)])
        rig.wait_until_completed(events + ACCOUNTS * EVENTS_A_SALE, 180)
        after = _sizes(rig, whole=False)
        packed = _sizes(rig, whole=True)
        rig.freeze()
        directory = rig.directory / "archive"
        seconds = asyncio.run(_archive(rig.database_url, directory))
        left = _sizes(rig, whole=True)
        kept = Archive(directory).parts()
    grown = {table: packed[table] - empty[table] for table in packed}
    largest = sorted(grown, key=lambda table: -grown[table])[:_LARGEST]
    per_event = sum(grown.values()) / events
    return [
        Figure(
            what=f"{events:,} events, right after the last",
            value=(sum(after.values()) - sum(empty.values())) / events,
            unit="bytes/event",
            goal=at_most(6000),
        ),
        Figure(what="the same without dead rows and gaps", value=per_event, unit="bytes/event"),
        *(
            Figure(
                what=f"of these in {table}",
                value=grown[table] / events,
                unit="bytes/event",
                base="all tables",
                base_value=per_event,
            )
            for table in largest
        ),
        Figure(
            what="what stays in PostgreSQL after the archive",
            value=(sum(left.values()) - sum(empty.values())) / events,
            unit="bytes/event",
            base="before",
            base_value=per_event,
        ),
        Figure(
            what="in the archive's files",
            value=sum(part.bytes for part in kept) / events,
            unit="bytes/event",
            base="before, in PostgreSQL",
            base_value=per_event,
        ),
        Figure(
            what="actions brought to the archive, without rests", value=events / seconds, unit="actions/s"
        ),
    ]


def _sizes(rig: Rig, *, whole: bool) -> dict[str, int]:
    """Return bytes by table. ``whole``: each table is written again first, without dead rows."""
    with psycopg.connect(rig.database_url, autocommit=True) as connection:
        if whole:
            connection.execute("VACUUM FULL")
        return dict(connection.execute(_SQL["sizes"]).fetchall())


async def _archive(url: str, directory: Path) -> float:
    """Let everything be old, bring it to the archive, and return the seconds that this took."""
    async with Pool(url, open=False) as pool:
        async with pool.connection() as connection:
            await connection.execute(_SQL["age_commands"])
            await connection.execute(_SQL["age_calls"])
            await connection.execute(_SQL["begin"])
        archiving.REST_SECONDS, archiving.RESTS_PER_BITE = 0.0, 0
        taken = archiving.Archiving(pool, Archive(directory), 400)
        began = time.monotonic()
        await taken.go_round(asyncio.Event())
        return time.monotonic() - began
