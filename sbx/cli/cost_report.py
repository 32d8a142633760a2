"""Report the cost of queued actions for an account."""

from collections.abc import Mapping
from typing import Any

from sbx.cli.terminal import plural


def account_text(account: Mapping[str, Any]) -> str:
    """Return one account's share of the work (see ``sinks.ledger.cost``) as one line."""
    text = (
        f"{account['account']}: {plural(account['actions'], 'action')}, "
        f"about {plural(account['calls'], 'call')} to Xero, {plural(account['minutes'], 'minute')}"
    )
    if not account["enough_today"]:
        text += f"; only {plural(account['day_left'], 'call')} left today, the rest waits"
    if not account["connected"]:
        text += f"; not connected, they would fail: run 'sbx connect {account['account']}' first"
    if account["paused"]:
        text += f"; paused, they would wait for 'sbx resume {account['account']}'"
    return text
