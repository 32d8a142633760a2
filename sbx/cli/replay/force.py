"""``sbx replay --force``: what is done is compared with Xero, and what differs there is sent again.

The same reading, comparison and sending as ``sbx drift --resend``, for the records of a selection.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from connections import store
from runtime.environment import Environment
from sbx.cli import drift
from sbx.cli.drift import Stopped
from sbx.cli.errors import OperationFailed
from sinks.drift import acts
from sinks.drift.acts import Selection
from sinks.ledger.cost import CALLS_A_MINUTE

Done = Mapping[str, Sequence[str]]
"""By account: records of which all that was selected is done, as ``invoice/ID``."""


@dataclass
class Compared:
    """What a comparison has come to."""

    records: int = 0
    differing: int = 0
    """Fields that Xero shows otherwise and that can be put right by sending again."""
    resent: list[str] = field(default_factory=list)
    """Ids of the actions that were queued."""
    left: dict[str, str] = field(default_factory=dict)
    """Accounts that could not be read, and why."""


async def forecast(database: psycopg.AsyncConnection[Any], done: Done) -> list[dict[str, Any]]:
    """By account: how many records would be compared by how many calls, in how many minutes at least, and
    what was found to differ when the books were read last. Asks Xero nothing.
    """
    found = []
    for account, records in sorted(done.items()):
        connected = await store.load_connection(database, account)
        if connected is None:
            continue
        calls = (await acts.plan_records(database, account, records)).calls
        rows = await drift.proposed(database, connected, Selection(records=tuple(records)))
        found.append(
            {
                "account": account,
                "records": len(records),
                "calls": calls,
                "minutes": -(-calls // CALLS_A_MINUTE),
                "differences": [row for row in rows if row["proposal"] == "resend"],
            }
        )
    return found


async def compare(
    used: Environment, database: psycopg.AsyncConnection[Any], done: Done, actor: str, stopped: Stopped
) -> Compared | None:
    """Have the lanes read these records, and send again what differs; none when it was stopped.

    What was sent is sent: another run compares anew.
    """
    came = Compared()
    for account, records in sorted(done.items()):
        try:
            connected = await drift.readable(used, database, account)
            plan = await acts.plan_records(database, account, records)
            if not await drift.have_read(database, account, plan, stopped):
                return None
        except OperationFailed as error:
            came.left[account] = f"{error}: {error.remedy}" if error.remedy else str(error)
            continue
        rows = await drift.proposed(database, connected, Selection(records=tuple(records)))
        rows = [row for row in rows if row["proposal"] == "resend"]
        came.records += len(records)
        came.differing += len(rows)
        came.resent += await acts.resend(database, account, rows, actor)
    return came
