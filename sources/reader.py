"""Read one account: choose a request, ask it, keep what it says in one transaction, publish what it told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import psycopg
import structlog

from runtime import metrics
from runtime.crash_points import crash_point
from runtime.database import Connection
from runtime.trouble import about_the_database
from sources.client import NoAnswer
from sources.company import Company
from sources.keeper import Keeper
from sources.misses import Misses
from sources.odd import broken, refused_list
from sources.problems import Unreadable
from sources.salesbinder.verdicts import Answer
from sources.schedule.budget import blocked_until
from sources.schedule.choice import (
    ListRequest,
    Pause,
    Request,
    is_background,
    next_request,
)
from sources.schedule.questions import Question, question
from sources.store import keeping, store
from sources.store.store import Account, Lease

log = structlog.stdlib.get_logger(__name__)

Published = tuple[str, bytes, bytes]
"""Topic, key, value."""
Publish = Callable[[Sequence[Published]], Awaitable[None]]
"""Returns once the broker has all of them, those of one key in their order."""

_BATCH: Final = 500
_RENEW_EVERY: Final = store.LEASE_SECONDS / 4
"""Seconds between two renewals of the lease while events are being published."""


class Asks(Protocol):
    """A client of SalesBinder's API."""

    async def ask(self, question: Question) -> Answer:
        """Return the answer."""


class KeyChanged(Exception):
    """The account has another key than its reader: it must not ask with the old one again."""


class Reader:
    """Reads an account under a lease."""

    def __init__(
        self, connection: Connection, lease: Lease, client: Asks, publish: Publish, key: bytes
    ) -> None:
        """Take the parts; ``key`` is the client's, encrypted as the database has it."""
        self._connection, self._lease, self._client, self._publish = connection, lease, client, publish
        self._key = key
        self._account = lease.account
        self._keeper = Keeper(connection, lease)
        self._misses = Misses(connection, lease, self._keeper)
        self._company = Company(connection, lease, self._misses)

    async def turn(self) -> float:
        """Make one request, or none; return the seconds until the next may be due.

        Raises:
            LeaseLost: another worker has the account.
            KeyChanged: the account was given another key.
            psycopg.Error: the database is away; nothing of the answer is kept, and it is asked for again.
        """
        await self._tell()
        async with store.fenced(self._connection, self._lease):
            account = await store.load(self._connection, self._account)
            if account.key != self._key:
                raise KeyChanged(self._account)
            request = await self._next_request(account)
            if isinstance(request, Pause):
                return max((request.until - account.now).total_seconds(), 0.0)
            await store.add_call(
                self._connection,
                self._account,
                account.now,
                background=is_background(request),
                hinted=request.is_hinted,
            )
            crash_point("question.before_commit")
        crash_point("question.after_commit")
        try:
            answer = await self._client.ask(question(request))
        except NoAnswer as error:
            metrics.SOURCE_CALLS.labels(request.why, "no_answer").inc()
            if account.is_unproven:
                await self._company.take(account, None)
            else:
                await self._misses.failure(account, request, str(error))
            return 0.0
        metrics.SOURCE_CALLS.labels(request.why, answer.verdict).inc()
        if account.is_unproven:
            await self._company.take(account, answer)
            return 0.0
        await self._take(account, request, answer)
        await self._tell()
        return 0.0

    async def _next_request(self, account: Account) -> Request | Pause:
        if account.is_unproven:
            return await self._company.next_request(account)
        return next_request(account.standing, account.now)

    async def _tell(self) -> None:
        if self._keeper.may_be_untold:
            await self.publish()

    async def publish(self) -> None:
        """Publish what is in the outbox, in its order; what the broker has, goes."""
        while True:
            async with store.fenced(self._connection, self._lease):
                rows = await keeping.to_tell(self._connection, self._account, _BATCH)
            if not rows:
                break
            crash_point("telling.before_publish")
            await self._until_published([row[1:] for row in rows])
            async with store.fenced(self._connection, self._lease):
                await keeping.told(self._connection, [row[0] for row in rows])
                crash_point("telling.before_commit")
            crash_point("telling.after_commit")
            if len(rows) < _BATCH:
                break
        self._keeper.may_be_untold = False

    async def _until_published(self, events: Sequence[Published]) -> None:
        """Wait until the broker has them, however long it is away.

        Within no transaction, which the database would end; the lease is renewed meanwhile, so that no other
        worker publishes the same.
        """
        sending = asyncio.ensure_future(self._publish(events))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=_RENEW_EVERY)
                if not sending.done():
                    async with store.fenced(self._connection, self._lease):
                        pass
            sending.result()
        finally:
            sending.cancel()

    async def _take(self, account: Account, request: Request, answer: Answer) -> None:
        verdict = answer.verdict
        if verdict in ("answered", "not_there"):
            try:
                if answer.verdict == "not_there" and _is_first_page(request):
                    await self._misses.missing(account, request, refused_list(answer))
                    return
                await self._keeper.answer(account, request, answer)
            except Unreadable as wrong:
                await self._misses.missing(account, request, wrong)
            except store.LeaseLost:
                raise
            except Exception as error:
                if isinstance(error, psycopg.Error) and about_the_database(error):
                    raise
                # One answer that nobody foresaw must not stop the reading of all others.
                log.exception("an answer cannot be kept", account=self._account, why=request.why)
                await self._misses.put_off(account, request, broken(error))
        elif verdict == "blocked":
            until = blocked_until(account.now, account.failures + 1, answer.retry_after)
            await self._misses.trouble(account, "salesbinder_blocked", "429", until)
        elif verdict in ("key_refused", "not_permitted"):
            await self._misses.refused(account, request, answer)
        else:
            await self._misses.failure(account, request, str(answer.status))


def _is_first_page(request: Request) -> bool:
    """Return True for the first page of a list, which is there if the list is."""
    return isinstance(request, ListRequest) and request.scan.page == 1
