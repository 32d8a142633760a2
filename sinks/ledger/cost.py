"""The cost of queued actions: calls to Xero, minutes, and whether today's calls are enough."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from contracts.json import JsonObject
from runtime.database import Connection, Row, fetch_all
from runtime.sql import load_queries

_SQL = load_queries(__file__)
Work = tuple[str, str, str]
"""Account, entity, action."""
_BATCH = 50
CALLS_A_MINUTE = 60
# Elements that go in batches, and calls of their own, that an action takes when nothing is in Xero yet.
_STEPS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("contact", "created"): (1, 0),
    ("contact", "edited"): (1, 0),
    ("contact", "deleted"): (0, 0),
    ("invoice", "created"): (2, 0),
    ("invoice", "edited"): (2, 0),
    ("invoice", "payment_applied"): (1, 0),
    ("invoice", "refund_applied"): (2, 0),
    ("invoice", "reset"): (1, 1),
    ("invoice", "cancelled"): (2, 1),
    ("invoice", "deleted"): (2, 1),
    ("purchase_order", "created"): (2, 0),
    ("purchase_order", "edited"): (2, 0),
    ("purchase_order", "received"): (2, 0),
    ("purchase_order", "deleted"): (1, 0),
}


def calls_for(work: Mapping[tuple[str, str], int]) -> int:
    """Return about how many calls so many actions, by entity and action, take: full batches, nothing
    refused.
    """
    calls = 0
    for (entity, action), count in work.items():
        kind = "contact" if entity in ("customer", "supplier") else entity
        batched, single = _STEPS[kind, action]
        calls += batched * math.ceil(count / _BATCH) + single * count
    return calls


async def by_account(database: Connection, work: Counter[Work]) -> list[Row]:
    """Return the cost of this work for each account, as of now; see ``accounts_of``."""
    accounts = sorted({account for account, _, _ in work})
    return accounts_of(await fetch_all(database, _SQL["accounts"], [accounts]), work)


def of_all(accounts: Sequence[JsonObject]) -> Row:
    """Return all accounts together, for ``--json``. They work side by side: the slowest gives the minutes."""
    return {
        "calls": sum(account["calls"] for account in accounts),
        "minutes": max((account["minutes"] for account in accounts), default=0),
        "accounts": list(accounts),
    }


def accounts_of(rows: Sequence[JsonObject], work: Counter[Work]) -> list[Row]:
    """Return, by account, the actions that would be done, calls, minutes, and whether today's calls are
    enough.

    Args:
        rows: ``account``, ``connected``, ``paused``, ``day_left`` (none: not known) and ``tenant_id``. The
            accounts of one organisation share its minutes and its day.
    """
    own = {row["account"]: Counter[tuple[str, str]]() for row in rows}
    for (account, entity, action), count in work.items():
        if account in own:
            own[account][entity, action] += count
    calls = {account: calls_for(actions) for account, actions in own.items()}
    together = Counter[str]()
    for row in rows:
        together[_organisation(row)] += calls[row["account"]]
    return [
        {
            **{name: row[name] for name in ("account", "connected", "paused", "day_left")},
            "actions": own[row["account"]].total(),
            "calls": calls[row["account"]],
            "minutes": math.ceil(together[_organisation(row)] / CALLS_A_MINUTE),
            "enough_today": row["day_left"] is None or together[_organisation(row)] <= row["day_left"],
        }
        for row in rows
    ]


def _organisation(row: JsonObject) -> str:
    """Return the key that accounts which share their limits have in common."""
    return row.get("tenant_id") or f"account {row['account']}"
