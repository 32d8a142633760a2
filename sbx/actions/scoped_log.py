"""The log as one actor may see it; pages and API read the log only through this."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from log_projection import losses, queries, story
from log_projection.losses import Removed
from log_projection.paging import Cursor, Order
from log_projection.queries import Filters, Hits, Row
from log_projection.story import Record, Story
from sbx.actions.actors import Actor, Connection
from sbx.actions.refused import ActionRefused

NEWEST_FIRST = Order(descending=True)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the log."""

    rows: list[Row]
    newer: bool
    """Whether there may be entries before it."""
    older: bool
    """Whether there may be entries after it."""


class VisibleLog:
    """Asks every question for the actor's accounts only."""

    def __init__(self, connection: Connection, actor: Actor) -> None:
        self._connection = connection
        self._user = actor
        self._accounts = actor.accounts

    def entries(
        self,
        filters: Filters,
        *,
        limit: int | None = None,
        order: Order = NEWEST_FIRST,
        after: Cursor | None = None,
    ) -> AsyncIterator[Row]:
        """Return the entries that match; see ``queries.entries``."""
        within = replace(filters, accounts=self._accounts)
        return queries.entries(self._connection, within, limit=limit, order=order, after=after)

    async def page(
        self,
        filters: Filters,
        limit: int,
        after: Cursor | None = None,
        before: Cursor | None = None,
        order: Order = NEWEST_FIRST,
    ) -> Page:
        """Return at most ``limit`` entries in this order: after ``after``, or right before ``before``."""
        forwards = before is None
        cursor = after if forwards else before
        walked = replace(order, backwards=not forwards)
        found = self.entries(filters, limit=limit + 1, order=walked, after=cursor)
        rows = [row async for row in found]
        more, rows = len(rows) > limit, rows[:limit]
        if forwards:
            return Page(rows, newer=after is not None, older=more)
        return Page(rows[::-1], newer=more, older=True)

    async def entry(self, entry_id: str) -> Row | None:
        """Return one entry, or None."""
        return await queries.entry(self._connection, entry_id, self._accounts)

    async def existing(self, entry_id: str) -> Row:
        """Return one entry.

        Raises:
            ActionRefused: there is none, or the actor may not see it.
        """
        entry = await self.entry(entry_id)
        if entry is None:
            raise no_entry()
        return entry

    async def story(self, record: Record) -> Story | None:
        """Return everything known about a record; None if the actor may not see it."""
        return await story.tell(self._connection, record) if self._user.sees(record.account) else None

    async def attempts(self, entry_id: str) -> list[Row]:
        """Return the calls made for an entry; empty if the actor may not see it."""
        if await self.entry(entry_id) is None:
            return []
        return await queries.attempts(self._connection, [entry_id])

    async def steps(self, entry_id: str) -> list[Row]:
        """Return every step of an entry; empty if the actor may not see it."""
        if await self.entry(entry_id) is None:
            return []
        return await queries.steps(self._connection, [entry_id])

    async def counts(self, filters: Filters) -> list[Row]:
        """Return how many match; see ``queries.counts``."""
        return await queries.counts(self._connection, replace(filters, accounts=self._accounts))

    async def hits(self, filters: Filters) -> Hits:
        """Count what matches, by state; see ``queries.hits``."""
        return await queries.hits(self._connection, replace(filters, accounts=self._accounts))

    async def issues(
        self,
        account: str | None = None,
        *,
        ids: Collection[str] | None = None,
        without: Collection[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Row]:
        """Return groups of current failures, largest first; see ``queries.issues``."""
        return await queries.issues(
            self._connection, account, self._accounts, ids=ids, without=without, limit=limit, offset=offset
        )

    async def issue_totals(self, account: str | None = None) -> Row:
        """Return how many issues there are, and how many entries in them."""
        return await queries.issue_totals(self._connection, account, self._accounts)

    async def failed_of(self, issue_ids: Sequence[str], most: int) -> dict[str, list[Row]]:
        """Return the newest failures of each of these issues, by issue id."""
        return await queries.failed_of(self._connection, issue_ids, most, self._accounts)

    async def summary(self, account: str | None = None) -> list[Row]:
        """Return counts and holds, one row per account."""
        return await queries.summary(self._connection, account, self._accounts)

    async def replays(self, replay_id: int | None = None, *, running: bool = False) -> list[Row]:
        """Return replays of the actor's accounts, newest first."""
        return await queries.replays(self._connection, replay_id, self._accounts, running=running)

    async def lost_commands(self, limit: int, entry_id: str | None = None) -> list[Row]:
        """Return entries whose commands were lost; see ``losses.lost_commands``."""
        return await losses.lost_commands(
            self._connection, limit=limit, accounts=self._accounts, entry_id=entry_id
        )

    async def removed_unread(self) -> list[Removed]:
        """Return the offsets that were removed from topics unread; only for actors who see all accounts."""
        return await losses.removed_unread(self._connection) if self._accounts is None else []

    async def hours(self, since: datetime) -> list[Row]:
        """Return the entries that arrived in each hour of a day, by their current state."""
        return await queries.hours(self._connection, since, self._accounts)

    async def speeds(self, since: datetime) -> list[Row]:
        """Return how long it took from arrival to Xero."""
        return await queries.speeds(self._connection, since, self._accounts)

    async def changes(self, after: int, limit: int) -> list[Row]:
        """Return which entries changed after a position."""
        return await queries.changes(self._connection, after, limit, self._accounts)

    async def position(self) -> int:
        """Return the newest position."""
        return await queries.position(self._connection)


def no_entry() -> ActionRefused:
    """Return the refusal of an entry that does not exist or is not visible; both look the same."""
    message = "There is no such entry, or it belongs to an account that you cannot see."
    return ActionRefused("not_found", message)
