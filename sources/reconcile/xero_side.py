"""Xero's side of a reconciliation, which the account's lane reads as for ``sbx drift``."""

from datetime import timedelta
from typing import Final

from connections import store as connections
from runtime.crash_points import crash_point
from sinks.drift import acts as drift
from sinks.drift import books
from sources.reconcile import runs
from sources.reconcile.runs import Run
from sources.reconcile.steps import Steps, not_connected
from sources.store import store

_WAITING: Final = timedelta(seconds=1)


class XeroSide(Steps):
    """Waits until the lane has read what was changed in Xero since it read last."""

    async def read(self, run: Run) -> float:
        """Let the lane read, or see how far it is; return the seconds until the next step may be due."""
        known = await connections.load_connection(self._connection, self._account)
        if known is None:
            await self.finish(run, not_connected(self._account))
            return 0.0
        if run.xero_run is None:
            return await self._ask_for_xero(run)
        reading = await drift.reading(self._connection, run.xero_run)
        if reading["finished_at"] is None:
            why = f"Xero is read: {reading['calls']} of about {reading['calls_expected']} calls"
            if known.status == "lost":
                why = "Xero no longer accepts our access: connect the account again"
            elif known.paused_at is not None:
                why = f"the account is paused: {known.paused_reason}"
            await self.put_off(run, run.now + _WAITING, why, failed=False)
            return _WAITING.total_seconds()
        if reading["error"] is not None:
            await self.finish(run, f"Xero could not be read: {reading['error']}")
            return 0.0
        async with store.fenced(self._connection, self._lease):
            await runs.xero_read(self._connection, run.run_id, reading["calls"])
            await runs.enter(self._connection, run.run_id, "records")
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")
        return 0.0

    async def _ask_for_xero(self, run: Run) -> float:
        """Ask the lane to read what was changed since it read last. One that is under way may have read
        before SalesBinder's rows were: it is waited for.
        """
        async with store.fenced(self._connection, self._lease):
            other = await drift.reading_under_way(self._connection, self._account)
            if other is None:
                is_whole = await books.are_whole(self._connection, self._account)
                plan = await drift.plan(self._connection, self._account, full=not is_whole)
                asked = await drift.ask(self._connection, self._account, plan, run.actor)
                await runs.wait_for_xero(self._connection, run.run_id, asked)
            else:
                why = "a comparison of Xero that was asked for before is under way"
                await runs.put_off(self._connection, run.run_id, run.now + _WAITING, why, failed=False)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")
        return 0.0 if other is None else _WAITING.total_seconds()
