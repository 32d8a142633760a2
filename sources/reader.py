"""Read one account: choose a request, ask it, keep what it says in one transaction, publish what it told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import psycopg
import structlog

from runtime import metrics
from runtime.crash_points import crash_point
from runtime.database import Connection
from runtime.trouble import about_the_database
from sources.client import NoAnswer
from sources.details import again, nothing_is_there, put_off, read_any_detail, subject_of
from sources.diff.look import Look
from sources.odd import broken, failing, note_clock, note_oddity, refused_list, refused_record
from sources.problems import Unreadable
from sources.reading import (
    Batch,
    Context,
    ids_of,
    newest_of,
    newest_then,
    read_page,
    rows_of,
    with_strange_rows,
)
from sources.salesbinder.answers import read_list
from sources.salesbinder.verdicts import Answer
from sources.schedule.budget import blocked_until
from sources.schedule.choice import (
    DetailRequest,
    ListRequest,
    Pause,
    Request,
    is_background,
    next_request,
)
from sources.schedule.layers import LISTINGS, Listing
from sources.schedule.questions import RESOURCES, Question, question
from sources.schedule.scans import Finished, Step, after_no_page, after_page, scan_key, with_fewer_rows
from sources.schedule.trust import may_relax, noted
from sources.store import store
from sources.store.store import Account, Lease

log = structlog.stdlib.get_logger(__name__)

Published = tuple[str, bytes, bytes]
"""Topic, key, value."""
Publish = Callable[[Sequence[Published]], Awaitable[None]]
"""Returns once the broker has all of them, those of one key in their order."""

_BATCH: Final = 500
_RENEW_EVERY: Final = store.LEASE_SECONDS / 4
"""Seconds between two renewals of the lease while events are being published."""
_LISTS: Final = len({listing for listings in LISTINGS.values() for listing in listings})
"""Refusals in a row of which none is a missing permission: there are no more lists."""
_REFUSED: Final = timedelta(minutes=10)
"""A key or permission that is refused is tried again so often; a new key is tried at once."""
_FAILED: Final = timedelta(minutes=1)
"""A list to which no answer came is left alone for so much longer than the others."""
_OUTAGE: Final = 3
"""After so many failures in a row it is not one record or list, but SalesBinder as a whole."""
_SHORTEST: Final = timedelta(seconds=5)
_LONGEST: Final = timedelta(minutes=10)
_WIDER: Final = (timedelta(0), timedelta(hours=3), timedelta(hours=26))
"""By how much more the delta asks back, each time that it missed something: a day covers every time zone."""


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
        self._may_be_untold = True
        """Whether the outbox may hold something: a reader before this one may have left events there."""

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
            request = next_request(account.standing, account.now)
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
            await self._keep_failure(account, request, str(error))
            return 0.0
        metrics.SOURCE_CALLS.labels(request.why, answer.verdict).inc()
        await self._take(account, request, answer)
        await self._tell()
        return 0.0

    async def _tell(self) -> None:
        if self._may_be_untold:
            await self.publish()

    async def publish(self) -> None:
        """Publish what is in the outbox, in its order; what the broker has, goes."""
        while True:
            async with store.fenced(self._connection, self._lease):
                rows = await store.to_tell(self._connection, self._account, _BATCH)
            if not rows:
                break
            crash_point("telling.before_publish")
            await self._until_published([row[1:] for row in rows])
            async with store.fenced(self._connection, self._lease):
                await store.told(self._connection, [row[0] for row in rows])
                crash_point("telling.before_commit")
            crash_point("telling.after_commit")
            if len(rows) < _BATCH:
                break
        self._may_be_untold = False

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
                    await self._missing(account, request, refused_list(answer))
                    return
                await self._keep(account, request, answer)
            except Unreadable as wrong:
                await self._missing(account, request, wrong)
            except store.LeaseLost:
                raise
            except Exception as error:
                if isinstance(error, psycopg.Error) and about_the_database(error):
                    raise
                # One answer that nobody foresaw must not stop the reading of all others.
                log.exception("an answer cannot be kept", account=self._account, why=request.why)
                await self._put_off(account, request, broken(error))
        elif verdict == "blocked":
            until = blocked_until(account.now, account.failures + 1, answer.retry_after)
            await self._keep_trouble(account, "salesbinder_blocked", "429", until)
        elif verdict in ("key_refused", "not_permitted"):
            await self._refused(account, request, answer)
        else:
            await self._keep_failure(account, request, str(answer.status))

    async def _refused(self, account: Account, request: Request, answer: Answer) -> None:
        """Leave a list alone that the key may not read, all layers of it; if all are refused, it is the key.

        Which status a missing permission has and which a revoked key is not known.
        """
        if account.refusals + 1 >= _LISTS:
            text = str(answer.status)
            await self._keep_trouble(account, "salesbinder_key_refused", text, account.now + _REFUSED)
            return
        wrong = refused_list(answer)
        batch = Batch()
        async with store.fenced(self._connection, self._lease):
            if isinstance(request, DetailRequest):
                wish = account.wishes[request.record_id]
                batch.wanted.append(again(wish, account.now))
                if wish.tries:
                    # The first time it may be the key, of which people are told once.
                    batch.problems.append(refused_record(answer).of(*subject_of(wish)))
            else:
                listing = request.scan.listing
                batch.problems.append(wrong.of(listing, ""))
                layers = [layer for layer, listings in LISTINGS.items() if listing in listings]
                keys = {request.scan.key, *(scan_key(layer, listing) for layer in layers)}
                for key in sorted(keys):
                    await store.hold_scan(self._connection, self._account, key, account.now + _REFUSED)
            await self._keep_batch(account, batch)
            await store.add_refusal(self._connection, self._account)
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")

    async def _missing(self, account: Account, request: Request, wrong: Unreadable) -> None:
        """Leave alone for a while what is not there, or answered with something else; if all lists are, it is
        the account.

        A page for people may come in place of every answer: maintenance, an unpaid bill, a proxy. A list that
        asks for changes may be not there when there are none.
        """
        is_list, is_gone = isinstance(request, ListRequest), wrong.code == "list_refused"
        if is_list and account.missing + 1 >= _LISTS and not (is_gone and _is_filtered(request)):
            trouble = "salesbinder_account_gone" if is_gone else "salesbinder_unavailable"
            until = account.now + (_REFUSED if is_gone else _wait(account))
            await self._keep_trouble(account, trouble, wrong.problem, until)
            return
        await self._put_off(account, request, wrong, counts=is_list)

    async def _put_off(
        self, account: Account, request: Request, wrong: Unreadable, *, counts: bool = False
    ) -> None:
        """Leave something alone for a while; all else goes on. ``counts``: as a list that is missing."""
        batch = Batch()
        async with store.fenced(self._connection, self._lease):
            if isinstance(request, DetailRequest):
                wish = account.wishes[request.record_id]
                batch.problems.append(wrong.of(*subject_of(wish)))
                batch.wanted.append(again(wish, account.now))
            else:
                batch.problems.append(wrong.of(request.scan.listing, request.scan.layer))
                await store.hold_scan(
                    self._connection, self._account, request.scan.key, account.now + _REFUSED
                )
            await self._keep_batch(account, batch)
            if counts:
                await store.add_missing(self._connection, self._account)
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")

    async def _keep_failure(self, account: Account, request: Request, text: str) -> None:
        """Let the account wait, and what was asked for longer than all else: one record or list that
        SalesBinder cannot show must not hold up the others. If it fails again, and is not one of many, it is
        reported.
        """
        at = account.now + _wait(account)
        batch, is_alone = Batch(), account.failures < _OUTAGE
        async with store.fenced(self._connection, self._lease):
            if isinstance(request, DetailRequest):
                wish = account.wishes[request.record_id]
                batch.wanted.append(put_off(wish, at))
                is_alone, place = is_alone and wish.tries > 0, subject_of(wish)
            else:
                scan = request.scan
                is_alone, place = is_alone and scan.key in account.standing.held, (scan.listing, scan.layer)
                if is_alone:
                    fewer = Step(state="again", scan=with_fewer_rows(scan))
                    await store.keep_scan(self._connection, self._account, fewer, account.now, None)
                await store.hold_scan(self._connection, self._account, scan.key, at + _FAILED)
            if is_alone:
                batch.problems.append(failing(text).of(*place))
            await self._keep_batch(account, batch)
            await store.keep_trouble(self._connection, self._account, "salesbinder_unavailable", text, at)
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")

    async def _keep_trouble(self, account: Account, trouble: str, text: str, until: datetime) -> None:
        async with store.fenced(self._connection, self._lease):
            await store.keep_trouble(self._connection, self._account, trouble, text, until)
            crash_point("source_trouble.before_commit")
        crash_point("source_trouble.after_commit")

    async def _keep(self, account: Account, request: Request, answer: Answer) -> None:
        """Keep all that an answer says in one transaction: records, events, scan, what was learnt."""
        at = answer.date or account.now
        async with store.fenced(self._connection, self._lease):
            context = Context(
                Look(self._account, at, account.shrunk),
                account.connected or at,
                now=account.now,
                is_relaxed=may_relax(account.standing.trust),
            )
            if isinstance(request, DetailRequest):
                batch = await self._detail(account, request, answer, context)
            else:
                batch = await self._listed(account, request, answer, context)
            note_clock(answer.date, account.now, batch)
            await self._keep_batch(account, batch)
            await self._learn(account, request, batch, at, is_there=answer.verdict == "answered")
            crash_point("seen.before_commit")
        crash_point("seen.after_commit")

    async def _keep_batch(self, account: Account, batch: Batch) -> None:
        has_problems = account.has_problems
        if await store.keep(self._connection, self._account, batch, has_problems=has_problems):
            self._may_be_untold = True

    async def _detail(
        self, account: Account, request: DetailRequest, answer: Answer, context: Context
    ) -> Batch:
        wish = account.wishes[request.record_id]
        found = await store.kept(self._connection, self._account, [wish.record_id])
        if answer.verdict == "not_there" and account.missing:
            return nothing_is_there(wish, found, context)
        batch = read_any_detail(answer.verdict == "not_there", answer.body, wish, found, context)
        # An answer that could not be read, or was refused, before anybody knew what it is about.
        batch.seen.add(("document", wish.record_id))
        return batch

    async def _listed(
        self, account: Account, request: ListRequest, answer: Answer, context: Context
    ) -> Batch:
        scan, finished = request.scan, account.standing.finished
        last = finished.get(scan.key)
        count = last.whole if last is not None else None
        if answer.verdict == "not_there":
            batch = Batch()
            await self._go_on(after_no_page(scan, count), context.look.at, last, batch)
            return batch
        page = read_list(answer.body, RESOURCES[scan.listing].names)
        ids = ids_of(page.rows, scan.listing)
        found = await store.kept(self._connection, self._account, ids)
        delta, stock = (finished.get(scan_key(layer, scan.listing)) for layer in ("delta", "all"))
        context = replace(
            context,
            stock_taken=frozenset(each for each in LISTINGS["all"] if scan_key("all", each) in finished),
            delta_asked=delta.asked if delta is not None else None,
            newest_then=newest_then(stock, context.connected),
        )
        batch = read_page(scan, page, found, context)
        scan = with_strange_rows(scan, batch)
        step = after_page(scan, page, ids, context.look.at, count, newest_of(page.rows))
        if step.state == "done" and not scan.strange:
            batch.seen.add(rows_of(scan))
        await self._go_on(step, context.look.at, last, batch)
        return batch

    async def _go_on(self, step: Step, at: datetime, last: Finished | None, batch: Batch) -> None:
        note_oddity(step, batch)
        await store.keep_scan(self._connection, self._account, step, at, last)

    async def _learn(
        self, account: Account, request: Request, batch: Batch, at: datetime, *, is_there: bool
    ) -> None:
        standing = account.standing
        statuses = dict(standing.open_statuses)
        if isinstance(request, ListRequest) and batch.statuses:
            listing: Listing = request.scan.listing
            statuses[listing] = statuses.get(listing, frozenset()) | batch.statuses
        wider = next((each for each in _WIDER if each > standing.widened), None)
        trust = noted(standing.trust, batch.told, batch.moved) if batch.has_evidence else None
        news = statuses if statuses != dict(standing.open_statuses) else None
        widened = wider if batch.missed else None
        if account.is_well_at(at) and trust is None and news is None and widened is None:
            return
        await store.keep_learnt(
            self._connection,
            self._account,
            at,
            held_until=standing.blocked_until,
            is_there=is_there,
            trust=trust,
            statuses=news,
            widened=widened,
        )


def _is_first_page(request: Request) -> bool:
    """Return True for the first page of a list, which is there if the list is."""
    return isinstance(request, ListRequest) and request.scan.page == 1


def _wait(account: Account) -> timedelta:
    """Return how long an account is left alone that gives no answers."""
    return min(_SHORTEST * (1 << min(account.failures, 10)), _LONGEST)


def _is_filtered(request: Request) -> bool:
    """Return True if no row may be what was asked for, which must not look like a list that is gone."""
    scan = request.scan if isinstance(request, ListRequest) else None
    return scan is None or scan.since is not None or scan.status is not None
