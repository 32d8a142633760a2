"""A clock that runs fast, of the fake SalesBinder and of the database as its reader sees it."""

from datetime import datetime
from urllib.parse import quote

import psycopg

from sandbox.clock import Clock

_SCHEMA = "CREATE SCHEMA IF NOT EXISTS fast"
_FUNCTION = """
CREATE OR REPLACE FUNCTION fast.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT timestamptz '{shown}' + (pg_catalog.clock_timestamp() - timestamptz '{real}') * {rate} $$
"""
FIRST = "?options=" + quote("-c search_path=fast,pg_catalog")
"""At the end of the database's address: ``clock_timestamp()`` is then the fast one."""


class FastClock(Clock):
    """Begins at ``start`` and runs at ``pace`` seconds a second; the database's is set to it each time."""

    def __init__(self, start: datetime, pace: float, database_url: str) -> None:
        super().__init__(start)
        self._database_url = database_url
        self.set_rate(pace)

    def tell(self) -> None:
        """Set the database's clock to this one."""
        with psycopg.connect(self._database_url, autocommit=True) as connection:
            connection.execute(_SCHEMA)
            row = connection.execute("SELECT pg_catalog.clock_timestamp()").fetchone()
            assert row is not None
            told = _FUNCTION.format(shown=self.now().isoformat(), real=row[0].isoformat(), rate=self.rate)
            connection.execute(told.encode())

    def jump(self, seconds: float) -> None:
        """Let so much time pass in no time, everywhere."""
        self.advance(seconds)
        self.tell()
