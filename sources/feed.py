"""A feed of changes as a second hint beside webhooks: ids alone, never trusted, and never needed.

The one there is: ``GET /sync`` of SalesBinder's API 3, which is described by others' programs only. It has a
key and an allowance of its own (120 calls a minute), so it costs nothing of version 2's.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from sources.client import Client, NoAnswer, UnsafeAddress, api_address
from sources.hints import ids_in
from sources.problems import Unreadable
from sources.salesbinder.answers import read_json
from sources.schedule.questions import Question

EVERY: Final = timedelta(seconds=15)
"""From one look to the next."""
_RESOURCES: Final = "invoice,purchase_order"
_LIMIT: Final = 100
_LONGEST_CURSOR: Final = 16_384
"""SalesBinder's have up to 8 KB."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a feed told."""

    ids: tuple[str, ...]
    cursor: str | None
    """Where it goes on; none if it cannot, and what changed since the last answer is not known."""
    is_more: bool


class FeedTrouble(Exception):
    """The feed cannot be read; ``str()`` says why and what to do."""

    def __init__(self, text: str, wait: timedelta | None = None) -> None:
        self.wait = wait
        """How long to leave it alone; none: as usual."""
        super().__init__(text)


class Feed(Protocol):
    """Something that tells which records changed."""

    async def changes(self, cursor: str | None) -> Changes:
        """Return what changed after the cursor; without one, where the feed stands now.

        Raises:
            FeedTrouble: it cannot be read now.
        """


def feed_address(account: str, template: str | None = None) -> str:
    """Return the address of an account's API 3, which lies beside that of version 2.

    Raises:
        UnsafeAddress: as ``api_address``, or nobody knows where it lies.
    """
    address = api_address(account, template)
    beside = address.removesuffix("/2.0")
    if beside == address:
        raise UnsafeAddress(
            f"SBX_SALESBINDER_API_URL is {address}, which does not end with /2.0: the change feed of version "
            "3 cannot be found beside it"
        )
    return f"{beside}/v3"


class SyncFeed:
    """``GET /sync`` of API 3."""

    def __init__(self, client: Client) -> None:
        """Take a client of version 3's address (``feed_address``) that sends its key as a bearer token."""
        self._client = client

    async def changes(self, cursor: str | None) -> Changes:
        """Return what changed after the cursor; without one, where the feed stands now.

        Raises:
            FeedTrouble: it cannot be read now.
        """
        asked = {"start": "now", "resources": _RESOURCES} if cursor is None else {"cursor": cursor}
        if cursor is not None:
            asked["limit"] = str(_LIMIT)
        try:
            answer = await self._client.ask(Question("sync", asked))
        except NoAnswer as error:
            raise FeedTrouble(f"no answer ({error}): nothing is needed if it passes") from None
        if answer.status in (400, 409) and cursor is not None:
            # The cursor is too old, or of another key: what came since is found without the feed.
            return Changes((), None, True)
        if answer.verdict in ("key_refused", "not_permitted"):
            raise FeedTrouble(
                f"SalesBinder refuses the key ({answer.status}): give one of version 3 that may read "
                "invoices and purchase orders",
                timedelta(minutes=10),
            )
        if answer.verdict != "answered":
            raise FeedTrouble(f"no use of the answer ({answer.status})", answer.retry_after)
        try:
            return _read(read_json(answer.body), is_start=cursor is None)
        except Unreadable as wrong:
            raise FeedTrouble(f"the answer cannot be read: {wrong.field}: {wrong.problem}") from wrong


def _read(body: Any, *, is_start: bool) -> Changes:
    """Return what an answer tells.

    Raises:
        Unreadable: it is something else.
    """
    found = body if isinstance(body, dict) else {}
    cursor = found.get("cursor" if is_start else "next_cursor")
    if not isinstance(cursor, str) or not 0 < len(cursor) <= _LONGEST_CURSOR or "\0" in cursor:
        raise Unreadable("cursor", cursor, "there is none that could be sent again", "")
    rows = found.get("changes", [])
    if not isinstance(rows, list):
        raise Unreadable("changes", rows, "it is no list", "")
    named = (str(row.get("id", "")) for row in rows if isinstance(row, dict))
    ids = dict.fromkeys(each for text in named for each in ids_in(text.encode(errors="replace")))
    return Changes(tuple(ids), cursor, found.get("has_more") is True)
