"""What the parts of a reconciliation share: to put it off, to go on with its next part, to end it."""

from datetime import datetime, timedelta
from typing import Final

from runtime.crash_points import crash_point
from runtime.database import Connection
from sources.reconcile import runs
from sources.reconcile.runs import Phase, Run
from sources.store import store
from sources.store.store import Lease

_GIVE_UP: Final = 30
"""Answers of no use in a row after which a comparison ends with an error."""
_SHORTEST: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(minutes=10)


class Steps:
    """Steps of an account's reconciliation, each in one transaction of its reader's lease."""

    def __init__(self, connection: Connection, lease: Lease) -> None:
        self._connection, self._lease = connection, lease
        self._account = lease.account

    async def enter(self, run: Run, phase: Phase) -> None:
        """Begin the next part."""
        async with store.fenced(self._connection, self._lease):
            await runs.enter(self._connection, run.run_id, phase)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")

    async def put_off(self, run: Run, until: datetime, why: str, *, failed: bool) -> None:
        """Go on later; ``why`` says what it waits for."""
        async with store.fenced(self._connection, self._lease):
            await runs.put_off(self._connection, run.run_id, until, why, failed=failed)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")

    async def finish(self, run: Run, error: str) -> None:
        """End it with this as its reason."""
        async with store.fenced(self._connection, self._lease):
            await runs.finish(self._connection, self._account, run.run_id, error)
            crash_point("reconcile_step.before_commit")
        crash_point("reconcile_step.after_commit")


def may_go_on(failures: int) -> bool:
    """Return True if it is tried again after one failure more than these in a row."""
    return failures + 1 < _GIVE_UP


def after(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return min(_SHORTEST * (1 << min(failures, 10)), _LONGEST)


def not_connected(account: str) -> str:
    """Return that an account has no connection to Xero."""
    return f"'{account}' is not connected to Xero: sbx connect {account}"
