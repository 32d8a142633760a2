"""A lane's marks: raised with the intents of its calls, in Kafka before their first byte."""

import asyncio
from collections.abc import Sequence

import structlog

from sinks.ledger import store as ledger
from sinks.ledger.generation import Mark, MarkNotStored, Marks, account_name
from sinks.ledger.store import Lease
from sinks.xero.call_guard import machine_seconds
from sinks.xero.calls import Call

log = structlog.stdlib.get_logger(__name__)

_STORED_WITHIN = 8.0
"""Seconds in which Kafka must have taken a mark; a call's first byte leaves within ten of its commit."""


class Marking:
    """Raises and publishes the marks of one account's calls."""

    def __init__(self, marks: Marks | None, lease: Lease, number: int = 0, generation: str = "") -> None:
        """Keep the marks in ``marks``; None keeps nothing outside the database, as without Kafka."""
        self._marks = marks
        self._lease = lease
        self._number = number
        self._generation = generation
        self._storing: dict[str, asyncio.Task[None]] = {}

    async def raised(self, connection: ledger.Connection, calls: Sequence[Call]) -> int:
        """Return the account's mark once these calls are written down in this transaction; reads raise none.

        Raises:
            LedgerBehind: the database has gone back behind what this worker knows.
        """
        if all(call.route.reads for call in calls):
            return self._lease.mark
        mark = await ledger.raise_mark(connection, self._lease)
        if mark <= self._lease.mark:
            raise ledger.LedgerBehind(
                f"the calls of {self._lease.account} were at mark {self._lease.mark}, the ledger is at {mark}"
            )
        return mark

    def committed(self, mark: int, calls: Sequence[Call]) -> None:
        """Publish ``mark``, whose transaction is committed, once for all of these calls."""
        self._lease.mark = mark
        written = [call.intent_id for call in calls if not call.route.reads]
        if written and self._marks is not None:
            storing = asyncio.create_task(self.publish())
            storing.add_done_callback(_seen)
            self._storing.update(dict.fromkeys(written, storing))

    async def publish(self) -> None:
        """Have Kafka keep the account's present mark.

        Raises:
            MarkNotStored: it did not say that it does.
        """
        if self._marks is not None:
            name = account_name(self._lease.account)
            await self._marks.publish(self._number, name, Mark(self._generation, self._lease.mark))

    async def stored(self, call: Call, send_by: float) -> None:
        """Return once Kafka has the mark under which ``call`` was written down.

        Raises:
            MarkNotStored: not in time; nothing of the call may leave.
        """
        storing = self._storing.pop(call.intent_id, None)
        if storing is None:
            return
        left = max(0.0, min(_STORED_WITHIN, send_by - machine_seconds() - 1.0))
        try:
            await asyncio.wait_for(asyncio.shield(storing), left)
        except TimeoutError as error:
            raise MarkNotStored(f"Kafka has not stored the ledger's mark within {left:.0f} s") from error


def _seen(storing: "asyncio.Task[None]") -> None:
    """Let a mark that nobody waits for fail silently: its calls were not sent."""
    if not storing.cancelled() and (error := storing.exception()) is not None:
        log.warning("Kafka did not take a mark of the ledger", error=str(error))
