"""Keep a worker from using a ledger that is behind: it compares marks if there is reason to, else it only
checks the hold.
"""

from collections.abc import Sequence

import structlog

from runtime.database import fetch_all, single_reads
from sinks.lanes.marking import Marking
from sinks.lanes.session import Pool
from sinks.ledger import store as ledger
from sinks.ledger.generation import Mark, Marks, Told, account_name, hold_if_behind, is_another, standing
from sinks.ledger.store import Lease
from sinks.xero.call_guard import machine_seconds

log = structlog.stdlib.get_logger(__name__)

_GENERATION = "generation"
_COMPARE_EVERY = 10.0
"""Seconds: a database may be restored while a worker is idle and connected to it."""


class Guard:
    """One worker's knowledge of marks and of the hold."""

    def __init__(self, pool: Pool, marks: Marks | None) -> None:
        self._pool = pool
        self._marks = marks
        self._suspects = True
        self._held = False
        self._told = Told()
        self._number = 0
        self._generation = ""
        self._compare_after = 0.0

    def suspects(self) -> None:
        """Suspect the database: it may not be the same as before, so compare before anything is done."""
        self._suspects = True

    async def holds(self, leases: Sequence[Lease] = ()) -> bool:
        """Return True while nothing may be taken up. Compares with Kafka for ``leases``, and if it suspects
        the database.

        Raises:
            MarkNotStored: Kafka does not tell what it knows.
        """
        due = machine_seconds() >= self._compare_after
        if self._marks is not None and (leases or self._suspects or due):
            self._compare_after = machine_seconds() + _COMPARE_EVERY
            self._suspects = False  # before anything is read: a suspicion that comes meanwhile is a new one
            try:
                self._told = await self._marks.told()
                async with self._pool.connection() as connection:
                    held = await hold_if_behind(connection, self._told)
                    ours = await standing(connection)
            except BaseException:
                self._suspects = True
                raise
            if not held and not is_another(ours, self._told) and self._told.number < ours.number:
                await self._marks.publish(ours.number, _GENERATION, Mark(ours.generation, 0))
            self._number, self._generation = ours.number, ours.generation
        else:
            async with single_reads(self._pool.connection()) as connection:
                [row] = await fetch_all(connection, ledger.SQL["is_held"], None)
            held = row["held"]
            if row["id"] != self._generation:  # somebody has recovered
                self._suspects = True
            self._number, self._generation = row["number"], row["id"]
        if held and not self._held:
            log.error("nothing is sent: the database is behind", remedy="sbx recover")
        self._held = held
        return held

    def marking(self, lease: Lease) -> Marking:
        """Return the marking for a lane that begins with this lease, which ``holds`` has compared."""
        lease.mark = max(lease.mark, self._told.of(self._generation, account_name(lease.account)))
        return Marking(self._marks, lease, self._number, self._generation)
