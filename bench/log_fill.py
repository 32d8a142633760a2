"""A log of as many entries as one likes, as half a year of 20 shops leaves it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import psycopg

from contracts.reasons import CATALOGUE
from runtime.sql import load_queries

_BATCH = 100_000
_AT_ONCE = 2
_SQL = load_queries(__file__)
_FIRST = (
    "Acorn Amber Arbor Bright Bolt Café Cedar Copper Delta Dover East Elm Ember Falcon Fern Glen Harbour "
    "Hazel Iron Juniper Kestrel Lake Lindgren Maple Meridian North Oak Öland Pine Quarry River Rowan "
    "Smith Stone Tidal Union Vale Widget Willow Zephyr"
)
_SECOND = (
    "Arms Bakery Bikes Books Bottles Brothers Builders Candles Ceramics Clothing Coffee Dairy Design "
    "Dental Electric Farm Flowers Foods Furniture Garden Glass Goods Hardware Hotel Joinery Labs Lighting "
    "Marine Motors Optics Paper Pharmacy Print School Sports Studio Supply Surf Tools Toys"
)
_THIRD = "Ltd;Inc;GmbH;& Co;LLC"


def fill(database_url: str, entries: int, until: datetime) -> None:
    """Insert so many entries, the last one at ``until``. Indexes are dropped before and created again
    afterwards.
    """
    words = {"first": _FIRST, "second": _SECOND, "third": _THIRD}
    known = {**words, "reasons": list(CATALOGUE)[:20], "entries": entries, "until": until}
    with psycopg.connect(database_url, autocommit=True) as connection:
        indexes = connection.execute(_SQL["indexes"]).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX integrations_log.{name}".encode())
        batches = [
            known | {"from": begin, "to": min(begin + _BATCH - 1, entries)}
            for begin in range(1, entries + 1, _BATCH)
        ]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for _ in threads.map(lambda batch: _insert(database_url, batch), batches):
                pass
        connection.execute("SET maintenance_work_mem = '1GB'")
        for _, definition in indexes:
            connection.execute(definition.encode())
        connection.execute(_SQL["hold"])
        connection.execute("VACUUM ANALYZE integrations_log.entry")
        connection.execute("CHECKPOINT")


def _insert(database_url: str, batch: dict[str, Any]) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_SQL["entries"], batch)
