"""The state of each account: connection, holds, counts, speed, the rest of Xero's limits, and its last
day.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from log_projection.queries import Row
from runtime.database import fetch_all
from runtime.sql import load_queries
from sbx.actions import source
from sbx.actions.scoped_log import VisibleLog
from sbx.actions.setup import setups
from sbx.web.auth.sessions import User
from sbx.web.database import Connection
from sbx.web.view.charts import Chart, Hour, day_chart
from sources.store.overview import Overview

MINUTE_LIMIT = 60
"""Calls per minute that Xero allows, per organisation."""
_BUDGET_AGE = timedelta(minutes=1)
"""After this, Xero's minute is over and its limit is fresh."""
_NOTHING: Row = {
    "queued": 0,
    "running": 0,
    "failed": 0,
    "completed": 0,
    "oldest_waiting_at": None,
    "oldest_waiting_seconds": None,
    "last_activity": None,
    "held": None,
    "held_reason": None,
    "held_remedy": None,
    "held_until": None,
}

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Standing:
    """One account."""

    account: str
    """``""`` collects unreadable events whose account is not known."""
    connection: Row | None
    """None if it was never connected."""
    counts: Row
    speed: Row | None
    """None if nothing was posted in the last day."""
    chart: Chart
    source: Overview | None = None
    """How SalesBinder is read for it; none if others publish its changes."""
    steps_left: int = 0
    """Of its set-up; 0 once it is set up, or if it was connected step by step."""

    @property
    def paused(self) -> bool:
        """True if an operator, or the account itself, paused it."""
        return self.connection is not None and self.connection["paused_at"] is not None

    @property
    def condition(self) -> str:
        """The most important condition: ``lost``, ``unread``, ``setup``, ``paused``, ``held``, ``failing``,
        ``settings``, ``unconnected`` or ``well``.
        """
        if self.connection is not None and self.connection["status"] == "lost":
            return "lost"
        if self.source is not None and self.source.needs_somebody:
            return "unread"
        if self.steps_left:
            return "setup"
        if self.connection is None:
            return "unconnected"
        if self.paused:
            return "paused"
        if self.counts["held"]:
            return "held"
        if self.counts["failed"]:
            return "failing"
        return "settings" if self.settings_missing else "well"

    @property
    def settings_missing(self) -> list[str]:
        """The settings without which documents will fail: nobody has set them. A shop of which documents are
        in Xero already needs no tax rate.
        """
        if self.connection is None:
            return []
        missing: list[str] = self.connection["settings_missing"]
        return [key for key in missing if key == "payment_account" or not self.counts["completed"]]

    @property
    def worker(self) -> str | None:
        """Name of the deliver worker that has it; None if nobody has, as while there is nothing to do."""
        return None if self.connection is None else self.connection["worker"]

    @property
    def minute_left(self) -> int | None:
        """Calls left of Xero's minute; None if no call was made yet."""
        if self.connection is None or self.connection["minute_left"] is None:
            return None
        age = datetime.now(UTC) - self.connection["counted_at"]
        return MINUTE_LIMIT if age > _BUDGET_AGE else int(self.connection["minute_left"])


async def standings(connection: Connection, user: User, now: datetime) -> list[Standing]:
    """Return every account that the user can see, by name; the page puts those that need attention first."""
    since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    visible = VisibleLog(connection, user)
    sources = {found.account: found for found in await source.standing(connection, user)}
    connected = {row["account"]: row for row in await _accounts(connection, user)}
    counts = {row["account"]: row for row in await visible.summary()}
    setting_up = await setups.counted(connection, user)
    speeds = {row["account"]: row for row in await visible.speeds(now - timedelta(days=1))}
    hours: dict[str, list[Hour]] = {}
    for row in await visible.hours(since):
        hour = Hour(row["hour"], row["completed"], row["failed"], row["waiting"])
        hours.setdefault(row["account"], []).append(hour)
    return [
        Standing(
            account,
            connected.get(account),
            counts.get(account, _NOTHING),
            speeds.get(account),
            day_chart(since, hours.get(account, [])),
            sources.get(account),
            setting_up.get(account, 0),
        )
        for account in sorted(connected.keys() | counts.keys() | sources.keys() | setting_up.keys())
    ]


async def _accounts(connection: Connection, user: User) -> list[dict[str, Any]]:
    parameters = {"accounts": None if user.accounts is None else list(user.accounts)}
    return await fetch_all(connection, _SQL["accounts"], parameters, prepare=False)
