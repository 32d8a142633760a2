"""Follow one account's feed of changes beside its reader: what it names is looked at first."""

from datetime import timedelta
from typing import Final

from runtime.database import Connection
from sources.feed import EVERY, Feed, FeedTrouble
from sources.store import feeds

_MORE: Final = timedelta(seconds=1)
"""Until the next page: one that never says that it is the last must not be asked without end."""
_SHORTEST: Final = timedelta(seconds=30)
_LONGEST: Final = timedelta(minutes=10)


class Follower:
    """Follows a feed; a crash reads the same again."""

    def __init__(self, connection: Connection, account: str, feed: Feed, key: bytes) -> None:
        """Take the parts; ``key`` is the feed's, encrypted as the database has it."""
        self._connection, self._account, self._feed, self._key = connection, account, feed, key

    async def turn(self) -> float | None:
        """Ask once, if it is time; return the seconds until the next time, none if it is followed no more.

        Raises:
            psycopg.Error: the database is away.
        """
        kept = await feeds.load(self._connection, self._account, self._key)
        if kept is None:
            return None
        if kept.held_until is not None and kept.held_until > kept.now:
            return (kept.held_until - kept.now).total_seconds()
        try:
            found = await self._feed.changes(kept.cursor)
        except FeedTrouble as trouble:
            wait = max(min(_SHORTEST * (1 << min(kept.failures, 10)), _LONGEST), trouble.wait or timedelta(0))
            until = kept.now + wait
            await feeds.keep_trouble(self._connection, self._account, self._key, str(trouble), until)
            return wait.total_seconds()
        whole = not found.is_more
        await feeds.read(self._connection, self._account, self._key, found.cursor, found.ids, whole=whole)
        return (EVERY if whole else _MORE).total_seconds()
