"""History: documents from before the connection that are to be told, behind all live work."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from runtime.database import Connection, fetch_one
from runtime.sql import load_queries
from sources.schedule.layers import BACKGROUND_PER_MINUTE

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What telling history would take."""

    documents: int
    paid: int
    """Those of them with payments."""

    @property
    def salesbinder_calls(self) -> int:
        """Return the calls of SalesBinder's API: a detail per document."""
        return self.documents

    @property
    def xero_calls(self) -> int:
        """Return about how many calls of Xero's API follow: the document, and its payments."""
        return self.documents + self.paid

    @property
    def time(self) -> timedelta:
        """Return how long reading takes behind live work."""
        return timedelta(minutes=self.documents / BACKGROUND_PER_MINUTE)


async def plan(connection: Connection, account: str, since: datetime) -> Plan:
    """Return what there is to be told of documents that were made since then."""
    row = await fetch_one(connection, _SQL["plan"], {"account": account, "since": since})
    assert row is not None
    return Plan(row["documents"], row["paid"])


async def start(connection: Connection, account: str, since: datetime) -> int:
    """Tell them from now on, within a transaction; return how many. It goes on after any restart.

    The reader waits meanwhile: it would write back what it has read of a document before, which then would
    be counted as told, and never be.
    """
    await connection.execute(_SQL["reader_waits"], {"account": account})
    row = await fetch_one(connection, _SQL["start"], {"account": account, "since": since})
    assert row is not None
    return int(row["documents"])


async def is_waiting(connection: Connection, account: str) -> bool:
    """Return True if the turn of some of them has not come."""
    return await fetch_one(connection, _SQL["is_waiting"], {"account": account}) is not None


async def cancel(connection: Connection, account: str) -> int:
    """Tell no more of them, within a transaction; return how many were left. The reader waits meanwhile."""
    await connection.execute(_SQL["reader_waits"], {"account": account})
    row = await fetch_one(connection, _SQL["cancel"], {"account": account})
    assert row is not None
    return int(row["documents"])
