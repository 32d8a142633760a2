"""How the connected accounts stand, for status, page and metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from runtime.database import Connection, fetch_all
from runtime.sql import load_queries
from sources.diff.look import Shrunk
from sources.entries import ENTITIES, NEEDS_NOTHING
from sources.schedule.layers import LISTINGS, Change, Lateness, Layer, Listing, Sizes, latenesses
from sources.schedule.scans import Finished, Scan
from sources.schedule.stock import Progress, progress, time_left
from sources.schedule.trust import Evidence, Kind
from sources.trouble import lasts

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class ProblemCount:
    """How often a problem stands."""

    code: str
    count: int
    entries: int
    """Those of them that have an entry in the log: the ones of records."""
    since: datetime
    example: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FeedStanding:
    """How an account's change feed stands."""

    last_at: datetime | None
    """When it was last read to its end."""
    trouble: str
    """In a sentence; blank if there is none."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How an account stands."""

    account: str
    now: datetime
    connected_at: datetime
    is_read: bool
    """Whether a worker reads it."""
    trouble: str | None
    """A reason code of the catalogue; none if SalesBinder answers."""
    trouble_text: str
    trouble_since: datetime | None
    held_until: datetime | None
    calls: int
    """In the last minute."""
    untold: int
    """Events that the broker does not have yet."""
    wanted: int
    """Details that are to be read."""
    history: int
    """Documents from before the connection that are still to be told."""
    stock: Mapping[Listing, Progress]
    trust: Mapping[Kind, Evidence]
    finished: Mapping[str, Finished]
    problems: Sequence[ProblemCount]
    feed: FeedStanding | None = None
    """None unless version 3's change feed is followed."""
    compared_at: datetime | None = None
    """When the last comparison with Xero ended; none if there was none."""
    comparison_error: str | None = None
    """Why that one did not succeed; none if it did."""
    deep_due: int = 0
    """Deep reads that are due."""
    deep_since: datetime | None = None
    """From when the oldest of them is; none if none is due."""
    shrunk: Shrunk = "correction"
    """How a payment that becomes smaller is read."""

    @property
    def needs_somebody(self) -> bool:
        """Return True if it does not go on by itself: nobody reads it, or SalesBinder gives no answers."""
        if self.trouble is None or self.trouble_since is None:
            return not self.is_read
        return lasts(self.trouble, self.trouble_since, self.now)

    @property
    def stock_is_taken(self) -> bool:
        """Return True once every row was read."""
        return all(each.is_done for each in self.stock.values())

    @property
    def stock_share(self) -> float:
        """Return which part of the rows was read once; 0 before each list was asked."""
        if self.stock_is_taken:
            return 1.0
        if any(each.count is None for each in self.stock.values()):
            return 0.0
        total = sum(each.count or 0 for each in self.stock.values())
        return min(sum(each.rows for each in self.stock.values()) / max(total, 1), 0.999)

    @property
    def stock_left(self) -> timedelta | None:
        """Return how long the stock-taking still takes; none while nobody knows."""
        return time_left(self.stock)

    def age(self, layer: Layer) -> timedelta | None:
        """Return how long ago the layer was last read whole; none if it never was."""
        found = [self.finished.get(f"{layer}/{listing}") for listing in LISTINGS[layer]]
        if layer == "open":
            found = [done for key, done in self.finished.items() if key.startswith("open/")]
        times = [done.started for done in found if done is not None]
        return self.now - min(times) if times and len(times) == len(found) else None

    @property
    def lateness(self) -> Mapping[Change, Lateness]:
        """Return how late a change of each kind can be seen at most while SalesBinder answers."""
        rows = sum(done.count for key, done in self.finished.items() if key.startswith("all/"))
        return latenesses(self.trust, Sizes(rows, self.wanted, self.deep_due))

    @property
    def deep_overdue(self) -> timedelta:
        """Return for how long the oldest deep read that is due has been."""
        return timedelta(0) if self.deep_since is None else self.now - self.deep_since


async def overviews(connection: Connection, accounts: Sequence[str] | None) -> list[Overview]:
    """Return how these accounts stand, or all that are connected."""
    wanted = {
        "accounts": None if accounts is None else list(accounts),
        "entities": sorted(ENTITIES),
        "unlogged": sorted(NEEDS_NOTHING),
    }
    rows = await fetch_all(connection, _SQL["accounts"], wanted)
    scans = await fetch_all(connection, _SQL["scans"], wanted)
    problems = await fetch_all(connection, _SQL["problems"], wanted)
    return [_overview(row, scans, problems) for row in rows]


def _overview(row: Mapping[str, Any], scans: Sequence[Any], problems: Sequence[Any]) -> Overview:
    own = [each for each in scans if each["account"] == row["account"]]
    finished = {
        each["key"]: msgspec.json.decode(each["finished"], type=Finished) for each in own if each["finished"]
    }
    going = {each["key"]: msgspec.json.decode(each["scan"], type=Scan) for each in own if each["scan"]}
    names = (
        "account now connected_at is_read trouble trouble_text trouble_since held_until calls untold wanted "
        "history compared_at comparison_error deep_due deep_since shrunk"
    )
    return Overview(
        **{name: row[name] for name in names.split()},
        stock=progress(finished, going),
        trust=msgspec.json.decode(row["trust"], type=dict[Kind, Evidence]),
        finished=finished,
        problems=[
            ProblemCount(
                each["code"],
                each["count"],
                each["entries"],
                each["since"],
                each["example"],
                each["remedy"],
            )
            for each in problems
            if each["account"] == row["account"]
        ],
        feed=FeedStanding(row["feed_at"], row["feed_trouble"]) if row["feed_trouble"] is not None else None,
    )
