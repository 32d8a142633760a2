"""``sbx replay --force``: compare completed actions with Xero, and send again those that differ.

Reads, compares and sends like ``sbx drift --resend``, but for the records of a selection.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from connections import store
from log_projection.queries import Row
from sbx.actions import drift
from sbx.actions.actors import Actor, Connection, OneConnection
from sbx.actions.drift import Follow, Stopped
from sbx.actions.refused import ActionRefused
from sinks.drift import acts
from sinks.drift.acts import ReadingPlan, Selection
from sinks.ledger.cost import CALLS_A_MINUTE

Done = Mapping[str, Sequence[str]]
"""By account: records whose selected actions are all done, as ``invoice/ID``."""


Following = Callable[[str, ReadingPlan], AbstractContextManager[Follow]]
"""Shows the scope of a reading of an account, and then its progress."""


@dataclass
class Compared:
    """The result of a comparison."""

    records: int = 0
    differing: int = 0
    """Differing fields in Xero that sending again can fix."""
    resent: list[str] = field(default_factory=list)
    """Ids of the actions that were queued again."""
    left: dict[str, str] = field(default_factory=dict)
    """Accounts that could not be read, and why."""


async def forecast(database: Connection, actor: Actor, done: Done) -> list[dict[str, Any]]:
    """Return, by account, how many records would be compared, with how many calls, in how many minutes at
    least, and how many differed when the books were last read. Does not call Xero.
    """
    found = []
    for account, records in sorted(done.items()):
        if await store.load_connection(database, account) is None:
            continue
        calls = (await acts.plan_records(database, account, records)).calls
        found.append(
            {
                "account": account,
                "records": len(records),
                "calls": calls,
                "minutes": -(-calls // CALLS_A_MINUTE),
                "differences": await _to_resend(database, actor, account, records),
            }
        )
    return found


async def compare(
    database: Connection, actor: Actor, done: Done, following: Following, stopped: Stopped
) -> Compared | None:
    """Have the lanes read these records, and send again those that differ; return None if it was stopped.

    Actions that were sent again before it was stopped stay; another run compares again.
    """
    came, lent = Compared(), OneConnection(database)
    for account, records in sorted(done.items()):
        try:
            plan, run = await drift.read(lent, actor, account, records=records)
            with following(account, plan) as follow:
                if not await drift.until_read(database, account, run["run_id"], follow, stopped):
                    return None
        except ActionRefused as error:
            came.left[account] = f"{error}: {error.remedy}" if error.remedy else str(error)
            continue
        rows = await _to_resend(database, actor, account, records)
        came.records += len(records)
        came.differing += len(rows)
        came.resent += await acts.resend(database, account, rows, actor.name)
    return came


async def _to_resend(database: Connection, actor: Actor, account: str, records: Sequence[str]) -> list[Row]:
    """Return the differences of these records that can be fixed by sending again."""
    state = await drift.load(database, actor, account, Selection(records=tuple(records)))
    return [row for row in state.differences if row["proposal"] == "resend"]
